"""A response of the service: status, headers, body and rate limit."""

import codecs

from ._headers import Headers
from ._typing import Any, Callable, Iterable, Mapping, Optional, Union
from ._value import Value

_NO_CHARSETS = frozenset(
    {"idna", "mbcs", "oem", "palmos", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
)
"""Python's encodings that no response uses. Some of them are slow, others emit warnings or always fail."""


class RateLimit(Value):
    """The account's rate limit, from the headers of a response. A value that they lack is None.

    The service counts requests in a long window. It may also count them in a short window, for bursts. The
    limit applies to the whole account. Immutable, hashable and picklable. Two limits are equal if all their
    values are.
    """

    __module__ = "justcall_auth"
    __match_args__ = ("limit", "remaining", "reset", "burst_limit", "burst_remaining", "burst_reset")

    limit: Optional[int]
    """How many requests the long window allows."""

    remaining: Optional[int]
    """How many requests are left in the long window."""

    reset: Optional[float]
    """When the long window is reset, in seconds since the epoch, as in `time.time`."""

    burst_limit: Optional[int]
    """How many requests the short window allows."""

    burst_remaining: Optional[int]
    """How many requests are left in the short window."""

    burst_reset: Optional[float]
    """When the short window is reset, in seconds since the epoch."""

    def __init__(
        self,
        limit: Optional[int] = None,
        remaining: Optional[int] = None,
        reset: Optional[float] = None,
        burst_limit: Optional[int] = None,
        burst_remaining: Optional[int] = None,
        burst_reset: Optional[float] = None,
    ) -> None:
        self._set(
            limit=limit,
            remaining=remaining,
            reset=reset,
            burst_limit=burst_limit,
            burst_remaining=burst_remaining,
            burst_reset=burst_reset,
        )


class Response(Value):
    """A complete response of the service.

    `repr` shows the status and the length of the body, and not the body, so that it is safe to log. A pickle
    contains the whole response.

    Tests of programs can create responses. Immutable, hashable and picklable. Two responses are equal if all
    their parts are.
    """

    __module__ = "justcall_auth"
    __match_args__ = ("http_status", "headers", "body", "rate_limit")

    http_status: int
    """The HTTP status, such as 200."""

    headers: Headers
    """The headers: a mapping that ignores the case of names."""

    body: bytes
    """The body, decompressed."""

    rate_limit: RateLimit
    """The account's rate limit, from the headers of this response."""

    def __init__(
        self,
        http_status: int,
        headers: Union[Mapping[str, str], Iterable[tuple[str, str]]] = (),
        body: bytes = b"",
        rate_limit: RateLimit = RateLimit(),  # noqa: B008 - it is immutable
    ) -> None:
        known = headers if isinstance(headers, Headers) else Headers(headers)
        self._set(http_status=http_status, headers=known, body=body, rate_limit=rate_limit)

    @property
    def text(self) -> str:
        """The body, decoded with the charset of `Content-Type`, otherwise as UTF-8.

        UTF-8 is also used if Python does not know the charset. Bytes that are not valid become U+FFFD.
        """
        # Imported here because it takes long, and few programs need it.
        import email.message

        message = email.message.Message()
        message["Content-Type"] = self.headers.get("Content-Type", "")
        charset = message.get_content_charset("utf-8")
        try:
            if codecs.lookup(charset).name not in _NO_CHARSETS:
                return self.body.decode(charset, errors="replace")
        except (LookupError, ValueError):
            pass  # An unknown charset, or a text that cannot name one.
        return self.body.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """Returns the body, decoded from JSON: a `dict`, `list`, `str`, `int`, `float`, `bool` or None.

        Raises `InvalidResponseError`, with this response as its `response`, if the body is not JSON.
        """
        try:
            return _decoder()(self.body)
        except (ValueError, RecursionError) as failure:
            from ._json import fault

            why = fault(failure)
        hint = None
        if not self.body:
            hint = "Check http_status before you call json(). This response has no body."
            if self.http_status == 204:
                why = "a response with status 204 (No Content) has no body"
        # Imported here because the exceptions import this module.
        from ._errors import InvalidResponseError

        # Raised outside the `except` blocks, to not chain the caught exception: it contains the body.
        raise InvalidResponseError(
            f"The body is not JSON: {why}.",
            hint=hint,
            http_status=self.http_status,
            request_sent=True,
            response=self,
        )

    def __repr__(self) -> str:
        return f"<Response {self.http_status}, {len(self.body)} bytes>"


_decode: Optional[Callable[[bytes], Any]] = None


def _decoder() -> Callable[[bytes], Any]:
    """Returns the decoder of JSON. It is imported at the first use, because many programs decode no body."""
    global _decode
    if _decode is None:
        from ._json import decode

        _decode = decode
    return _decode
