"""Requests that the library or the service refuses, and their errors."""

from __future__ import annotations

import decimal
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from justcall_auth import Client, Credentials, RateLimit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support import Sandbox

ECHO = "/v2.1/echo"


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """Returns a client of the sandbox without retries."""
    with sandbox.client(max_retries=0) as client:
        yield client


def itself() -> list[object]:
    """Returns a list that contains itself."""
    value: list[object] = []
    value.append(value)
    return value


def nested(depth: int) -> object:
    """Returns nested lists."""
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


def released() -> memoryview:
    """Returns a released view."""
    view = memoryview(b"abc")
    view.release()
    return view


RESERVED = [
    "Authorization",
    "host",
    "Content-Length",
    "TRANSFER-ENCODING",
    "Connection",
    "Proxy-Authorization",
]

IMPOSSIBLE: list[tuple[str, str, dict[str, Any]]] = [
    *[("GET", path, {}) for path in ("", "v2.1/echo", "https://evil.example/", "//evil.example", "/\\evil")],
    *[("GET", path, {}) for path in ("/../x", "/%2e%2E/x", "/%2f/evil", "/a b", "/a#b", "/ä", "/\ud800")],
    *[("GET", path, {}) for path in ("/a\r\nX: y", "/a\0", "/a%0d%0aX", "/%00", "/%zz", "/" + "a" * 10_000)],
    *[(method, ECHO, {}) for method in ("", "get", "GET ", "G\r\nET", "CONNECT", "TRACE", "GET\ud800")],
    *[
        ("GET", ECHO, {"headers": {name: "x"}})
        for name in (*RESERVED, "", "a b", "a:", "a\r\n", "ä", "a\ud800")
    ],
    *[
        ("GET", ECHO, {"headers": {"X": value}})
        for value in ("a\r\nb", "a\nb", "a\0b", " a", "a\t", "a\udcff")
    ],
    *[
        ("GET", ECHO, {"params": {"a": value}})
        for value in (float("nan"), float("inf"), 10**10_000, "\ud800")
    ],
    *[
        ("GET", ECHO, {"params": params})
        for params in ({"\udcff": 1}, {"a": "x" * 10_000}, {"a": range(5000)})
    ],
    *[("POST", ECHO, {"json": value}) for value in (float("nan"), [float("-inf")], "\ud800", itself())],
    ("POST", ECHO, {"json": nested(100_000)}),
    ("POST", ECHO, {"data": "\ud800"}),
    ("POST", ECHO, {"data": released()}),
    ("POST", ECHO, {"data": b"", "json": 1}),
    *[("GET", ECHO, {"timeout": timeout}) for timeout in (-1, float("nan"), float("inf"), 10**400)],
]


@pytest.mark.parametrize(("method", "path", "contents"), IMPOSSIBLE, ids=range(len(IMPOSSIBLE)))
def test_it_refuses_invalid_values_and_sends_nothing(
    client: Client, sandbox: Sandbox, method: str, path: str, contents: dict[str, Any]
) -> None:
    with pytest.raises(justcall_auth.InvalidArgumentError) as caught:
        client.request(method, path, **contents)
    assert isinstance(caught.value, ValueError)
    assert (caught.value.request_sent, caught.value.response) == (False, None)
    assert caught.value.__context__ is None
    assert len(str(caught.value)) < 1000
    assert sandbox.requests() == []


WRONG_TYPES: list[tuple[str, dict[str, Any]]] = [
    *[
        ("params", {"params": params})
        for params in (1, "a=1", b"a=1", ["a"], [("a",)], [("a", 1, 2)], {1: 2})
    ],
    *[("params", {"params": {"a": value}}) for value in (b"1", {"b": 1}, {1}, [[1]], decimal.Decimal(1))],
    *[
        ("headers", {"headers": headers})
        for headers in (1, "a: b", ["a"], {"a": 1}, {"a": None}, {b"a": "b"})
    ],
    *[("data", {"data": data}) for data in (1, ["a"], {"a": "b"}, object())],
    *[("timeout", {"timeout": timeout}) for timeout in ("1", [1])],
    ("path", {"path": b"/v2.1/echo"}),
    ("path", {"path": None}),
    ("method", {"method": b"GET"}),
    ("method", {"method": None}),
]


