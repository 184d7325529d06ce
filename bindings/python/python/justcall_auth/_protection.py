"""The protection of a client's pair between calls."""

from ._typing import Optional
from ._value import Value


class ProtectionReport(Value):
    """The requested and the obtained memory protection of a client's pair. Safe to log.

    Immutable, hashable and picklable. Two reports are equal if all their parts are.
    """

    __module__ = "justcall_auth"
    __match_args__ = ("asked", "obtained", "why_not")

    asked: str
    """The client's `memory_protection`: `auto`, `strict`, `heap` or `secretmem`."""

    obtained: str
    """`locked`: locked pages. `secretmem`: pages that only the process can read. `heap`: neither."""

    why_not: Optional[str]
    """Why the best requested level was not obtained; None if it was."""

    def __init__(self, asked: str, obtained: str, why_not: Optional[str]) -> None:
        self._set(asked=asked, obtained=obtained, why_not=why_not)
