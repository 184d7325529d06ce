"""A response of the service: status, headers, body and rate limit."""

import codecs
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Optional, Union

from ._headers import Headers

_NO_CHARSETS = frozenset(
    {"idna", "mbcs", "oem", "palmos", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
)
"""Python's encodings that no response uses. Some of them are slow, others emit warnings or always fail."""


@dataclass(frozen=True)
class RateLimit:
    """The account's rate limit, from the headers of a response. A value that they lack is None.

    The service counts requests in a long window. It may also count them in a short window, for bursts. The
    limit applies to the whole account. Immutable, hashable and picklable. Two limits are equal if all their
    values are.
    """

    limit: Optional[int] = None
    """How many requests the long window allows."""

    remaining: Optional[int] = None
    """How many requests are left in the long window."""

    reset: Optional[float] = None
    """When the long window is reset, in seconds since the epoch, as in `time.time`."""

    burst_limit: Optional[int] = None
    """How many requests the short window allows."""

    burst_remaining: Optional[int] = None
    """How many requests are left in the short window."""

    burst_reset: Optional[float] = None
    """When the short window is reset, in seconds since the epoch."""


@dataclass(frozen=True, init=False, repr=False)
class Response:
    """A complete response of the service.

    `repr` shows the status and the length of the body, and not the body, so that it is safe to log. A pickle
    contains the whole response.

    Tests of programs can create responses. Immutable, hashable and picklable. Two responses are equal if all
    their parts are.
    """

    http_status: int
    """The HTTP status, such as 200."""

    headers: Headers = Headers()  # noqa: RUF009 - it is immutable
    """The headers: a mapping that ignores the case of names."""

    body: bytes = b""
    """The body, decompressed."""

    rate_limit: RateLimit = RateLimit()
    """The account's rate limit, from the headers of this response."""

    def __init__(
        self,
        http_status: int,
        headers: Union[Mapping[str, str], Iterable[tuple[str, str]]] = (),
        body: bytes = b"",
        rate_limit: RateLimit = RateLimit(),
    ) -> None:
        known = headers if isinstance(headers, Headers) else Headers(headers)
        # The class is frozen, so its fields are set directly, in their order.
        vars(self).update(http_status=http_status, headers=known, body=body, rate_limit=rate_limit)

    @property
    def text(self) -> str:
        """The body, decoded with the charset of `Content-Type`, otherwise as UTF-8.

        UTF-8 is also used if Python does not know the charset. Bytes that are not valid become U+FFFD.
        """
        # Imported here because it takes a quarter of the package's import time, and few programs need it.
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
        hint = None
        if not self.body:
            hint = "Check http_status before you call json(). This response has no body."
        try:
            return _parsed(self.body)
        except json.JSONDecodeError as failure:
            why = f"{failure.msg} at line {failure.lineno}, column {failure.colno}"
            if self.http_status == 204 and not self.body:
                why = "a response with status 204 (No Content) has no body"
        except UnicodeDecodeError:
            why = "it is not UTF-8"
        except ValueError:
            why = "it contains a number that JSON does not allow, or that has too many digits"
        except RecursionError:
            why = "it is nested too deeply"
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


def _parsed(body: bytes) -> Any:
    """Returns the body, decoded as `json.loads` does it, with one decoder for all bodies."""
    try:
        # Nearly every body is UTF-8. A body in another encoding is not valid JSON if it is decoded as UTF-8.
        text = body.decode()
        value, end = _DECODER.raw_decode(text)
        if not text[end:].strip(" \t\n\r"):
            return value
    except (ValueError, RecursionError):
        pass
    return _DECODER.decode(body.decode(json.detect_encoding(body), "surrogatepass"))


def _refuse(constant: str) -> None:
    """Raises `ValueError` for `NaN` and `Infinity`, which Python accepts but JSON does not."""
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse)
