"""aiohttp with the rules of this package: a middleware for a client session. Needs aiohttp 3.12 or newer.

A session with the middleware sends its requests with the pair, retries them, and continues through a reset of
the pair. It sends only requests for the base URL of the `justcall_auth.Client`::

    client = justcall_auth.Client()
    middleware = justcall_auth.aiohttp.JustCallMiddleware(client)
    async with aiohttp.ClientSession("https://api.justcall.io", middlewares=[middleware]) as session:
        async with session.get("/v2.1/calls", params={"per_page": 5}) as response:
            calls = (await response.json())["data"]

The pair is not stored in a request, a response or an exception. Only while the header is written to the
connection, these frames of aiohttp hold it: `write_headers`, `_write` and `send_headers`. A program that
reports the local variables of all frames should exclude them.
"""

import asyncio
import sys
from collections.abc import ItemsView
from typing import Optional, Union

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse
from aiohttp.http_exceptions import ContentEncodingError
from multidict import CIMultiDict

from . import _errors
from ._adapter import (
    AUTHORIZATION,
    WRONG_ENCODING,
    Call,
    address_or_certificate,
    causes,
    drive_async,
)
from ._error_base import JustCallError
from ._exchange import Action, Wait
from ._native import Client

__all__ = ["ConnectionFailedError", "JustCallMiddleware", "RequestTimeoutError"]


class ConnectionFailedError(_errors.ConnectionFailedError, aiohttp.ClientError):
    """The `ConnectionFailedError` of this package.

    aiohttp would replace any other subclass of `OSError` by its own `ClientOSError`.
    """


class RequestTimeoutError(_errors.RequestTimeoutError, aiohttp.ClientError):
    """The `RequestTimeoutError` of this package, for the same reason as `ConnectionFailedError`."""


def _as_client_error(kind: type[JustCallError], error: JustCallError) -> JustCallError:
    """Returns the error as an error of aiohttp."""
    failure = kind(error.message)
    vars(failure).update(vars(error))
    return failure


