"""What the error of a failed call contains about its request."""

from __future__ import annotations

import copy
import pickle
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from justcall_auth import Action, Client, Credentials, Event, Exchange, JustCallError, Wait
from support import Account, put

if TYPE_CHECKING:
    from pathlib import Path

    from support import Sandbox

PATH = "/v2.1/texts/+15550100"
SHORT = 2.0
"""A short time limit, in seconds, in which a call still sends its request on a busy machine."""


def until_send(exchange: Exchange) -> None:
    """Drives the exchange until a request is to be sent."""
    while (action := exchange.next()) is not Action.SEND:
        if action is Action.LOAD:
            exchange.load()
        else:
            assert isinstance(action, Wait)
            time.sleep(action.seconds)


def failure(exchange: Exchange) -> JustCallError:
    """Returns the error of the exchange."""
    while True:
        try:
            exchange.next()
        except JustCallError as error:
            return error
        time.sleep(0.01)


@pytest.mark.parametrize("taken", [False, True])
def test_it_reports_a_request_as_sent_after_its_authorization_was_read(sandbox: Sandbox, taken: bool) -> None:
    with sandbox.client(Account(sandbox).credentials(), timeout=SHORT) as client:
        exchange = client.exchange("POST", PATH)
        until_send(exchange)
        if taken:
            exchange.authorization()
        error = failure(exchange)
        assert isinstance(error, justcall_auth.RequestTimeoutError)
        assert (error.request_sent, error.reason) == (taken, "receive" if taken else "connect")


def test_it_returns_the_remaining_time(sandbox: Sandbox) -> None:
    with sandbox.client(Account(sandbox).credentials(), timeout=60) as client:
        exchange = client.exchange("GET", PATH)
        until_send(exchange)
        left = exchange.remaining
        assert left is not None
        assert 0 < left <= 60
    with sandbox.client(Account(sandbox).credentials(), timeout=None) as client:
        exchange = client.exchange("GET", PATH)
        until_send(exchange)
        assert exchange.remaining is None


@pytest.mark.parametrize(
    ("cause", "sent", "kind", "reason"),
    [
        ("resolve", False, justcall_auth.ConnectionFailedError, "resolve"),
        ("connect", False, justcall_auth.ConnectionFailedError, "connect"),
        ("tls", False, justcall_auth.TlsFailedError, None),
        ("timeout", False, justcall_auth.RequestTimeoutError, "connect"),
        ("timeout", True, justcall_auth.RequestTimeoutError, "receive"),
        ("closed", False, justcall_auth.ConnectionFailedError, "send"),
        ("closed", True, justcall_auth.ConnectionFailedError, "receive"),
        ("cancelled", True, justcall_auth.CallCancelledError, None),
    ],
)
def test_it_reports_causes_as_the_built_in_client_would(
    sandbox: Sandbox, cause: Any, sent: bool, kind: type[JustCallError], reason: str | None
) -> None:
    with sandbox.client(Account(sandbox).credentials(), max_retries=0) as client:
        exchange = client.exchange("POST", PATH, params={"x": 1}, json=1)
        until_send(exchange)
        exchange.authorization()
        exchange.failed(cause, request_sent=sent)
        error = failure(exchange)
    assert type(error) is kind
    assert (error.reason, error.request_sent) == (reason, sent)
    assert (error.method, error.path, error.attempts) == ("POST", PATH, 1)


def test_it_keeps_the_response_before_a_retry(sandbox: Sandbox) -> None:
    sandbox.fault("answer", status=503, headers={"Retry-After": "50"})

    def stop(event: Event) -> None:
        if event.name == "retrying":
            closer.start()

    with sandbox.client(Account(sandbox).credentials(), on_event=stop, timeout=60) as client:
        closer = threading.Thread(target=client.close)
        with pytest.raises(justcall_auth.CallCancelledError) as caught:
            client.put(PATH, json=1)
        closer.join()
    assert (caught.value.http_status, caught.value.request_sent) == (503, True)
    assert caught.value.response is not None
    assert caught.value.response.headers["Retry-After"] == "50"


