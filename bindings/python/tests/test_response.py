"""`Response`, `Headers` and `RateLimit`."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from justcall_auth import Headers, RateLimit, Response

if TYPE_CHECKING:
    from collections.abc import Callable

PAIRS = [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("X-Note", "one"), ("set-cookie", "b=2")]


def pickled_with(protocol: int) -> Callable[[Any], Any]:
    """Returns a copy made by pickling."""
    return lambda thing: pickle.loads(pickle.dumps(thing, protocol))


DUPLICATES = [copy.copy, copy.deepcopy, *map(pickled_with, range(pickle.HIGHEST_PROTOCOL + 1))]


def typed(content_type: str, body: bytes) -> Response:
    """Returns a response with this content type."""
    return Response(200, Headers({"content-type": content_type}), body)


def test_it_finds_a_header_in_any_case() -> None:
    headers = Headers(PAIRS)
    for name in ("Content-Type", "content-type", "CONTENT-TYPE"):
        assert headers[name] == "text/plain"
        assert name in headers
        assert headers.get(name) == "text/plain"
    assert headers.get("X-Absent") is None
    assert "X-Absent" not in headers
    assert 1 not in headers  # type: ignore[comparison-overlap]
    with pytest.raises(KeyError, match="X-Absent") as caught:
        headers["X-Absent"]
    assert caught.value.__cause__ is None


def test_it_has_the_first_of_repeated_headers_and_returns_all_of_them() -> None:
    headers = Headers(PAIRS)
    assert headers["set-cookie"] == "a=1"
    assert headers.get_all("SET-COOKIE") == ["a=1", "b=2"]
    assert headers.get_all("X-Absent") == []
    assert headers.multi_items() == PAIRS
    assert list(headers) == ["Content-Type", "Set-Cookie", "X-Note"]
    assert list(headers.items()) == PAIRS[:3]
    assert len(headers) == 3


def test_headers_are_equal_if_names_in_any_case_and_values_are() -> None:
    headers = Headers(PAIRS)
    same = Headers([PAIRS[1], ("CONTENT-TYPE", "text/plain"), *PAIRS[2:]])
    assert headers == same
    assert hash(headers) == hash(same)
    assert Headers({"A": "1"}) == {"a": "1"}
    assert Headers({"A": "1"}) != {"a": "2"}
    assert Headers({"A": "1"}) != {1: "1"}
    assert Headers({"A": "1"}) != [("A", "1")]
    assert headers != dict(headers)
    assert headers != Headers([*PAIRS[:1], PAIRS[3], PAIRS[2], PAIRS[1]])
    assert Headers() == {}


def test_the_repr_of_headers_shows_only_names() -> None:
    assert repr(Headers(PAIRS)) == "<Headers Content-Type, Set-Cookie, X-Note, set-cookie>"
    assert repr(Headers()) == "<Headers >"


@pytest.mark.parametrize("duplicate", DUPLICATES)
def test_a_response_is_a_value(duplicate: Callable[[Any], Any]) -> None:
    limit = RateLimit(120, 119, 1_800_000_000.0, 60, 59, 1_700_000_000.5)
    response = Response(201, Headers(PAIRS), b"canary", limit)
    again = duplicate(response)
    assert again == response
    assert again.headers.multi_items() == PAIRS
    assert (again.body, again.rate_limit) == (b"canary", limit)
    assert len({response, again}) == 1
    assert response != Response(201, Headers(PAIRS), b"other", limit)


def test_a_response_cannot_be_changed() -> None:
    response: Any = Response(200)
    for change in (
        lambda: setattr(response, "body", b"x"),
        lambda: setattr(response.rate_limit, "limit", 1),
        lambda: response.headers.__setitem__("a", "b"),
    ):
        with pytest.raises((dataclasses.FrozenInstanceError, AttributeError)):
            change()


def test_its_repr_shows_the_status_and_the_length_of_the_body() -> None:
    response = Response(200, Headers(PAIRS), b"canary")
    assert repr(response) == str(response) == f"{response}" == "<Response 200, 6 bytes>"


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("application/json", "ä€".encode(), "ä€"),
        ("", "ä".encode(), "ä"),
        ("text/html; charset=ISO-8859-1", b"\xe4", "ä"),
        ('text/html; charset="windows-1252"', b"\x80", "€"),
        ("text/html; charset=utf-16", "ä".encode("utf-16"), "ä"),
        ("text/html; charset=utf-8", b"a\xffb", "a\ufffdb"),
        ("text/html; charset=ascii", b"a\xe4", "a\ufffd"),
        ("text/html; charset=no-such", "ä".encode(), "ä"),
        ("text/html; charset=", "ä".encode(), "ä"),
        ("text/html; charset=a\0b", "ä".encode(), "ä"),
        ("text/html; charset=hex", b"6162", "6162"),
        ("text/html; charset=rot13", b"abc", "abc"),
        ("text/html; charset=unicode_escape", b"\\d", "\\d"),
        ("text/html; charset=idna", b"xn--4ca", "xn--4ca"),
        ("text/html; charset=undefined", b"abc", "abc"),
        (";;;=;charset", b"abc", "abc"),
    ],
)
def test_it_decodes_text_with_the_charset_of_the_type_otherwise_as_utf_8(
    content_type: str, body: bytes, text: str
) -> None:
    assert typed(content_type, body).text == text


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, 2.5, "\xc3\xa4", null, true]}', {"a": [1, 2.5, "ä", None, True]}),
        (b" null\n", None),
        ('"ä"'.encode("utf-8-sig"), "ä"),
        ('{"ä": [1]}'.encode("utf-16"), {"ä": [1]}),
        ('{"a": [1]}'.encode("utf-16-le"), {"a": [1]}),
        ('{"a": [1]}'.encode("utf-16-be"), {"a": [1]}),
        ('["a"]'.encode("utf-32"), ["a"]),
        ('["a"]'.encode("utf-32-le"), ["a"]),
        (b'["\xed\xa0\x80"]', ["\ud800"]),
        (b"[1] \t\r\n", [1]),
        (b"[]", []),
    ],
)
def test_it_decodes_json_with_any_content_type(body: bytes, value: object) -> None:
    assert typed("text/html", body).json() == value


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "Expecting value at line 1, column 1"),
        (b"<html>", "Expecting value at line 1, column 1"),
        (b'{"a": 1}\n}', "Extra data at line 2, column 1"),
        (b"[1] \xc2\xa0", "Extra data at line 1, column 5"),
        (b"[1]\0", "Extra data at line 1, column 4"),
        (b'["a\0"]', "Invalid control character at at line 1, column 4"),
        (b'"\xff"', "it is not UTF-8"),
        (b"[NaN]", "a number that JSON does not allow"),
        (b"-Infinity", "a number that JSON does not allow"),
        (b"[" * 1_000_000, "it is nested too deeply"),
    ],
    ids=range(10),
)
def test_it_raises_if_the_body_is_not_json(body: bytes, why: str) -> None:
    response = typed("application/json", body)
    with pytest.raises(justcall_auth.InvalidResponseError) as caught:
        response.json()
    assert why in caught.value.message
    assert (caught.value.http_status, caught.value.request_sent) == (200, True)
    assert caught.value.response is response
    assert caught.value.__context__ is None


def test_an_unknown_value_of_the_rate_limit_is_none() -> None:
    assert dataclasses.astuple(RateLimit()) == (None,) * 6
    assert Response(200).rate_limit == RateLimit()
