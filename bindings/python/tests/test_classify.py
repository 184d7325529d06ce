"""`classify`: the error for a response to a request that the program sent itself."""

from __future__ import annotations

import email.message
import types
from typing import Any

import pytest

import justcall_auth
from justcall_auth import classify

LIMITED = b'{"status":"error","message":"Rate limit exceeded.","error_code":"RATE_LIMIT_EXCEEDED"}'


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, justcall_auth.RedirectRefusedError),
        (400, justcall_auth.BadRequestError),
        (401, justcall_auth.InvalidCredentialsError),
        (403, justcall_auth.ForbiddenError),
        (404, justcall_auth.NotFoundError),
        (418, justcall_auth.BadRequestError),
        (422, justcall_auth.UnprocessableError),
        (429, justcall_auth.RateLimitedError),
        (500, justcall_auth.ServerError),
        (503, justcall_auth.UnavailableError),
        (0, justcall_auth.InvalidResponseError),
        (100, justcall_auth.InvalidResponseError),
        (65535, justcall_auth.InvalidResponseError),
    ],
)
def test_it_raises_the_error_of_the_status(status: int, kind: type[justcall_auth.JustCallError]) -> None:
    with pytest.raises(kind) as caught:
        classify(status, {}, b"<html>")
    assert caught.value.http_status == status
    assert caught.value.request_sent is True


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_it_returns_nothing_for_a_success(status: int) -> None:
    assert classify(status, {}, b"") is None  # type: ignore[func-returns-value]


def message_headers() -> email.message.Message:
    """Returns the headers as `urllib` and `http.client` do."""
    headers = email.message.Message()
    headers["Retry-After"] = "45"
    return headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "45"},
        {"retry-after": "45"},
        {b"RETRY-AFTER": b"45"},
        [("Retry-After", "45")],
        [("x", b"\xff"), (b"retry-after", b"45")],
        types.MappingProxyType({"Retry-After": "45"}),
        message_headers(),
        {"Retry-After": "45"}.items(),
    ],
    ids=lambda headers: type(headers).__name__,
)
@pytest.mark.parametrize("body", [LIMITED, bytearray(LIMITED), LIMITED.decode()])
def test_it_reads_the_headers_and_body_of_every_common_client(headers: Any, body: Any) -> None:
    with pytest.raises(justcall_auth.RateLimitedError) as caught:
        classify(429, headers, body)
    assert caught.value.retry_after == 45.0
    assert caught.value.service_message == "Rate limit exceeded."
    assert caught.value.retryable


def test_it_accepts_an_iterator_of_headers() -> None:
    with pytest.raises(justcall_auth.RateLimitedError) as caught:
        classify(429, iter([("Retry-After", "45")]), b"")
    assert caught.value.retry_after == 45.0


@pytest.mark.parametrize("status", [-1, 65536, 10**30])
def test_it_refuses_an_impossible_status(status: int) -> None:
    with pytest.raises(justcall_auth.InvalidArgumentError, match="http_status is not between 0 and 65535"):
        classify(status, {}, b"")


@pytest.mark.parametrize(
    "arguments",
    [
        ("401", {}, b""),
        (401.0, {}, b""),
        (None, {}, b""),
        (401, None, b""),
        (401, 1, b""),
        (401, {"Retry-After": 45}, b""),
        (401, {1: "45"}, b""),
        (401, ["Retry-After"], b""),
        (401, [("Retry-After",)], b""),
        (401, {}, None),
        (401, {}, 1),
        (401, {}, ["x"]),
    ],
)
def test_it_refuses_other_types(arguments: Any) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        classify(*arguments)
    assert not isinstance(caught.value, justcall_auth.JustCallError)


@pytest.mark.parametrize("arguments", [(401, {"x": "\ud800"}, b""), (401, {}, "\ud800")])
def test_it_refuses_text_without_an_encoding(arguments: Any) -> None:
    with pytest.raises(justcall_auth.InvalidArgumentError, match="surrogate"):
        classify(*arguments)


def test_it_raises_the_exceptions_of_the_headers_unchanged() -> None:
    class Broken:
        def items(self) -> Any:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        classify(401, Broken(), b"")


def test_it_accepts_huge_bodies_and_truncates_the_message_of_the_service() -> None:
    with pytest.raises(justcall_auth.ServerError) as caught:
        classify(500, {}, b'{"message": "' + b"y" * 1_000_000 + b'"}')
    assert caught.value.service_message == "y" * 512
