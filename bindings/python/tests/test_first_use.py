"""Common first uses, and uses in tests: they work, or the message has an instruction."""

from __future__ import annotations

import functools
import gc
import inspect
import json
import weakref
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from justcall_auth import Client, Headers, JustCallError, Response, WebhookVerifier
from justcall_auth._errors import BY_CODE
from webhooks import SECRET, URL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support import Sandbox

ECHO = "/v2.1/echo"
SECRET_HALF = "b" * 40


# Pairs and sources.


def test_a_pair_or_a_path_is_a_source(sandbox: Sandbox, tmp_path: Path) -> None:
    file, folder = tmp_path / "pair.json", tmp_path / "pair"
    file.write_text(json.dumps({"api_key": sandbox.api_key, "api_secret": sandbox.api_secret}))
    folder.mkdir()
    (folder / "api_key").write_text(sandbox.api_key)
    (folder / "api_secret").write_text(sandbox.api_secret)
    for source in (sandbox.credentials(), file, folder):
        with Client(source, base_url=sandbox.url, ca_file=sandbox.ca_file) as client:
            assert client.verify().verified_by == "/v2/account"
            assert client.authorization() == f"{sandbox.api_key}:{sandbox.api_secret}"


def test_a_path_that_does_not_exist_is_reported_by_the_first_call(tmp_path: Path) -> None:
    with Client(tmp_path / "nowhere") as client:
        with pytest.raises(justcall_auth.SourceUnavailableError):
            client.authorization()


@pytest.mark.parametrize(
    "make",
    [
        lambda cls: cls(f"{'a' * 40}:{SECRET_HALF}"),
        lambda cls: cls("a" * 40, SECRET_HALF),
        lambda cls: cls(api_key="a" * 40, api_secret=SECRET_HALF),
        lambda cls: cls("a" * 40),
    ],
    ids=["key:secret", "two texts", "by name", "a key"],
)
def test_a_pair_as_two_arguments_is_refused_with_the_instruction(
    make: Callable[[Any], Client],
) -> None:
    with pytest.raises((TypeError, justcall_auth.InvalidArgumentError)) as caught:
        make(Client)
    assert "Client.from_credentials(Credentials(key, secret))" in str(caught.value)
    assert SECRET_HALF not in str(caught.value)


def test_an_unknown_setting_is_refused_and_named() -> None:
    unknown: Any = {"retries": 3}
    with pytest.raises(TypeError, match="unexpected keyword argument 'retries'"):
        Client(**unknown)


# Exceptions and responses that a test creates.


@pytest.mark.parametrize("kind", BY_CODE.values(), ids=lambda kind: kind.__name__)
def test_an_exception_that_a_test_creates_has_the_status_of_its_kind(kind: type[JustCallError]) -> None:
    assert kind().http_status == (kind.code if kind.code >= 400 else 0)
    assert kind(http_status=502).http_status == 502
    assert kind(http_status=0).http_status == 0


def test_a_response_that_a_test_creates_accepts_a_dictionary_or_pairs_of_headers() -> None:
    for given in ({"A": "b"}, [("A", "b")], Headers({"A": "b"})):
        response = Response(200, given, b"{}")
        assert response.headers["a"] == response.headers["A"] == "b"
        assert response == Response(200, Headers({"A": "b"}), b"{}")
        assert hash(response) == hash(Response(200, Headers({"A": "b"}), b"{}"))
    assert Response(200).headers.get_all("a") == []
    assert str(inspect.signature(Response)).startswith("(http_status")


@pytest.mark.parametrize("status", [200, 202, 204])
def test_json_of_an_empty_body_does_not_blame_the_network(status: int) -> None:
    with pytest.raises(justcall_auth.InvalidResponseError) as caught:
        Response(status).json()
    assert "no body" in caught.value.hint
    assert "captive" not in str(caught.value)
    assert ("204" in caught.value.message) == (status == 204)
    with pytest.raises(justcall_auth.InvalidResponseError) as caught:
        Response(status, body=b"<html>").json()
    assert caught.value.hint == justcall_auth.InvalidResponseError().hint


# Replaced methods and references.


