"""The record of one call: what the logger and the hooks of a client receive."""

import sys
import time

from ._log_variable import WRITES_CALLS, write
from ._typing import Any, Optional


class CallRecord:
    """One call of a client, for `on_request` and `on_response`. Both receive the same object.

    It contains no header, no query and no body.
    """

    __module__ = "justcall_auth"
    __slots__ = ("_begun", "attempts", "context", "error", "http_status", "method", "path", "seconds")

    method: str
    """The HTTP method."""

    path: str
    """The path without its query. Each run of digits is replaced by `#`: it may be a telephone number."""

    http_status: int
    """The HTTP status of the last response; 0 before the end of the call, and if there was none."""

    seconds: Optional[float]
    """How long the call took, with its retries and waits; None before its end."""

    attempts: int
    """How often the request was sent: 1, and one more for each retry. 0 before the end of the call.

    A call that the program ended may have 0 too.
    """

    error: Optional[str]
    """The name of the failure, such as `rate_limited`; None if there was none."""

    context: Any
    """Anything that `on_request` stores for `on_response`, such as a span; None if it stores nothing."""

    def __init__(self, method: str, path: str) -> None:
        self.method = method
        self.path = _masked(path)
        self.http_status = 0
        self.seconds = None
        self.attempts = 0
        self.error = None
        self.context = None
        self._begun = time.monotonic()

    def __repr__(self) -> str:
        failure = "" if self.error is None else f", {self.error}"
        return f"<CallRecord {self.method} {self.path}: {self.http_status}{failure}>"


def _masked(path: str) -> str:
    """Returns the path without its query and its numbers. A version of the API, such as `v2.1`, stays."""
    segments = path.partition("?")[0].split("/")
    return "/".join(segment if _is_version(segment) else _without_digits(segment) for segment in segments)


def _is_version(segment: str) -> bool:
    return segment[:1] == "v" and len(segment) <= 5 and segment[1:].replace(".", "").isdecimal()


def _without_digits(text: str) -> str:
    masked: list[str] = []
    for character in text:
        if not character.isdigit():
            masked.append(character)
        elif masked[-1:] != ["#"]:
            masked.append("#")
    return "".join(masked)


def _is_logged() -> bool:
    # A program that has not imported `logging` has not enabled the level.
    if "logging" not in sys.modules:
        return False
    # Another thread may be importing it now: the statement waits until the module is complete.
    import logging

    return logging.getLogger("justcall_auth").isEnabledFor(logging.DEBUG)


def begin(method: str, path: str, has_hook: bool) -> Optional[CallRecord]:
    """Returns the record of a call that begins; None if nothing observes it."""
    return CallRecord(method, path) if WRITES_CALLS or has_hook or _is_logged() else None


def end(record: CallRecord, result: Any, retries: int) -> None:
    """Completes the record and logs it at level DEBUG. If that is off, `JUSTCALL_LOG=debug` writes it.

    `result` is the response, the account, the HTTP status or the exception of the call.
    """
    record.seconds = time.monotonic() - record._begun
    if isinstance(result, BaseException):
        record.error = getattr(result, "name", type(result).__name__)
        record.http_status = getattr(result, "http_status", 0)
        record.attempts = getattr(result, "attempts", 0)
    else:
        # An account has no status.
        record.http_status = result if isinstance(result, int) else getattr(result, "http_status", 200)
        record.attempts = retries + 1
    if _is_logged():
        import logging

        logging.getLogger("justcall_auth").debug("%s", _line(record), extra={"justcall_call": record})
    elif WRITES_CALLS:
        write(_line(record))


def _line(record: CallRecord) -> str:
    """Returns the text of the record of a call that is over."""
    shown = "" if record.error is None else f" {record.error}"
    milliseconds = (record.seconds or 0.0) * 1000
    head = f"{record.method} {record.path} {record.http_status}{shown}"
    return f"{head} in {milliseconds:.0f} ms, attempts: {record.attempts}"
