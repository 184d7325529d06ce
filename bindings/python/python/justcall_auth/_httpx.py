"""The rules of `justcall_auth.httpx` and `justcall_auth.httpx2`, whose libraries have the same interface."""

from __future__ import annotations

import ssl
import sys
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from ._adapter import (
    AUTHORIZATION,
    CHUNK,
    WRONG_ENCODING,
    Call,
    address_or_certificate,
    causes,
    drive,
    drive_async,
    pause,
)
from ._exchange import Action

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from ._exchange import Wait
    from ._native import Client


class _Rules:
    """What the transports and the auth classes share."""

    _http: Any
    """The module httpx or httpx2."""

    _client: Client
    _raise_for_status: bool

    def _call(self, request: Any) -> Call[Any]:
        return Call(self._client, request.method, str(request.url), self._raise_for_status)

    def _outgoing(self, call: Call[Any], request: Any, sending: _Sending) -> Any:
        """Returns the request that the exchange sends, with the pair."""
        exchange = call.exchange
        extensions = {**request.extensions, "timeout": sending.timeouts, "trace": sending.trace}
        if exchange.is_verifying:
            outgoing = self._http.Request(
                exchange.method, exchange.url, headers=exchange.headers, extensions=extensions
            )
        else:
            outgoing = self._http.Request(
                request.method,
                request.url,
                headers=request.headers,
                stream=self._http.ByteStream(request.content),
                extensions=extensions,
            )
        call.add_headers(outgoing.headers)
        sending.headers = outgoing.headers
        outgoing.headers[AUTHORIZATION] = exchange.authorization()
        return outgoing

    def _report(self, call: Call[Any], response: Any, raw: bytes) -> None:
        """Reports a response whose body was read without decoding it."""
        status, headers, unusable = response.status_code, response.headers, None
        try:
            body = self._decoded(call, response, raw)
        except self._http.DecodingError:
            body, raw, unusable = b"", b"", WRONG_ENCODING
        # The response of the transport refers to the request with the pair.
        extensions = {name: value for name, value in response.extensions.items() if name != "network_stream"}
        own = raw if len(body) < call.limit else b""
        received = self._http.Response(status, headers=headers, content=own, extensions=extensions)
        call.answered(received, status, headers.multi_items(), body, unusable)

    def _decoded(self, call: Call[Any], response: Any, raw: bytes) -> bytes:
        """Returns the body, up to the limit of the call."""
        if "content-encoding" not in response.headers:
            return raw
        pieces = (raw[at : at + CHUNK] for at in range(0, len(raw), CHUNK))
        decoding = self._http.Response(200, headers=response.headers, content=pieces)
        body = bytearray()
        for part in decoding.iter_bytes():
            body += part
            if len(body) >= call.limit:
                break
        return bytes(body)

    def _check(self, call: Call[Any], length: int) -> bool:
        """Returns whether the rest of the body is not needed. Raises if the call has reached its deadline."""
        if call.is_late:
            raise self._http.ReadTimeout("the call has reached its deadline")
        return length >= call.limit

    def _report_failure(
        self,
        call: Call[Any],
        error: BaseException,
        outer: BaseException | None,
        sending: _Sending,
        has_head: bool,
    ) -> None:
        """Reports the failure of a request. `has_head` is whether the head of the response arrived."""
        http = self._http
        known = address_or_certificate(error, outer)
        if known is not None:
            call.failed(known, sending.may_be_sent)
        elif isinstance(error, http.TimeoutException):
            call.failed("timeout", sending.may_be_sent)
        elif isinstance(error, http.ConnectError):
            is_tls = any(isinstance(cause, ssl.SSLError) for cause in causes(error, outer))
            call.failed("tls" if is_tls else "connect", sending.may_be_sent)
        elif not has_head and _is_not_http(error, outer):
            call.answered_without_http()
        else:
            call.failed("closed", sending.may_be_sent)


