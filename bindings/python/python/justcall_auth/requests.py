"""requests with the rules of this package: an adapter for a session, and an auth class.

Mount the adapter for the base URL of the client. The session then sends every request under this URL with the
pair, retries it, and continues through a reset of the pair::

    client = justcall_auth.Client()
    session = requests.Session()
    session.mount("https://api.justcall.io", justcall_auth.requests.JustCallAdapter(client))
    calls = session.get("https://api.justcall.io/v2.1/calls", params={"per_page": 5}).json()["data"]

Use `JustCallAuth` only if the session must keep its own adapter.

The pair is not stored in a request, a response or an exception. Only while the header is written to the
connection, these frames of other libraries hold it: `request` of urllib3, and `_send_output` and `send` of
`http.client`. A program that reports the local variables of all frames should exclude them.
"""

import functools
import http.client
import socket
import sys
from collections.abc import Callable, ItemsView, Mapping
from typing import Any, Optional, Union, cast

import requests
import urllib3
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.structures import CaseInsensitiveDict

from ._adapter import (
    AUTHORIZATION,
    CHUNK,
    WRONG_ENCODING,
    Call,
    address_or_certificate,
    causes,
    drive,
    pause,
)
from ._exchange import Action
from ._native import Client

__all__ = ["JustCallAdapter", "JustCallAuth"]


_Limit = Union[float, tuple[Optional[float], Optional[float]], urllib3.Timeout, None]

_TIMEOUTS = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError, socket.timeout)
_NO_CONNECTION = urllib3.exceptions.NewConnectionError
"""A subclass of a timeout in urllib3 1 and 2."""


class JustCallAdapter(HTTPAdapter):
    """Sends the requests of a session as `Client.request` does.

    The certificate authorities and the proxy are those of the session. A proxy is not used for `http://`,
    because it would receive the pair. Every failure raises a `JustCallError`, as the methods of `Client` do,
    and not an exception of requests.

    `timeout` of a request limits each wait for the network, and the timeout of the client limits the whole
    call. Bodies of requests are read into memory, because a retry sends them again. Bodies of responses are
    read completely, even with `stream=True`. Redirects raise `RedirectRefusedError`.

    Args:
        client: It supplies the pair, the base URL, `timeout`, `max_retries`, `rotation_wait`,
            `expected_account` and `max_response_length`.
        raise_for_status: Whether a response with an error status raises its `JustCallError`. With False the
            response is returned instead, after the retries.
        settings: The arguments of `requests.adapters.HTTPAdapter`, without `max_retries`.

    """

    def __init__(self, client: Client, *, raise_for_status: bool = True, **settings: Any) -> None:
        if "max_retries" in settings:
            raise TypeError("set max_retries of the client: the adapter retries by the client's rules")
        self._client = client
        self._raise_for_status = raise_for_status
        super().__init__(**settings)

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: ARG002 - the whole body is read
        timeout: Any = None,
        verify: Union[bool, str] = True,
        cert: Any = None,
        proxies: Optional[Mapping[str, str]] = None,
    ) -> Response:
        """Sends the request until it succeeds, or fails for good. A session calls it.

        Args:
            request: The request.
            stream: It has no effect: the whole body is read.
            timeout: The limit of each wait for the network, in seconds, or a pair of limits.
            verify: Whether certificates are verified, or the path of the certificate authorities.
            cert: The certificate of the client.
            proxies: The proxies.

        """
        url = cast("str", request.url)
        body = _read(request.body)
        settings = {
            "verify": verify,
            "cert": cert,
            "proxies": None if url.startswith("http:") else proxies,
        }
        send = functools.partial(super().send, stream=True, **settings)
        with Call[requests.Response](
            self._client, cast("str", request.method), url, self._raise_for_status
        ) as call:
            response = drive(call, lambda: _send(call, _copy(call, request, body), send, timeout))
        # The copy of the request has other headers.
        response.request = request
        return response