def test_a_method_can_be_replaced_in_a_test(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = WebhookVerifier(SECRET, url=URL)
    with sandbox.client() as client, client.exchange("GET", ECHO) as exchange:
        with monkeypatch.context() as patched:
            patched.setattr(client, "get", lambda path: path)
            patched.setattr(exchange, "next", lambda: "replaced")
            patched.setattr(verifier, "verify", lambda *_: "replaced")
            found: list[Any] = [client.get(ECHO), exchange.next(), verifier.verify({}, b"")]
            assert found == [ECHO, "replaced", "replaced"]
        assert client.get(ECHO).http_status == 200
        with pytest.raises(justcall_auth.WebhookUnsignedError):
            verifier.verify({}, b"")


def test_a_weak_reference_does_not_keep_it_alive(sandbox: Sandbox) -> None:
    client = sandbox.client()
    made: list[Any] = [
        client,
        client.exchange("GET", ECHO),
        WebhookVerifier(client, url=URL),
        sandbox.credentials(),
    ]
    references = [weakref.ref(one) for one in made]
    assert [reference() for reference in references] == made
    del client
    made.clear()
    gc.collect()
    assert [reference() for reference in references] == [None] * 4


def test_a_replaced_method_that_refers_to_the_client_is_collected(sandbox: Sandbox) -> None:
    client: Any = sandbox.client()
    client.get = functools.partial(Client.post, client)
    gone = weakref.ref(client)
    del client
    gc.collect()
    assert gone() is None


# Coroutine functions.


async def coroutine(*_: object) -> Any:
    raise AssertionError


class Awaited:
    """An object that is called as a coroutine function."""

    async def __call__(self, *_: object) -> Any:
        """Must never be called."""
        raise AssertionError


@pytest.mark.parametrize(
    "function",
    [coroutine, functools.partial(coroutine), Awaited(), Awaited().__call__],
    ids=["function", "partial", "object", "method"],
)
def test_a_coroutine_function_is_refused_if_it_would_never_run(sandbox: Sandbox, function: Any) -> None:
    makers: dict[str, Callable[[], object]] = {
        "on_event": lambda: Client(on_event=function),
        "source": lambda: Client(function),
        "replay_check": lambda: WebhookVerifier(SECRET, url=URL, replay_check=function),
    }
    for name, make in makers.items():
        with pytest.raises(TypeError, match=f"{name} must not be a coroutine function"):
            make()
    with pytest.raises(TypeError, match="on_event must not be a coroutine function"):
        sandbox.client(on_event=function)


# The timeout of a single call.


def test_none_means_no_limit_and_an_omitted_timeout_is_that_of_the_client(sandbox: Sandbox) -> None:
    sandbox.fault("delay", ms=1500, path=ECHO)
    with sandbox.client(timeout=0.3, max_retries=0) as client:
        for limited in ({}, {"timeout": 0.2}, {"timeout": ...}):
            with pytest.raises(justcall_auth.RequestTimeoutError):
                client.get(ECHO, **limited)
        for unlimited in (None, 0, 0.0):
            assert client.get(ECHO, timeout=unlimited).http_status == 200
    with sandbox.client(timeout=None) as client:
        assert client.get(ECHO).http_status == 200


@pytest.mark.parametrize("call", [Client.get, Client.post, Client.put, Client.delete])
def test_every_call_accepts_none_as_no_limit(sandbox: Sandbox, call: Any) -> None:
    sandbox.fault("delay", ms=700, path=ECHO)
    with sandbox.client(timeout=0.2, max_retries=0) as client:
        assert call(client, ECHO, timeout=None).http_status == 200
        assert client.request("PATCH", ECHO, timeout=None).http_status == 200


def test_an_exchange_has_no_limit_with_none(sandbox: Sandbox) -> None:
    with sandbox.client(timeout=5) as client:
        assert client.exchange("GET", ECHO, timeout=None).remaining is None
        assert client.exchange("GET", ECHO).remaining is not None
        assert client.exchange("GET", ECHO, timeout=0).remaining is None
    with sandbox.client(timeout=None) as client:
        assert client.exchange("GET", ECHO).remaining is None
        assert client.exchange("GET", ECHO, timeout=7).remaining is not None