class _Sending:
    """One request on its way: whether it may have been sent, and how long its next step may take.

    Uses the extensions `trace` and `timeout`, of which httpcore reads the second again at each step.
    """

    def __init__(self, call: Call[Any], request: Any) -> None:
        self._call = call
        self._limits: dict[str, float | None] = request.extensions.get("timeout", {})
        self._trace = request.extensions.get("trace")
        self._is_traced = self._is_sent = False
        self.timeouts: dict[str, float | None] = {}
        self.headers: Any = {}
        """The headers with the pair."""
        self._limit()

    def _limit(self) -> None:
        for step in ("connect", "read", "write", "pool"):
            self.timeouts[step] = self._call.time_left(self._limits.get(step))

    def _notice(self, name: str, info: dict[str, Any]) -> None:
        self._is_traced = True
        if name.endswith(".started") and not self._call.is_over:
            self._limit()
        # A tunnel through a proxy begins with the request CONNECT, which does not have the pair.
        is_tunnel = getattr(info.get("request"), "method", None) == b"CONNECT"
        if name.endswith("send_request_headers.started") and not is_tunnel:
            self._is_sent = True
        if self._is_sent and name.endswith(("send_request_headers.complete", "send_request_headers.failed")):
            # A redirect copies the headers that are left.
            self.remove_pair()

    def remove_pair(self) -> None:
        """Removes the pair from the request."""
        self.headers.pop(AUTHORIZATION, None)

    @property
    def may_be_sent(self) -> bool:
        """Whether a byte of the request may have been sent. A transport without traces does not show it."""
        return self._is_sent or not self._is_traced

    def trace(self, name: str, info: dict[str, Any]) -> Any:
        """Notices an event, and passes it to the program's own callback."""
        self._notice(name, info)
        return None if self._trace is None else self._trace(name, info)


class _AsyncSending(_Sending):
    async def trace(self, name: str, info: dict[str, Any]) -> Any:
        self._notice(name, info)
        if self._trace is not None:
            await self._trace(name, info)


class Transport(_Rules):
    """The rules of a transport."""

    _transport: Any

    def handle_request(self, request: Any) -> Any:
        """Sends a request until it succeeds, or fails for good. The HTTP client calls it.

        Args:
            request: The request.

        """
        request.read()
        with self._call(request) as call:
            return drive(call, lambda: self._send(call, request))

    def _send(self, call: Call[Any], request: Any) -> None:
        outer, sending, response = sys.exc_info()[1], _Sending(call, request), None
        outgoing = self._outgoing(call, request, sending)
        try:
            response = self._transport.handle_request(outgoing)
            self._report(call, response, self._read(call, response))
        except self._http.RequestError as error:
            self._report_failure(call, error, outer, sending, has_head=response is not None)
        except BaseException:
            call.failed("cancelled", sending.may_be_sent)
            raise
        finally:
            sending.remove_pair()
            if response is not None:
                response.close()
            # The stream of the response refers to the headers of the request.
            del response

    def _read(self, call: Call[Any], response: Any) -> bytes:
        """Reads the body without decoding it."""
        raw = bytearray()
        for part in response.iter_raw():
            raw += part
            if self._check(call, len(raw)):
                break
        return bytes(raw)

    def close(self) -> None:
        """Closes the transport that sends."""
        self._transport.close()


