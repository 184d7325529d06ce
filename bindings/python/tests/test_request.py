"""The content of requests, as the sandbox's echo reports it."""

from __future__ import annotations

import base64
import collections
import enum
import json
import threading
import types
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from justcall_auth import Client, Response
from support import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support import Sandbox

ECHO = "/v2.1/echo"
LARGE = 16 * 1024 * 1024


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """Returns a client of the sandbox."""
    with sandbox.client() as client:
        yield client


def body_of(response: Response) -> bytes:
    """Returns the body that arrived."""
    return base64.b64decode(response.json()["body_base64"], validate=True)


def headers_of(response: Response) -> dict[str, str]:
    """Returns the headers that arrived, names in lower case. Fails if one is repeated."""
    pairs = [(name.lower(), value) for name, value in response.json()["headers"]]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def query_of(response: Response) -> Any:
    """Returns the query that arrived."""
    return response.json()["query"]


@pytest.mark.parametrize(
    ("method", "short_form"),
    [("GET", Client.get), ("POST", Client.post), ("PUT", Client.put), ("DELETE", Client.delete)],
)
def test_each_short_form_is_request_with_its_method(
    client: Client, method: str, short_form: Callable[..., Response]
) -> None:
    contents: dict[str, Any] = {
        "params": {"a": 1},
        "json": {"b": 2},
        "headers": {"X-Note": "three"},
        "timeout": 20,
    }
    for response in (short_form(client, ECHO, **contents), client.request(method, ECHO, **contents)):
        assert response.http_status == 200
        assert response.json()["method"] == method
        assert query_of(response) == "a=1"
        assert body_of(response) == b'{"b":2}'
        assert headers_of(response)["x-note"] == "three"
    assert body_of(short_form(client, ECHO, data=b"raw")) == b"raw"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"])
def test_it_sends_every_method(client: Client, sandbox: Sandbox, method: str) -> None:
    response = client.request(method, ECHO)
    assert (sandbox.requests()[-1]["method"], response.http_status) == (method, 200)
    assert (response.body == b"") == (method == "HEAD")


def test_it_accepts_a_url_under_the_base_url(client: Client, sandbox: Sandbox) -> None:
    link = f"{sandbox.url}{ECHO}?page=2"
    for call in (client.get, client.post, client.put, client.delete):
        assert query_of(call(link)) == "page=2"
    assert query_of(client.request("PATCH", link, params={"per_page": 5})) == "page=2&per_page=5"
    with client.exchange("GET", link) as exchange:
        assert (exchange.method, exchange.url) == ("GET", link)
    assert query_of(client.get(link.replace("https", "HTTPS", 1))) == "page=2"


def test_it_follows_the_link_to_the_next_page(client: Client, sandbox: Sandbox) -> None:
    page = {"data": [1], "next_page_link": f"{sandbox.url}/v2.1/calls?page=1"}
    sandbox.fault("answer", status=200, body=page, path="/v2.1/calls", times=1)
    client.get(client.get("/v2.1/calls").json()["next_page_link"])
    assert [request["path"] for request in sandbox.requests()] == ["/v2.1/calls"] * 2


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v2.1/echo",
        "{base}.evil.example/v2.1/echo",
        "{base}@evil.example/v2.1/echo",
        "{base}\\@evil.example/v2.1/echo",
        "{base}//evil.example/v2.1/echo",
        "{base}/v2/../v2.1/echo",
        "{base}/v2.1/echo#fragment",
        "http{base_without_scheme}/v2.1/echo",
        "{without_port}/v2.1/echo",
        "file:///etc/passwd",
    ],
)
def test_it_refuses_any_other_url(client: Client, sandbox: Sandbox, url: str) -> None:
    url = url.format(
        base=sandbox.url,
        base_without_scheme=sandbox.url.removeprefix("https"),
        without_port=sandbox.url.rpartition(":")[0],
    )
    calls: list[Callable[[], object]] = [
        lambda: client.get(url),
        lambda: client.request("PATCH", url),
        lambda: client.exchange("GET", url),
    ]
    for call in calls:
        with pytest.raises(justcall_auth.InvalidArgumentError) as caught:
            call()
        assert "evil" not in str(caught.value)
    assert sandbox.requests() == []


