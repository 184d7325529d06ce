"""An answer of the service: status, headers, body, and what it tells of the rate limit."""

import codecs
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Optional, Union

from ._headers import Headers

_NO_CHARSETS = frozenset(
    {"idna", "mbcs", "oem", "palmos", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
)
"""Encodings of Python's own that no answer comes in: some of them are slow, others warn or always fail."""


@dataclass(frozen=True)
class RateLimit:
    """The account's rate limit, as an answer tells it. What it does not tell is `None`.

    The service has a long window, or only that one, and a short one beside it, for bursts. The limit is for
    the whole account. Immutable, hashable, picklable; equal when every figure is.
    """

    limit: Optional[int] = None
    """How many requests the long window allows."""

    remaining: Optional[int] = None
    """How many of them are left."""

    reset: Optional[float] = None
    """When the long window opens again, in seconds since the epoch, as `time.time` counts them."""

    burst_limit: Optional[int] = None
    """How many requests the short window allows."""

    burst_remaining: Optional[int] = None
    """How many of them are left."""

    burst_reset: Optional[float] = None
    """When the short window opens again, in seconds since the epoch."""


@dataclass(frozen=True, init=False, repr=False)
class Response:
    """An answer of the service, whole.

    `repr` shows the status and how long the body is: what is in it stays out of logs. A pickle holds all
    of it.

    Programs that test what they do with answers may make their own. Immutable, hashable, picklable; equal
    when every part is.
    """

    http_status: int
    """The HTTP status, such as 200."""

    headers: Headers = Headers()  # noqa: RUF009 - it is immutable
    """The headers: a mapping whose names are found in any case."""

    body: bytes = b""
    """The body, decompressed."""

    rate_limit: RateLimit = RateLimit()
    """The account's rate limit, as this answer tells it."""

    def __init__(
        self,
        http_status: int,
        headers: Union[Mapping[str, str], Iterable[tuple[str, str]]] = (),
        body: bytes = b"",
        rate_limit: RateLimit = RateLimit(),
    ) -> None:
        known = headers if isinstance(headers, Headers) else Headers(headers)
        # The class is frozen, and its fields are set in their order.
        vars(self).update(http_status=http_status, headers=known, body=body, rate_limit=rate_limit)

    @property
    def text(self) -> str:
        """The body as text, in the charset that `Content-Type` names, else in UTF-8.

        UTF-8 also stands in for a charset that Python does not know. Bytes that are not of the charset become
        U+FFFD.
        """
        # Here, for it would be a quarter of what the package takes to import, and few ask for text.
        import email.message

        message = email.message.Message()
        message["Content-Type"] = self.headers.get("Content-Type", "")
        charset = message.get_content_charset("utf-8")
        try:
            if codecs.lookup(charset).name not in _NO_CHARSETS:
                return self.body.decode(charset, errors="replace")
        except (LookupError, ValueError):
            pass  # No charset, or no name of one.
        return self.body.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """The body as JSON: a `dict`, `list`, `str`, `int`, `float`, `bool` or `None`.

        Raises `InvalidResponseError`, with this answer as its `response`, when the body is not JSON.
        """
        hint = None
        if not self.body:
            hint = "There is no body: look at http_status before json(), or do without it."
        try:
            return _parsed(self.body)
        except json.JSONDecodeError as failure:
            why = f"{failure.msg} at line {failure.lineno}, column {failure.colno}"
            if self.http_status == 204 and not self.body:
                why = "an answer of status 204 (No Content) has none"
        except UnicodeDecodeError:
            why = "it is not UTF-8"
        except ValueError:
            why = "it holds a number that JSON does not have, or an endless one"
        except RecursionError:
            why = "it is nested too deeply"
        # Here, for the exceptions have answers.
        from ._errors import InvalidResponseError

        # Raised out here because what was caught holds the body.
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
    """What `json.loads` makes of the body, with one decoder for all of them."""
    try:
        # Nearly every body. One in another encoding is no JSON when it is taken for UTF-8.
        text = body.decode()
        value, end = _DECODER.raw_decode(text)
        if not text[end:].strip(" \t\n\r"):
            return value
    except (ValueError, RecursionError):
        pass
    return _DECODER.decode(body.decode(json.detect_encoding(body), "surrogatepass"))


def _refuse(constant: str) -> None:
    """Refuses `NaN` and `Infinity`, which Python reads but JSON does not have."""
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse)