class AsyncTransport(_Rules):
    """The rules of an asynchronous transport."""

    _transport: Any

    async def handle_async_request(self, request: Any) -> Any:
        """Sends a request until it succeeds, or fails for good. The HTTP client calls it.

        Args:
            request: The request.

        """
        await request.aread()
        with self._call(request) as call:
            return await drive_async(call, lambda: self._send(call, request), _pause)

    async def _send(self, call: Call[Any], request: Any) -> None:
        outer, sending, response = sys.exc_info()[1], _AsyncSending(call, request), None
        outgoing = self._outgoing(call, request, sending)
        try:
            response = await self._transport.handle_async_request(outgoing)
            self._report(call, response, await self._read(call, response))
        except self._http.RequestError as error:
            self._report_failure(call, error, outer, sending, has_head=response is not None)
        except BaseException:
            call.failed("cancelled", sending.may_be_sent)
            raise
        finally:
            sending.remove_pair()
            if response is not None:
                await response.aclose()
            # The stream of the response refers to the headers of the request.
            del response

    async def _read(self, call: Call[Any], response: Any) -> bytes:
        """Reads the body without decoding it."""
        raw = bytearray()
        async for part in response.aiter_raw():
            raw += part
            if self._check(call, len(raw)):
                break
        return bytes(raw)

    async def aclose(self) -> None:
        """Closes the transport that sends."""
        await self._transport.aclose()


class Auth(_Rules):
    """The rules of an auth class, for synchronous and asynchronous clients."""

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Yields the requests to send, until the call is over. The HTTP client calls it.

        Args:
            request: The request.

        """
        request.read()
        count = 0
        with self._call(request) as call:
            while (action := call.next()) is not Action.DONE:
                if action is not Action.SEND:
                    pause(call, action)
                    continue
                outer, sending = sys.exc_info()[1], _Sending(call, request)
                response = yield self._outgoing(call, request, sending)
                sending.remove_pair()
                if self._is_redirected(call, response, count):
                    continue
                count += 1
                try:
                    response.read()
                except self._http.RequestError as error:
                    self._report_unread(call, response, error, outer, sending)
                else:
                    self._report_read(call, response)

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """Yields the requests to send, until the call is over. The HTTP client calls it.

        Args:
            request: The request.

        """
        await request.aread()
        count = 0
        with self._call(request) as call:
            while (action := call.next()) is not Action.DONE:
                if action is not Action.SEND:
                    await _pause(call, action)
                    continue
                outer, sending = sys.exc_info()[1], _AsyncSending(call, request)
                response = yield self._outgoing(call, request, sending)
                sending.remove_pair()
                if self._is_redirected(call, response, count):
                    continue
                count += 1
                try:
                    await response.aread()
                except self._http.RequestError as error:
                    self._report_unread(call, response, error, outer, sending)
                else:
                    self._report_read(call, response)

    def _is_redirected(self, call: Call[Any], response: Any, count: int) -> bool:
        """Returns whether the client followed a redirect of this request, without the pair, and reports it.

        `count` is how many responses of this call came before: they are in the history too.
        """
        redirects = response.history[count:]
        for first in redirects[:1]:
            call.answered(first, first.status_code, first.headers.multi_items(), b"")
        return bool(redirects)

    def _report_read(self, call: Call[Any], response: Any) -> None:
        headers = response.headers.multi_items()
        call.answered(response, response.status_code, headers, response.content)

    def _report_unread(
        self, call: Call[Any], response: Any, error: Any, outer: BaseException | None, sending: _Sending
    ) -> None:
        """Reports a response whose body could not be read."""
        if isinstance(error, self._http.DecodingError):
            headers = response.headers.multi_items()
            call.answered(response, response.status_code, headers, b"", WRONG_ENCODING)
        else:
            self._report_failure(call, error, outer, sending, has_head=True)


async def _pause(call: Call[Any], action: Action | Wait) -> None:
    """Loads on another thread, or waits."""
    if isinstance(action, Action):
        # If the task is cancelled, the end of the call ends the load too.
        await anyio.to_thread.run_sync(call.exchange.load, abandon_on_cancel=True)
    else:
        await anyio.sleep(action.seconds)


def _is_not_http(error: BaseException, outer: BaseException | None) -> bool:
    """Returns whether the error reports a response head that is not HTTP: h11 raises it then."""
    return any(type(cause).__module__.startswith("h11") for cause in causes(error, outer))
