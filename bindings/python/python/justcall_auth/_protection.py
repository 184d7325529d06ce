"""How a client's pair is protected while it rests."""

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class ProtectionReport:
    """What was asked of the memory that keeps a client's pair, and what was obtained. Safe to log.

    Immutable, hashable, picklable; equal when every part is.
    """

    asked: str
    """The client's `memory_protection`: `auto`, `strict`, `heap` or `secretmem`."""

    obtained: str
    """`locked`: pages locked into memory. `secretmem`: pages that only the process reads. `heap`: neither."""

    why_not: Optional[str]
    """Why it is not the best that was asked for; `None` where it is."""
