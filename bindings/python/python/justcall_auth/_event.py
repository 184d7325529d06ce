"""Events about a client's pair and its calls."""

import logging
from typing import Final, Literal, Optional

from ._value import Value

_Name = Literal[
    "rotated",
    "candidate_rejected",
    "pair_rejected",
    "waiting_for_source",
    "retrying",
    "rate_limit_low",
    "source_changed",
    "rotation_due",
    "usage_spike",
]


class Event(Value):
    """An event about a client's pair or its calls. Safe to log: it contains no secret.

    Tests of programs can create events. Immutable, hashable and picklable. Two events are equal if all their
    parts are.
    """

    __module__ = "justcall_auth"
    __match_args__ = ("name", "message", "generation", "http_status", "wait")

    name: _Name
    """The name of the event, the same in every language.

    - `rotated`: another pair was proven and is in use now
    - `candidate_rejected`: the service rejected a new pair, or the pair belongs to another account; the pair
      in use stays
    - `pair_rejected`: the service rejected the pair in use
    - `waiting_for_source`: calls wait until the source has another pair
    - `retrying`: a call is retried, after a wait
    - `rate_limit_low`: less than a tenth of the account's rate limit is left
    - `source_changed`: the source has another pair; the next call proves it
    - `rotation_due`: the pair in use is old enough to be rotated
    - `usage_spike`: a minute has more than twice the requests of the busiest minute before, and more than 60
    """

    message: str
    """A sentence that describes the event."""

    generation: int
    """The generation of the pair: 1 for the first pair of the process. 0 if the event is not about a pair."""

    http_status: int
    """The HTTP status that caused the event; 0 if none did."""

    wait: Optional[float]
    """How long the call waits now, in seconds; None if it does not wait."""

    def __init__(
        self,
        name: _Name,
        message: str,
        generation: int = 0,
        http_status: int = 0,
        wait: Optional[float] = None,
    ) -> None:
        self._set(name=name, message=message, generation=generation, http_status=http_status, wait=wait)


_INFORMATION: Final = frozenset({"rotated", "retrying", "source_changed"})
"""The events at level INFO. The others are at level WARNING: they need attention, even if calls succeed."""


def log(event: Event) -> None:
    """Logs the event to the logger `justcall_auth`, with the event as the record's `justcall_event`.

    Python prints warnings on standard error if the program has set up no logging.
    """
    level = logging.INFO if event.name in _INFORMATION else logging.WARNING
    logging.getLogger("justcall_auth").log(
        level, "%s: %s", event.name, event.message, extra={"justcall_event": event}
    )
