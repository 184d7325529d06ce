"""What the adapters of all HTTP libraries share: the state of one call, and its loop."""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeVar, cast

from ._error_base import JustCallError
from ._errors import InvalidResponseError
from ._exchange import Action

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping

    from typing_extensions import TypeAlias

    from ._exchange import Wait
    from ._native import Client, Exchange

    Cause: TypeAlias = Literal["resolve", "connect", "tls", "timeout", "closed", "cancelled"]

AUTHORIZATION: Final = "Authorization"

WRONG_ENCODING: Final = "The response body does not match its Content-Encoding."

CHUNK: Final = 65536
"""How many bytes of a body are read at once."""

_Response = TypeVar("_Response")


class Call(Generic[_Response]):
    """One call of an adapter: its exchange, and the last response to the program's own request.

    If `raise_for_status` is False, a response with an error status is returned, and not raised as an error.
    """

    def __init__(self, client: Client, method: str, url: str, raise_for_status: bool) -> None:
        self.exchange: Exchange = client.exchange(method, url.partition("#")[0])
        self._raise_for_status = raise_for_status
        self._attempts = 0
        self._response: _Response | None = None
        self._status = 0
        self._unusable: str | None = None
        self.is_over = False

    def __enter__(self) -> Call[_Response]:
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over = True
        self.exchange.close()

    def __del__(self) -> None:
        # requests does not report failures of the network to an auth class.
        if hasattr(self, "exchange"):
            self.exchange.close()

    def next(self) -> Action | Wait:
        """Returns the next action. After `Action.DONE` the call has its `result`."""
        unusable = self._unusable
        try:
            action = self.exchange._next(None if unusable is None else self._invalid(unusable))
        except JustCallError as error:
            # Redirects are raised, because the HTTP library would follow them.
            is_about_status = error.code >= 400 and error.http_status == self._status
            if self._raise_for_status or self._response is None or not is_about_status:
                raise
            return Action.DONE
        if action is Action.DONE and unusable is not None:
            raise self._invalid(unusable)
        return action

    def _invalid(self, message: str) -> InvalidResponseError:
        return InvalidResponseError(
            message, http_status=self._status, request_sent=True, attempts=self._attempts
        )

    @property
    def result(self) -> _Response:
        """The last response to the program's own request."""
        return cast("_Response", self._response)

    def add_headers(self, headers: MutableMapping[str, str]) -> None:
        """Adds the headers of the exchange that the program or its HTTP library did not set."""
        for name, value in self.exchange.headers.items():
            headers.setdefault(name, value)

    @property
    def limit(self) -> int:
        """How many bytes of a body are read: one more than the largest body, to notice a longer one."""
        return self.exchange.max_body + 1

    def time_left(self, limit: float | None) -> float | None:
        """Returns the time limit of the HTTP library: `limit`, but not beyond the deadline."""
        remaining = self.exchange.remaining
        if remaining is None:
            return limit
        # The libraries do not accept 0.
        remaining = max(remaining, 0.001)
        return remaining if limit is None else min(limit, remaining)

    @property
    def is_late(self) -> bool:
        """Whether the deadline of the call has passed."""
        return self.exchange.remaining == 0.0

    def answered(
        self,
        response: _Response,
        status: int,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        unusable: str | None = None,
    ) -> None:
        """Reports a response. `unusable` states why its body cannot be used, if it cannot."""
        limit = self.exchange.max_body
        if unusable is None and len(body) > limit:
            unusable = f"The response body is longer than {limit} bytes."
        if not self.exchange.is_verifying:
            self._attempts += 1
            self._response, self._status = response, status
            self._unusable = unusable
        self.exchange.answered(status, list(headers), b"" if unusable else body)

    def answered_without_http(self) -> None:
        """Reports that the bytes that arrived are not an HTTP response."""
        self.exchange.answered(0, {}, b"")

    def failed(self, cause: Cause, request_sent: bool) -> None:
        """Reports that no response arrived."""
        self.exchange.failed(cause, request_sent)


def drive(call: Call[_Response], send: Callable[[], object]) -> _Response:
    """Makes the call. `send` sends the request of its exchange and reports the result."""
    while (action := call.next()) is not Action.DONE:
        if action is Action.SEND:
            send()
        else:
            pause(call, action)
    return call.result


def pause(call: Call[_Response], action: Action | Wait) -> None:
    """Loads or waits."""
    if isinstance(action, Action):
        call.exchange.load()
    else:
        time.sleep(action.seconds)


async def drive_async(
    call: Call[_Response],
    send: Callable[[], Awaitable[object]],
    pause: Callable[[Call[_Response], Action | Wait], Awaitable[object]],
) -> _Response:
    """Makes the call on an event loop. `pause` loads or waits, without blocking the loop."""
    while (action := call.next()) is not Action.DONE:
        if action is Action.SEND:
            await send()
        else:
            await pause(call, action)
    return call.result


def causes(error: BaseException, outer: BaseException | None) -> Iterator[BaseException]:
    """Yields the error and its causes, but not `outer`, which was handled before the request."""
    found: BaseException | None = error
    while found is not None and found is not outer:
        yield found
        found = found.__cause__ or found.__context__


def address_or_certificate(
    error: BaseException, outer: BaseException | None
) -> Literal["resolve", "tls"] | None:
    """Returns the cause if the host was not found, or its certificate is not trusted."""
    for cause in causes(error, outer):
        if isinstance(cause, socket.gaierror):
            return "resolve"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "tls"
    return None
