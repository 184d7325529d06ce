"""The actions of an exchange."""

import enum

from ._value import Value


class Action(enum.Enum):
    """What to do now. `Exchange.next` returns an `Action` or a `Wait`."""

    __module__ = "justcall_auth"

    SEND = "send"
    """Send the request that the exchange describes, and report the result."""

    LOAD = "load"
    """Call `Exchange.load`, which may block."""

    DONE = "done"
    """Call `Exchange.response`, which returns the response."""


class Wait(Value):
    """What to do now: wait, then call `Exchange.next` again.

    Immutable, hashable and picklable. Two waits are equal if their times are.
    """

    __module__ = "justcall_auth"
    __match_args__ = ("seconds",)

    seconds: float
    """How long to wait, in seconds. An earlier call of `Exchange.next` does no harm."""

    def __init__(self, seconds: float) -> None:
        self._set(seconds=seconds)
