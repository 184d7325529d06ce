"""What happens to a client's pair and to its calls."""

import logging
from dataclasses import dataclass
from typing import Final, Literal, Optional


@dataclass(frozen=True)
class Event:
    """Something that happened to a client's pair or to its calls. It is safe to log: it holds no secret.

    Programs that test what they do about events may make their own. Immutable, hashable, picklable; equal
    when every part is.
    """

    name: Literal[
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
    """What happened, the same in every language.

    - `rotated`: another pair was proven and is in use now
    - `candidate_rejected`: the service rejected a new pair, or it is of another account; the one in use stays
    - `pair_rejected`: the service rejected the pair in use
    - `waiting_for_source`: calls are held until the source gives another pair
    - `retrying`: a call is made again, after a wait
    - `rate_limit_low`: less than a tenth of the account's rate limit is left
    - `source_changed`: the source gave another pair; the next call proves it
    - `rotation_due`: the pair in use is older than it should become
    - `usage_spike`: a minute has more than twice the requests of the busiest one before it, and more than 60
    """

    message: str
    """What happened, in a sentence."""

    generation: int = 0
    """Which pair it is about: 1 is the first that the process used, and so on. 0 where it is about none."""

    http_status: int = 0
    """The HTTP status that led to it, 0 where none did."""

    wait: Optional[float] = None
    """How long the call waits now, in seconds, where it does."""


_INFORMATION: Final = frozenset({"rotated", "retrying", "source_changed"})
"""What goes well. The rest is warned of: someone should look into it, though calls may still succeed."""


def log(event: Event) -> None:
    """Logs it to the logger `justcall_auth`, with the event as the record's `justcall_event`.

    As with any library, Python prints warnings on standard error if the program has set up no logging.
    """
    level = logging.INFO if event.name in _INFORMATION else logging.WARNING
    logging.getLogger("justcall_auth").log(
        level, "%s: %s", event.name, event.message, extra={"justcall_event": event}
    )
