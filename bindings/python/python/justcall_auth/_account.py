"""The account that a verification returns."""

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Account:
    """The account that a pair belongs to. A detail that the service did not return is None.

    Immutable, hashable and picklable. Two accounts are equal if all their details are.
    """

    id: Optional[int]
    """The account's number."""

    email: Optional[str]
    """The account's e-mail address."""

    plan: Optional[str]
    """The account's plan, such as `Pro`."""

    verified_by: str
    """The path of the request that proved the pair, such as `/v2/account`."""
