"""What a successful verification tells of the account."""

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Account:
    """The account that a pair belongs to. A detail that the service did not tell is `None`.

    Immutable, hashable, picklable; equal when every detail is.
    """

    id: Optional[int]
    """The account's number."""

    email: Optional[str]
    """The account's e-mail address."""

    plan: Optional[str]
    """The account's plan, such as `Pro`."""

    verified_by: str
    """The path whose answer proved the pair, such as `/v2/account`."""
