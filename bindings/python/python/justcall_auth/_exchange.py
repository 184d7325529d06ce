"""What an exchange says to do."""

import enum
from dataclasses import dataclass


class Action(enum.Enum):
    """What to do now, as `Exchange.next` says, unless it says to `Wait`."""

    SEND = "send"
    """Send the request that the exchange describes, and report what came of it."""

    LOAD = "load"
    """Call `Exchange.load`, which may block."""

    DONE = "done"
    """Take the answer with `Exchange.response`."""


@dataclass(frozen=True)
class Wait:
    """What to do now: ask again after a while.

    Immutable, hashable, picklable; equal when the time is.
    """

    seconds: float
    """How long to wait, in seconds. Asking earlier does no harm."""