Colour = enum.IntEnum("Colour", {"RED": 3})


class Word(str, enum.Enum):
    """An enumeration of texts."""

    HELLO = "hello"


@pytest.mark.parametrize(
    ("params", "query"),
    [
        ({"a": "1", "b": 2, "c": 1.5, "d": True, "e": False}, "a=1&b=2&c=1.5&d=true&e=false"),
        ({"a": None, "b": "", "c": [None, 1]}, "b=&c=1"),
        ({"id": [1, 2, "x"], "to": ("+1", "ä")}, "id=1&id=2&id=x&to=%2B1&to=%C3%A4"),
        ({"n": range(3)}, "n=0&n=1&n=2"),
        ([("a", 1), ("b", 2), ("a", 3)], "a=1&b=2&a=3"),
        (iter([("a", 1)]), "a=1"),
        (types.MappingProxyType({"a": 1}), "a=1"),
        (collections.OrderedDict(z=1, a=2), "z=1&a=2"),
        ({"a b&c": "d=e/?#%\r\n\0"}, "a%20b%26c=d%3De%2F%3F%23%25%0D%0A%00"),
        ({"a": 10**30, "b": -1, "c": 1e300, "d": -0.0}, f"a={10**30}&b=-1&c=1e%2B300&d=-0.0"),
        ({"a": Colour.RED, "b": Word.HELLO}, "a=3&b=hello"),
        ({}, None),
        ([], None),
        ({"a": None}, None),
        (None, None),
    ],
    ids=range(15),
)
def test_it_adds_params_to_the_query(client: Client, params: Any, query: str | None) -> None:
    assert query_of(client.get(ECHO, params=params)) == query


def test_it_adds_params_to_the_query_of_the_path(client: Client) -> None:
    assert query_of(client.get(f"{ECHO}?a=1", params={"b": 2})) == "a=1&b=2"


@pytest.mark.parametrize(
    "value",
    [
        {"to": "+1", "text": "ä€🎉", "n": [1, 2.5, True, None, {}], "": '"\\\n'},
        [],
        "text",
        0,
        False,
        1e300,
        10**30,
        collections.OrderedDict(z=1, a=2),
        (1, 2),
    ],
    ids=range(9),
)
def test_it_sends_any_json_value_in_utf_8(client: Client, value: Any) -> None:
    response = client.post(ECHO, json=value)
    expected = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    assert body_of(response) == expected
    assert headers_of(response)["content-type"] == "application/json"
    assert headers_of(response)["content-length"] == str(len(expected))


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b"\0\xff", b"\0\xff"),
        (bytearray(b"\0\xff"), b"\0\xff"),
        (memoryview(b"abcdef")[1:4], b"bcd"),
        (memoryview(b"abcdef")[::2], b"ace"),
        ("ä", "ä".encode()),
        (b"", b""),
        ("", b""),
        ("null", b"null"),
    ],
    ids=range(8),
)
def test_it_sends_data_unchanged(client: Client, data: Any, body: bytes) -> None:
    response = client.post(ECHO, data=data, headers={"Content-Type": "text/plain; charset=utf-8"})
    assert body_of(response) == body
    assert headers_of(response)["content-type"] == "text/plain; charset=utf-8"
    assert headers_of(client.put(ECHO, data=data))["content-type"] == "application/json"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Note": "one", "Accept": "text/csv"},
        [("X-Note", "zero"), ("x-note", "one"), ("accept", "text/csv")],
        iter([("X-Note", "one"), ("accept", "text/csv")]),
        justcall_auth.Headers({"X-Note": "one", "accept": "text/csv"}),
    ],
    ids=lambda headers: type(headers).__name__,
)
def test_it_sends_headers_instead_of_the_defaults(client: Client, headers: Any) -> None:
    arrived = headers_of(client.get(ECHO, headers=headers))
    assert (arrived["x-note"], arrived["accept"]) == ("one", "text/csv")
    assert arrived["x-justcall-client"].startswith("justcall-auth/")


