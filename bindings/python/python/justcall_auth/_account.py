"""The account that a verification returns."""

from ._typing import Optional
from ._value import Value


class Account(Value):
    """The account that a pair belongs to. A detail that the service did not return is None.

    Immutable, hashable and picklable. Two accounts are equal if all their details are.
    """

    __module__ = "justcall_auth"
    __match_args__ = ("id", "email", "plan", "verified_by")

    id: Optional[int]
    """The account's number."""

    email: Optional[str]
    """The account's e-mail address."""

    plan: Optional[str]
    """The account's plan, such as `Pro`."""

    verified_by: str
    """The path of the request that proved the pair, such as `/v2/account`."""

    def __init__(
        self,
        id: Optional[int],  # noqa: A002 - it is the attribute's name
        email: Optional[str],
        plan: Optional[str],
        verified_by: str,
    ) -> None:
        self._set(id=id, email=email, plan=plan, verified_by=verified_by)