@pytest.mark.parametrize(("name", "arguments"), WRONG_TYPES, ids=range(len(WRONG_TYPES)))
def test_it_names_the_argument_of_a_wrong_type_and_sends_nothing(
    client: Client, sandbox: Sandbox, name: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(TypeError, match=rf"^{name} must be .+, not \w+"):
        client.request(**{"method": "GET", "path": ECHO, **arguments})
    assert sandbox.requests() == []


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", object(), {(1, 2): 3}])
def test_it_names_the_type_that_json_does_not_have(client: Client, sandbox: Sandbox, value: object) -> None:
    with pytest.raises(TypeError, match=r"JSON serializable|keys must be"):
        client.post(ECHO, json=value)
    assert sandbox.requests() == []


def test_it_raises_the_exceptions_of_the_arguments_unchanged(client: Client, sandbox: Sandbox) -> None:
    class Broken:
        def items(self) -> Any:
            raise ZeroDivisionError

    wrong: Any = Broken()
    for contents in ({"params": wrong}, {"headers": wrong}):
        with pytest.raises(ZeroDivisionError):
            client.get(ECHO, **contents)
    assert sandbox.requests() == []


def test_it_refuses_arguments_that_it_does_not_know(client: Client) -> None:
    wrong: Any = {"body": b""}
    with pytest.raises(TypeError, match="body"):
        client.post(ECHO, **wrong)
    positional: Any = (ECHO, {"a": 1})
    with pytest.raises(TypeError):
        client.get(*positional)


KINDS = [
    (302, justcall_auth.RedirectRefusedError),
    (400, justcall_auth.BadRequestError),
    (403, justcall_auth.ForbiddenError),
    (404, justcall_auth.NotFoundError),
    (409, justcall_auth.BadRequestError),
    (422, justcall_auth.UnprocessableError),
    (429, justcall_auth.RateLimitedError),
    (500, justcall_auth.ServerError),
    (503, justcall_auth.UnavailableError),
    (600, justcall_auth.InvalidResponseError),
]


@pytest.mark.parametrize(("status", "kind"), KINDS)
def test_an_error_has_its_response(
    client: Client, sandbox: Sandbox, status: int, kind: type[justcall_auth.JustCallError]
) -> None:
    body = {"status": "error", "message": "No.", "errors": {"to": ["is not a number"]}}
    sandbox.fault("answer", status=status, body=body, headers={"X-Note": ["one", "two"], "Retry-After": "9"})
    with pytest.raises(kind) as caught:
        client.post(ECHO, json={"to": "x"})
    response = caught.value.response
    assert response is not None
    assert (caught.value.http_status, response.http_status) == (status, status)
    assert response.json() == body
    assert response.headers.get_all("x-note") == ["one", "two"]
    assert caught.value.service_message == ("No." if status != 302 else caught.value.service_message)
    assert caught.value.request_sent


def test_an_error_has_a_body_that_is_not_json(client: Client, sandbox: Sandbox) -> None:
    sandbox.fault("answer", status=502, body="<html>Bad Gateway", content_type="text/html")
    with pytest.raises(justcall_auth.UnavailableError) as caught:
        client.get(ECHO)
    assert caught.value.response is not None
    assert caught.value.response.text == "<html>Bad Gateway"


def test_an_error_without_a_response_has_none(client: Client, sandbox: Sandbox) -> None:
    sandbox.fault("close_after_request")
    with pytest.raises(justcall_auth.ConnectionFailedError) as caught:
        client.post(ECHO)
    assert (caught.value.response, caught.value.request_sent) == (None, True)


def test_an_error_of_classify_has_the_response() -> None:
    with pytest.raises(justcall_auth.UnprocessableError) as caught:
        justcall_auth.classify(422, {"X-RateLimit-Reset": "60"}, memoryview(b'{"errors": []}'))
    response = caught.value.response
    assert response is not None
    assert (response.http_status, response.headers["x-ratelimit-reset"]) == (422, "60")
    assert response.json() == {"errors": []}
    assert response.rate_limit.reset == pytest.approx(time.time() + 60, abs=5)


def test_it_retries_a_post_only_if_the_rate_limit_refused_it(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        sandbox.fault("answer", status=503, times=1)
        with pytest.raises(justcall_auth.UnavailableError):
            client.post(ECHO, json={})
        assert len(sandbox.requests()) == 1
        sandbox.fault("answer", status=429, headers={"Retry-After": "0"}, times=1)
        assert client.post(ECHO, json={"a": 1}).json()["body_bytes"] == 7
        sandbox.fault("answer", status=503, times=1)
        client.put(ECHO, json={})
    assert [request["status"] for request in sandbox.requests()] == [503, 429, 200, 503, 200]


@pytest.mark.parametrize(
    ("method", "status", "then"),
    [("PUT", 413, "hang"), ("POST", 401, "reset"), ("PATCH", 503, "close")],
)
def test_it_reports_a_refusal_that_comes_during_an_upload(
    sandbox: Sandbox, method: str, status: int, then: str
) -> None:
    # A rejected pair is not sent again for 30 seconds, so this pair is not used by another test.
    made = sandbox.control("POST", "pairs", {})
    pair = Credentials(made["api_key"], made["api_secret"])
    early = {"after_bytes": 1 << 20, "then": then}
    sandbox.fault("answer", status=status, body={"message": "Enough."}, early=early)
    with (
        sandbox.client(pair, max_retries=0) as client,
        pytest.raises(justcall_auth.JustCallError) as caught,
    ):
        client.request(method, ECHO, data=bytes(16 << 20))
    error = caught.value
    assert (error.http_status, error.request_sent) == (status, True)
    assert error.service_message == "Enough."
    assert [request["body_complete"] for request in sandbox.requests()] == [False]


def test_it_retries_an_upload_that_the_rate_limit_refused_early(sandbox: Sandbox) -> None:
    early = {"after_bytes": 1 << 20, "then": "reset"}
    sandbox.fault("answer", status=429, headers={"Retry-After": "0"}, early=early, times=1)
    with sandbox.client() as client:
        assert client.post(ECHO, data=bytes(16 << 20)).json()["body_bytes"] == 16 << 20
    assert [request["status"] for request in sandbox.requests()] == [429, 200]


def test_it_reads_the_rate_limit_in_the_spelling_of_the_article(sandbox: Sandbox) -> None:
    made = sandbox.control("POST", "pairs", {"plan": "Pro"})
    with sandbox.client(Credentials(made["api_key"], made["api_secret"])) as client:
        assert client.rate_limit is None
        rate_limit = client.get(ECHO).rate_limit
        assert rate_limit == client.rate_limit
    assert (rate_limit.limit, rate_limit.remaining) == (120, 119)
    assert (rate_limit.burst_limit, rate_limit.burst_remaining, rate_limit.burst_reset) == (None, None, None)
    assert rate_limit.reset is not None
    assert 0 <= rate_limit.reset - time.time() + 1 <= 62


def test_it_reads_the_rate_limit_in_the_measured_spelling(measured_sandbox: Sandbox) -> None:
    made = measured_sandbox.control("POST", "pairs", {"plan": "Pro"})
    with measured_sandbox.client(Credentials(made["api_key"], made["api_secret"])) as client:
        rate_limit = client.get(ECHO).rate_limit
        assert rate_limit == client.rate_limit
        assert (rate_limit.limit, rate_limit.remaining) == (3600, 3599)
        assert (rate_limit.burst_limit, rate_limit.burst_remaining) == (60, 59)
        assert rate_limit.reset is not None
        assert rate_limit.burst_reset is not None
        assert time.time() - 1 <= rate_limit.burst_reset <= rate_limit.reset <= time.time() + 3601
        assert client.verify().verified_by == "/v2.1/users?per_page=1"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, RateLimit()),
        ({"X-RateLimit-Limit": "many", "X-RateLimit-Remaining": "-1"}, RateLimit()),
        ({"X-Rate-Limit-Reset": "1800000009"}, RateLimit(reset=1_800_000_009.0)),
        ({"X-Rate-Limit-Burst-Reset": "1800000009500"}, RateLimit(burst_reset=1_800_000_009.5)),
        ({"X-RateLimit-Reset": str(2**64 - 1)}, RateLimit(reset=float((2**64 - 1) // 1000))),
        ({"X-RateLimit-Limit": str(2**64 - 1)}, RateLimit(limit=2**64 - 1)),
    ],
    ids=range(6),
)
def test_it_reads_an_incomplete_rate_limit(
    sandbox: Sandbox, client: Client, headers: dict[str, str], expected: RateLimit
) -> None:
    sandbox.fault("answer", status=200, body={}, headers=headers)
    rate_limit = client.get(ECHO).rate_limit
    assert rate_limit.reset == (None if expected.reset is None else pytest.approx(expected.reset, rel=1e-9))
    assert RateLimit(**{**vars(rate_limit), "reset": expected.reset}) == expected


def test_the_rate_limit_of_a_client_is_that_of_its_last_response_even_of_an_error(
    sandbox: Sandbox, client: Client
) -> None:
    calls: list[Callable[[], object]] = [lambda: client.get(ECHO), client.verify]
    for number, call in enumerate(calls):
        sandbox.fault("answer", status=429, headers={"X-RateLimit-Remaining": str(number)}, times=1)
        with pytest.raises(justcall_auth.RateLimitedError) as caught:
            call()
        assert client.rate_limit == RateLimit(remaining=number)
        assert caught.value.response is not None
        assert caught.value.response.rate_limit == client.rate_limit
    sandbox.fault("close_after_request")
    with pytest.raises(justcall_auth.ConnectionFailedError):
        client.get(ECHO)
    assert client.rate_limit == RateLimit(remaining=1)
    client.close()
    assert client.rate_limit == RateLimit(remaining=1)


def test_it_sends_no_request_with_the_pair_of_another_account(sandbox: Sandbox) -> None:
    made = sandbox.control("POST", "pairs", {"account_id": 67890})
    credentials = Credentials(made["api_key"], made["api_secret"])
    with sandbox.client(credentials, expected_account=67890) as client:
        client.get(ECHO)
        assert client.verify().id == 67890
    before = len(sandbox.requests())
    with sandbox.client(credentials, expected_account=12345) as client:
        for call in (client.verify, lambda: client.post(ECHO, json={})):
            with pytest.raises(justcall_auth.WrongAccountError, match=r"67890.+12345") as caught:
                call()
            assert caught.value.code == 14
    paths = {request["path"] for request in sandbox.requests()[before:]}
    assert paths == {"/v2/account"}


def test_a_rejected_pair_is_not_sent_again_for_a_while(sandbox: Sandbox) -> None:
    key = sandbox.control("POST", "pairs", {})["api_key"]
    wrong = Credentials(key, "0" * 40)
    with sandbox.client(wrong) as client:
        with pytest.raises(justcall_auth.InvalidCredentialsError) as caught:
            client.get(ECHO)
        assert (caught.value.request_sent, caught.value.http_status) == (True, 401)
        assert caught.value.response is not None
    arrived = len(sandbox.requests())
    # This applies to every client of the process, as in a program that creates one for each request.
    for credentials in (wrong, Credentials(key, "0" * 40)):
        with sandbox.client(credentials) as client:
            for call in (lambda: client.get(ECHO), client.verify):
                with pytest.raises(justcall_auth.InvalidCredentialsError) as caught:
                    call()
                assert (caught.value.request_sent, caught.value.response) == (False, None)
                assert caught.value.retry_after is not None
                assert 0 < caught.value.retry_after <= 30
    assert len(sandbox.requests()) == arrived
    with sandbox.client() as client:
        client.get(ECHO)


def test_an_empty_proxy_means_no_proxy(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for proxy in ("http://127.0.0.1:1", "http://user:password@127.0.0.1:1"):
        with sandbox.client(proxy=proxy, max_retries=0) as client:
            with pytest.raises(justcall_auth.ConnectionFailedError) as caught:
                client.get(ECHO)
            assert caught.value.request_sent is False
            assert "password" not in str(caught.value)
    assert sandbox.requests() == []
    # A proxy that is not usable is an error only if it would be used. Loopback hosts use none.
    monkeypatch.setenv("HTTPS_PROXY", "ftp://127.0.0.1:1")
    with pytest.raises(justcall_auth.InvalidArgumentError, match="HTTPS_PROXY"):
        justcall_auth.Client()
    with sandbox.client() as client:
        assert json.loads(client.get(ECHO).text)["status"] == "success"
    monkeypatch.setenv("NO_PROXY", "other.example, justcall.io:443")
    justcall_auth.Client().close()
    with sandbox.client(proxy="") as client:
        assert json.loads(client.get(ECHO).text)["status"] == "success"
