"""The actions of an exchange."""

import enum
from dataclasses import dataclass


class Action(enum.Enum):
    """What to do now. `Exchange.next` returns an `Action` or a `Wait`."""

    SEND = "send"
    """Send the request that the exchange describes, and report the result."""

    LOAD = "load"
    """Call `Exchange.load`, which may block."""

    DONE = "done"
    """Call `Exchange.response`, which returns the response."""


@dataclass(frozen=True)
class Wait:
    """What to do now: wait, then call `Exchange.next` again.

    Immutable, hashable and picklable. Two waits are equal if their times are.
    """

    seconds: float
    """How long to wait, in seconds. An earlier call of `Exchange.next` does no harm."""