class JustCallMiddleware:
    """Sends the requests of a session as `Client.request` does.

    The certificate authorities and the proxy are those of the session. A proxy is not used for `http://`,
    because it would receive the pair. Every failure raises a `JustCallError`, as the methods of `Client` do,
    and not an exception of aiohttp.

    The timeouts of the session apply, and the timeout of the client limits the whole call. Bodies of requests
    are read into memory, because a retry sends them again. Bodies of responses are read completely. Redirects
    raise `RedirectRefusedError`. A source is read on another thread. A cancelled task ends its call.

    Args:
        client: It supplies the pair, the base URL, `timeout`, `max_retries`, `rotation_wait`,
            `expected_account` and `max_response_length`.
        raise_for_status: Whether a response with an error status raises its `JustCallError`. With False the
            response is returned instead, after the retries.

    """

    def __init__(self, client: Client, *, raise_for_status: bool = True) -> None:
        self._client = client
        self._raise_for_status = raise_for_status

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Sends a request until it succeeds, or fails for good. aiohttp calls it.

        Args:
            request: The request.
            handler: The function that sends it.

        """
        await _make_repeatable(request)
        if request.url.scheme == "http":
            request.update_proxy(None, None, None)
        with Call[aiohttp.ClientResponse](
            self._client, request.method, str(request.url), self._raise_for_status
        ) as call:
            failure: JustCallError
            try:
                return await drive_async(call, lambda: _send(call, request, handler), _pause)
            except _errors.ConnectionFailedError as error:
                failure = _as_client_error(ConnectionFailedError, error)
            except _errors.RequestTimeoutError as error:
                failure = _as_client_error(RequestTimeoutError, error)
        # Raised outside the `except` blocks, so that the same failure is not shown twice.
        raise failure


class _PairHeaders(CIMultiDict[str]):
    """The headers of a request, with the pair only while they are written to the connection.

    aiohttp calls `items` when the connection is open, to write the headers. Nothing else stores the pair.
    """

    def __init__(self, headers: CIMultiDict[str], call: Call[ClientResponse]) -> None:
        super().__init__(headers)
        self.popall(AUTHORIZATION, None)
        self._call = call
        self.is_sent = False
        """Whether a byte of the request may have been sent."""

    def items(self) -> ItemsView[str, str]:
        self.is_sent = True
        # The pair is first, so that it is not the value that stays in aiohttp's variable.
        return CIMultiDict([(AUTHORIZATION, self._call.exchange.authorization()), *super().items()]).items()


async def _make_repeatable(request: ClientRequest) -> None:
    """Replaces a body that can be read only once."""
    if isinstance(request.body, aiohttp.payload.Payload) and not isinstance(
        request.body, aiohttp.payload.BytesPayload
    ):
        await request.update_body(await request.body.as_bytes())


async def _pause(call: Call[ClientResponse], action: Union[Action, Wait]) -> None:
    """Loads on another thread, or waits."""
    if isinstance(action, Action):
        # If the task is cancelled, the end of the call ends the load too.
        await asyncio.to_thread(call.exchange.load)
    else:
        await asyncio.sleep(action.seconds)


class _Sending:
    """How far one request has come."""

    headers: Optional[_PairHeaders] = None
    has_head = False
    """Whether the head of the response has arrived."""

    @property
    def may_be_sent(self) -> bool:
        return self.headers is not None and self.headers.is_sent


async def _send(call: Call[ClientResponse], request: ClientRequest, handler: ClientHandlerType) -> None:
    """Sends the request once, and reports the result."""
    outer, sending = sys.exc_info()[1], _Sending()
    try:
        await asyncio.wait_for(_attempt(call, request, handler, sending), call.time_left(None))
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
        _report_failure(call, error, outer, sending)
    except BaseException:
        call.failed("cancelled", sending.may_be_sent)
        raise


async def _attempt(
    call: Call[ClientResponse], request: ClientRequest, handler: ClientHandlerType, sending: _Sending
) -> None:
    """Sends the request of the exchange, and reports the response."""
    exchange = call.exchange

    async def with_pair(own: ClientRequest, send: ClientHandlerType) -> ClientResponse:
        plain = own.headers
        own.headers = sending.headers = _PairHeaders(plain, call)
        try:
            return await send(own)
        finally:
            own.headers = plain

    if exchange.is_verifying:
        response = await request.session.request(
            exchange.method,
            exchange.url,
            headers=exchange.headers,
            middlewares=[with_pair],
            allow_redirects=False,
            raise_for_status=False,
            ssl=request.ssl,
            proxy=request.proxy,
            proxy_auth=request.proxy_auth,
        )
    else:
        call.add_headers(request.headers)
        response = await with_pair(request, handler)
    sending.has_head = True
    unusable = None
    try:
        body = await _body(call, response)
    except aiohttp.ClientPayloadError as error:
        if not any(isinstance(cause, ContentEncodingError) for cause in causes(error, None)):
            raise
        body, unusable = b"", WRONG_ENCODING
    finally:
        if not response.content.is_eof():
            response.close()
    response._body = body
    call.answered(response, response.status, response.headers.items(), body, unusable)


async def _body(call: Call[ClientResponse], response: ClientResponse) -> bytes:
    """Reads the body, up to the limit of the call."""
    parts, length = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        length += len(part)
        if length >= call.limit:
            break
    return b"".join(parts)


def _report_failure(
    call: Call[ClientResponse], error: BaseException, outer: Optional[BaseException], sending: _Sending
) -> None:
    """Reports the failure of a request."""
    known = address_or_certificate(error, outer)
    if known is not None:
        call.failed(known, sending.may_be_sent)
    elif isinstance(error, asyncio.TimeoutError):
        call.failed("timeout", sending.may_be_sent)
    elif isinstance(error, aiohttp.ClientConnectorSSLError):
        call.failed("tls", sending.may_be_sent)
    elif isinstance(error, aiohttp.ClientConnectorError):
        call.failed("connect", sending.may_be_sent)
    elif isinstance(error, aiohttp.ClientResponseError) and not sending.has_head:
        call.answered_without_http()
    else:
        call.failed("closed", sending.may_be_sent)
