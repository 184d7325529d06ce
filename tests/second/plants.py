"""Bugs to plant into the second implementation, two in each part. The comparison must find each."""

from __future__ import annotations

import base64
from typing import Any, Callable

import second

Case = dict[str, Any]


def changed(part: str, change: Callable[[Case, Case], Any]) -> Callable[[], None]:
    """A bug that changes the answer of a part."""

    def plant() -> None:
        original = getattr(second, part)

        def wrong(case: Case, *answer: Case) -> Case:
            found: Case = original(case, *answer)
            change(case, found)
            return found

        setattr(second, part, wrong)

    return plant


def replaced(name: str, value: Any) -> Callable[[], None]:
    """A bug that is another value of a constant or a function."""
    return lambda: setattr(second, name, value)


def basic(case: Case, found: Case) -> None:
    """Encodes the pair, as for Basic authentication."""
    encoded = base64.b64encode(f"{case['key']}:{case['secret']}".encode()).decode()
    found["headers"]["authorization"] = f"Basic {encoded}"


def no_accept(case: Case, found: Case) -> None:
    """Does not send the header `Accept`."""
    del found["headers"]["accept"]


def trusting(case: Case, found: Case) -> None:
    """Ignores the URL of a delivery."""
    if found["error"] == "webhook_wrong_url":
        found["error"] = "webhook_replayed"


PLANTS: dict[str, Callable[[], None]] = {
    "header-basic": changed("header", basic),
    "header-no-accept": changed("header", no_accept),
    "pair-longer": replaced("MAX_HALF", 513),
    "pair-only-blanks-are-whitespace": replaced("WHITESPACE", " "),
    "response-502-is-a-server-error": lambda: second.KINDS.update({502: "server_error"}),
    "response-seconds-are-milliseconds": replaced("SECOND", 1),
    "webhook-any-url": changed("webhook", trusting),
    "webhook-one-encoding": replaced("SAFE", ("",)),
    "exchange-post-twice": lambda: second.IDEMPOTENT.add("POST"),
    "exchange-shorter-cool-down": replaced("COOL_DOWN", 29_000),
}