def test_it_names_the_request_in_attributes_and_nowhere_else(sandbox: Sandbox) -> None:
    sandbox.fault("answer", status=422)
    with sandbox.client(Account(sandbox).credentials()) as client:
        with pytest.raises(justcall_auth.UnprocessableError) as caught:
            client.post(PATH, params={"note": "secretive"}, json=1)
    error = caught.value
    assert (error.method, error.path, error.attempts) == ("POST", PATH, 1)
    for text in (str(error), repr(error), pickle.dumps(error).decode("latin-1"), error.hint):
        assert "5550100" not in text
        assert "secretive" not in text
    for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (other.method, other.path, other.attempts) == (None, None, 0)
    own = justcall_auth.UnprocessableError(method="GET", path="/v2.1/calls", attempts=2)
    assert (own.method, own.path, own.attempts) == ("GET", "/v2.1/calls", 2)
    with pytest.raises(justcall_auth.InvalidArgumentError) as refused:
        Client(base_url="nonsense")
    assert (refused.value.method, refused.value.path, refused.value.attempts) == (None, None, 0)


def test_it_states_how_long_the_service_asks_to_wait(sandbox: Sandbox) -> None:
    sandbox.fault("answer", status=429, headers={"Retry-After": "45"})
    with sandbox.client(Account(sandbox).credentials(), max_retries=0) as client:
        with pytest.raises(justcall_auth.RateLimitedError, match="asks to wait 45 s"):
            client.get(PATH)


def test_it_retries_after_a_408_if_the_method_allows_it(sandbox: Sandbox) -> None:
    sandbox.fault("answer", status=408, times=1)
    with sandbox.client(Account(sandbox).credentials()) as client:
        assert client.get("/v2.1/echo").http_status == 200
        sandbox.fault("answer", status=408, times=1)
        with pytest.raises(justcall_auth.UnavailableError) as caught:
            client.post("/v2.1/echo", json=1)
    error = caught.value
    assert (error.http_status, error.request_sent, error.attempts) == (408, True, 1)


def test_it_does_not_wait_forever_for_an_abandoned_exchange(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "pair"
    put(file, Account(sandbox).line)
    settings: dict[str, Any] = {"base_url": sandbox.url, "ca_file": sandbox.ca_file}
    with Client(f"file:{file}", timeout=SHORT, **settings) as hasty:
        left_alone = hasty.exchange("GET", "/v2.1/echo")
        assert left_alone.next() is Action.LOAD
        with Client(f"file:{file}", timeout=0.1, **settings) as client:
            with pytest.raises(justcall_auth.RequestTimeoutError, match="still reading the source"):
                client.get("/v2.1/echo")
        with Client(f"file:{file}", timeout=None, **settings) as client:
            assert client.get("/v2.1/echo").http_status == 200
        left_alone.load()
        assert isinstance(failure(left_alone), justcall_auth.RequestTimeoutError)


def test_it_does_not_move_to_another_account_when_the_source_does(sandbox: Sandbox) -> None:
    first, second = Account(sandbox), Account(sandbox)
    given: list[Credentials] = [first.credentials()]
    events: list[str] = []

    def source() -> Credentials:
        return given[-1]

    settings: dict[str, Any] = {"base_url": sandbox.url, "ca_file": sandbox.ca_file}
    with Client(source, on_event=lambda event: events.append(event.name), **settings) as client:
        client.verify()
        first.reset()
        given.append(second.credentials())
        with pytest.raises(justcall_auth.WrongAccountError, match="belongs to the account"):
            client.post("/v2.1/echo", json=1)
    assert "candidate_rejected" in events
    posts = [request for request in sandbox.requests() if request["method"] == "POST"]
    assert [request["status"] for request in posts] == [401]
