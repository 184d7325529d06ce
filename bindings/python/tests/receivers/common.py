"""The common parts of the receivers: the verifier and a record of the dispatched events."""

from __future__ import annotations

import os
from typing import Any

import justcall_auth

client = justcall_auth.Client(base_url=os.environ["SANDBOX_URL"], ca_file=os.environ["SANDBOX_CA_FILE"])

dispatched: list[Any] = []
"""Each event that a handler was called with."""

read = [0]
"""How many bytes of bodies the application has read from its server."""

_seen: set[tuple[str, bytes]] = set()


def was_seen(event: justcall_auth.WebhookEvent) -> bool:
    """Records every delivery of the type that the test uses for this."""
    known = (event.signature, event.body) in _seen
    _seen.add((event.signature, event.body))
    return known and event.type == "call.initiated"


verifier = justcall_auth.WebhookVerifier(
    client, url=["https://example.com/hooks/justcall", "https://example.com/!*'()"], replay_check=was_seen
)


def handle(event: justcall_auth.WebhookEvent) -> None:
    """Records the event. Fails for one type."""
    dispatched.append([event.type, event.url, event.json()["request_id"], len(event.body)])
    if event.type == "call.missed":
        raise RuntimeError("the handler failed")


def report() -> dict[str, Any]:
    """Returns the records for the test."""
    return {"dispatched": dispatched, "read": read[0], "usage": [client.usage, verifier.usage]}


class CountingInput:
    """A WSGI server's input that counts what is read from it."""

    def __init__(self, input: Any) -> None:  # noqa: A002 - WSGI calls it that
        self._input = input
        self.readline = input.readline

    def read(self, size: int = -1) -> bytes:
        """Reads and counts the bytes."""
        data: bytes = self._input.read(size)
        read[0] += len(data)
        return data


def counting_wsgi(application: Any) -> Any:
    """Returns the application, whose reads are counted."""

    def counted(environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.input"] = CountingInput(environ["wsgi.input"])
        return application(environ, start_response)

    return counted


def counting_asgi(application: Any) -> Any:
    """Returns the application, whose reads are counted."""

    async def counted(scope: Any, receive: Any, send: Any) -> None:
        async def counted_receive() -> Any:
            message = await receive()
            read[0] += len(message.get("body", b""))
            return message

        await application(scope, counted_receive, send)

    return counted
