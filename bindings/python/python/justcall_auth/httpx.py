"""httpx with the rules of this package: transports and an auth class.

A client with the transport sends its requests with the pair, retries them, and continues through a reset of
the pair. It sends only requests for the base URL of the `justcall_auth.Client`::

    client = justcall_auth.Client()
    transport = justcall_auth.httpx.JustCallTransport(client)
    with httpx.Client(transport=transport, base_url="https://api.justcall.io") as http:
        calls = http.get("/v2.1/calls", params={"per_page": 5}).json()["data"]

`JustCallAsyncTransport` is for `httpx.AsyncClient`, with asyncio and trio. Use `JustCallAuth` only if the
client must keep its own transport.

The pair is not stored in a response or an exception of this package. Until the response has arrived, these
frames of httpx and httpcore hold the header: `handle_request`, `handle_async_request`,
`_send_request_headers`, `_send_event`, `_receive_response_headers`, `_receive_response_body`, `__iter__` and
`__aiter__`. A program that reports the local variables of all frames should exclude them.
"""

from typing import Optional

import httpx

from ._httpx import AsyncTransport, Auth, Transport
from ._native import Client

__all__ = ["JustCallAsyncTransport", "JustCallAuth", "JustCallTransport"]


class JustCallTransport(Transport, httpx.BaseTransport):
    """Sends the requests of a `httpx.Client` as `Client.request` does.

    Every failure raises a `JustCallError`, as the methods of `Client` do, and not an exception of httpx.

    The timeouts of a request limit each step, and the timeout of the client limits the whole call. Bodies of
    requests are read into memory, because a retry sends them again. Bodies of responses are read completely.
    Redirects raise `RedirectRefusedError`.

    Args:
        client: It supplies the pair, the base URL, `timeout`, `max_retries`, `rotation_wait`,
            `expected_account` and `max_response_length`.
        transport: It sends the requests, by default a `httpx.HTTPTransport()`. It defines the certificate
            authorities and the proxy, which must not be one for `http://`: it would receive the pair.
        raise_for_status: Whether a response with an error status raises its `JustCallError`. With False the
            response is returned instead, after the retries.

    """

    _http = httpx

    def __init__(
        self,
        client: Client,
        transport: Optional[httpx.BaseTransport] = None,
        *,
        raise_for_status: bool = True,
    ) -> None:
        self._client = client
        self._transport = httpx.HTTPTransport() if transport is None else transport
        self._raise_for_status = raise_for_status


class JustCallAsyncTransport(AsyncTransport, httpx.AsyncBaseTransport):
    """Sends the requests of a `httpx.AsyncClient` as `Client.request` does.

    It follows the rules of `JustCallTransport`. A source is read on another thread. A cancelled task ends its
    call.

    Args:
        client: As for `JustCallTransport`.
        transport: It sends the requests, by default a `httpx.AsyncHTTPTransport()`.
        raise_for_status: As for `JustCallTransport`.

    """

    _http = httpx

    def __init__(
        self,
        client: Client,
        transport: Optional[httpx.AsyncBaseTransport] = None,
        *,
        raise_for_status: bool = True,
    ) -> None:
        self._client = client
        self._transport = httpx.AsyncHTTPTransport() if transport is None else transport
        self._raise_for_status = raise_for_status


class JustCallAuth(Auth, httpx.Auth):
    """Adds the pair to a request, and sends the request again if its response requires that.

    Use it as `auth` of a client or a request whose URL is under the base URL of the `justcall_auth.Client`.
    Unlike the transport it learns nothing of failures of the network: they end the call with an exception of
    httpx, even if the request could be repeated. If the client follows redirects, it does so without the
    pair, and the call raises `RedirectRefusedError`.

    Args:
        client: As for `JustCallTransport`.
        raise_for_status: As for `JustCallTransport`.

    """

    _http = httpx

    def __init__(self, client: Client, *, raise_for_status: bool = True) -> None:
        self._client = client
        self._raise_for_status = raise_for_status
