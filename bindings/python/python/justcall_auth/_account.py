"""What a successful verification tells of the account."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    """The account that a pair belongs to. A detail that the service did not tell is `None`.

    Immutable, hashable, picklable; equal when every detail is.
    """

    id: int | None
    """The account's number."""

    email: str | None
    """The account's e-mail address."""

    plan: str | None
    """The account's plan, such as `Pro`."""

    verified_by: str
    """The path whose answer proved the pair, such as `/v2/account`."""