def test_it_sends_the_pair_and_never_twice(client: Client, sandbox: Sandbox) -> None:
    client.post(ECHO, json={}, headers={"X-Note": "one"})
    (request,) = sandbox.requests()
    assert (request["key_generation"], request["secret_generation"]) == (1, 1)
    assert [name.lower() for name in request["header_names"]].count("authorization") == 1


def test_it_sends_and_reads_16_mib_in_reasonable_time(client: Client) -> None:
    data = bytes(range(256)) * (LARGE // 256)
    client.get(ECHO)
    with within(60):
        for body in (data, bytearray(data), memoryview(data)):
            assert client.post(ECHO, data=body).json()["body_bytes"] == LARGE
        assert body_of(client.post(ECHO, data=data)) == data
        assert client.post(ECHO, json="ä" * (LARGE // 2)).json()["body_bytes"] == LARGE + 2
        assert client.post(ECHO, data="ä" * (LARGE // 2)).json()["body_bytes"] == LARGE
        for params in ({"bytes": LARGE}, {"bytes": LARGE, "gzip": 1}):
            assert client.get(ECHO, params=params).json()["filler"] == "x" * LARGE


def test_it_reads_compressed_responses(client: Client) -> None:
    response = client.get(ECHO, params={"gzip": 1, "bytes": 100_000})
    assert headers_of(response)["accept-encoding"] == "gzip"
    assert response.json()["filler"] == "x" * 100_000
    assert len(response.body) > 100_000


def test_it_returns_status_headers_and_body_of_any_success(client: Client, sandbox: Sandbox) -> None:
    headers = {"X-Note": ["one", "two"], "Content-Type": "text/csv; charset=iso-8859-1"}
    sandbox.fault("answer", status=201, headers=headers, body="a;b")
    response = client.post(ECHO)
    assert (response.http_status, response.body, response.text) == (201, b"a;b", "a;b")
    assert response.headers["x-note"] == "one"
    assert response.headers.get_all("X-Note") == ["one", "two"]
    assert ("x-note", "two") in [(name.lower(), value) for name, value in response.headers.multi_items()]
    with pytest.raises(justcall_auth.InvalidResponseError):
        response.json()
    sandbox.control("DELETE", "faults")
    sandbox.fault("answer", status=204)
    assert client.delete(ECHO).body == b""


def test_the_timeout_of_a_call_replaces_that_of_the_client(sandbox: Sandbox) -> None:
    sandbox.fault("delay", ms=300)
    with sandbox.client(timeout=0.1) as client:
        for timeout in (20, 0, None):
            assert client.get(ECHO, timeout=timeout).http_status == 200
        with pytest.raises(justcall_auth.RequestTimeoutError):
            client.get(ECHO, timeout=0.1)
    with sandbox.client(timeout=None) as client, pytest.raises(justcall_auth.RequestTimeoutError):
        client.get(ECHO, timeout=0.1)


def test_eight_threads_get_their_own_responses(client: Client) -> None:
    threads, calls = 8, 20
    together = threading.Barrier(threads)
    wrong: list[object] = []

    def work(number: int) -> None:
        together.wait(10)
        for call in range(calls):
            response = client.post(ECHO, params={"n": number}, json=[number, call])
            if (query_of(response), json.loads(body_of(response))) != (f"n={number}", [number, call]):
                wrong.append(response)
            if client.rate_limit is None:
                wrong.append(call)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert wrong == []