class JustCallAuth(AuthBase):
    """Adds the pair to a request, and sends the request again if its response requires that.

    Use it as `auth` of a session or a request whose URL is under the base URL of the client. Unlike the
    adapter it learns nothing of failures of the network: they end the call with an exception of requests,
    even if the request could be repeated.

    Args:
        client: As for `JustCallAdapter`.
        raise_for_status: As for `JustCallAdapter`.

    """

    def __init__(self, client: Client, *, raise_for_status: bool = True) -> None:
        self._client = client
        self._raise_for_status = raise_for_status

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Adds the pair to a request. requests calls it.

        Args:
            request: The request.

        """
        request.body = _read(request.body)
        # The body has a known length now, which requests adds.
        request.headers.pop("Transfer-Encoding", None)
        call = Call[requests.Response](
            self._client, cast("str", request.method), cast("str", request.url), self._raise_for_status
        )
        while (action := call.next()) is not Action.SEND:
            pause(call, action)
        if call.exchange.is_verifying:
            call.exchange.close()
            raise TypeError("a client with an expected_account needs the JustCallAdapter")
        headers = request.headers
        call.add_headers(headers)
        request.headers = _PairHeaders(headers, call)
        request.hooks["response"].append(functools.partial(self._answered, call, headers))
        return request

    def _answered(
        self, call: Call[Response], headers: CaseInsensitiveDict[str], response: Response, **settings: Any
    ) -> Response:
        """Reports the response, and repeats the request as the exchange requires."""
        request = response.request
        request.headers = headers
        adapter = response.connection
        timeout = settings.pop("timeout", None)
        send = functools.partial(adapter.send, **{**settings, "stream": True})
        with call:
            _report(call, response)
            answered = drive(
                call, lambda: _send(call, _copy(call, request, cast("bytes", request.body)), send, timeout)
            )
        answered.request = request
        return answered


class _PairHeaders(CaseInsensitiveDict[str]):
    """The headers of a request, with the pair only while they are written to the connection.

    urllib3 calls `items` when the connection is open, to write the headers. Nothing else stores the pair.
    """

    def __init__(self, headers: Mapping[str, str], call: Call[Response]) -> None:
        super().__init__(headers)
        self.pop(AUTHORIZATION, None)
        self._call = call
        self.is_sent = False
        """Whether a byte of the request may have been sent."""

    def items(self) -> ItemsView[str, str]:
        self.is_sent = True
        # The pair is first, so that it is not the value that stays in urllib3's variable.
        return {AUTHORIZATION: self._call.exchange.authorization(), **self}.items()

    def copy(self) -> "_PairHeaders":
        # urllib3 copies the headers before it connects.
        return self

    def __repr__(self) -> str:
        return repr(dict(self))


def _read(body: Any) -> Optional[bytes]:
    """Returns the whole body of a request."""
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    parts = [body.read()] if hasattr(body, "read") else body
    return b"".join(part.encode() if isinstance(part, str) else part for part in parts)


def _copy(call: Call[Response], request: PreparedRequest, body: Optional[bytes]) -> PreparedRequest:
    """Returns the request that the exchange sends."""
    exchange = call.exchange
    if exchange.is_verifying:
        return requests.Request(exchange.method, exchange.url, headers=exchange.headers).prepare()
    copy = request.copy()
    copy.body = body
    call.add_headers(copy.headers)
    if body is not None and "Transfer-Encoding" in copy.headers:
        del copy.headers["Transfer-Encoding"]
        copy.headers["Content-Length"] = str(len(body))
    return copy


def _send(
    call: Call[Response],
    request: PreparedRequest,
    send: Callable[..., Response],
    timeout: _Limit,
) -> None:
    """Sends the request once, and reports the result."""
    plain, outer = request.headers, sys.exc_info()[1]
    request.headers = headers = _PairHeaders(plain, call)
    try:
        response = send(request, timeout=_timeout(call, timeout))
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        _report_failure(call, error, outer, headers.is_sent)
    except BaseException:
        call.failed("cancelled", headers.is_sent)
        raise
    else:
        _report(call, response)
    finally:
        request.headers = plain


def _report(call: Call[Response], response: Response) -> None:
    """Reads the body of the response, and reports the response."""
    outer = sys.exc_info()[1]
    body, unusable = b"", None
    try:
        body = _body(call, response)
    except urllib3.exceptions.DecodeError:
        unusable = WRONG_ENCODING
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        return _report_failure(call, error, outer, True)
    except BaseException:
        call.failed("cancelled", True)
        raise
    finally:
        response.close()
    response._content = body
    response._content_consumed = True  # type: ignore[attr-defined]
    headers = response.raw.headers.items() if response.raw is not None else response.headers.items()
    call.answered(response, response.status_code, headers, body, unusable)


def _body(call: Call[Response], response: Response) -> bytes:
    """Reads the body, up to the limit of the call and until its deadline."""
    if response._content:
        return response.content  # A hook of the program has read it.
    # `read` would wait for a whole chunk.
    read = getattr(response.raw, "read1", response.raw.read)
    parts, length = [], 0
    while length < call.limit and (part := read(CHUNK, decode_content=True)):
        parts.append(part)
        length += len(part)
        if call.is_late:
            raise TimeoutError
    return b"".join(parts)


def _timeout(call: Call[Response], timeout: _Limit) -> urllib3.Timeout:
    """Returns the time limits of the program, and the deadline of the call."""
    if isinstance(timeout, urllib3.Timeout):
        connect, read = timeout.connect_timeout, timeout.read_timeout
    else:
        connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    return urllib3.Timeout(total=call.time_left(None), connect=connect, read=read)


def _report_failure(
    call: Call[Response], error: BaseException, outer: Optional[BaseException], request_sent: bool
) -> None:
    """Reports the failure of a request."""
    known = address_or_certificate(error, outer)
    found = list(causes(error, outer))
    if known is not None:
        call.failed(known, request_sent)
    elif any(isinstance(cause, _TIMEOUTS) and not isinstance(cause, _NO_CONNECTION) for cause in found):
        call.failed("timeout", request_sent)
    elif not request_sent:
        call.failed("tls" if isinstance(error, requests.exceptions.SSLError) else "connect", False)
    elif any(_is_not_http(cause) for cause in found):
        call.answered_without_http()
    else:
        call.failed("closed", True)


def _is_not_http(error: BaseException) -> bool:
    """Returns whether the error reports a response head that is not HTTP."""
    if isinstance(error, (http.client.RemoteDisconnected, http.client.IncompleteRead)):
        return False
    return isinstance(error, http.client.HTTPException)
