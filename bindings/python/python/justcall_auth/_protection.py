"""The protection of a client's pair between calls."""

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class ProtectionReport:
    """The requested and the obtained memory protection of a client's pair. Safe to log.

    Immutable, hashable and picklable. Two reports are equal if all their parts are.
    """

    asked: str
    """The client's `memory_protection`: `auto`, `strict`, `heap` or `secretmem`."""

    obtained: str
    """`locked`: locked pages. `secretmem`: pages that only the process can read. `heap`: neither."""

    why_not: Optional[str]
    """Why the best requested level was not obtained; None if it was."""
