"""`with_options`: a client with other settings that shares the pair and the connections."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from justcall_auth import Client, Credentials, Event
from support import Account, client_of, hang, put, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from support import Sandbox

ECHO = "/v2.1/echo"


def test_the_timeout_is_that_of_the_new_client_only(sandbox: Sandbox) -> None:
    with sandbox.client(timeout=0.3) as client:
        for still_limited in (client, client.with_options(max_retries=0)):
            hang(sandbox)
            with pytest.raises(justcall_auth.RequestTimeoutError):
                still_limited.get(ECHO)
        sandbox.fault("delay", ms=600, times=2)
        for longer in (client.with_options(timeout=None), client.with_options(timeout=60)):
            assert longer.get(ECHO).http_status == 200
        sandbox.fault("delay", ms=600, times=1)
        with pytest.raises(justcall_auth.RequestTimeoutError):
            client.get(ECHO)


def test_max_retries_is_that_of_the_new_client_only(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        sandbox.fault("answer", status=503, times=1)
        with pytest.raises(justcall_auth.UnavailableError) as caught:
            client.with_options(max_retries=0).get(ECHO)
        assert caught.value.attempts == 1
        sandbox.fault("answer", status=503, times=1)
        assert client.get(ECHO).http_status == 200


def test_rotation_wait_is_that_of_the_new_client_only(sandbox: Sandbox, tmp_path: Path) -> None:
    account, file = Account(sandbox), tmp_path / "pair"
    put(file, account.line)

    def happened(event: Event) -> None:
        if event.name == "waiting_for_source":
            put(file, account.line)

    with client_of(sandbox, f"file:{file}", on_event=happened) as client:
        client.verify()
        account.reset()
        with pytest.raises(justcall_auth.InvalidCredentialsError):
            client.get(ECHO)
        assert client.with_options(rotation_wait=30).get(ECHO).http_status == 200
        assert client.generation == 2


def test_it_shares_the_pair_and_the_connection(sandbox: Sandbox) -> None:
    reads: list[int] = []

    def load() -> Credentials:
        reads.append(1)
        return sandbox.credentials()

    with client_of(sandbox, load) as client:
        client.get(ECHO)
        for _ in range(3):
            client.with_options(timeout=20, max_retries=1, rotation_wait=1).get(ECHO)
        client.with_options().with_options(timeout=5).get(ECHO)
        assert (client.generation, len(reads)) == (1, 1)
    assert len(sandbox.requests()) == 5
    assert len({request["connection"] for request in sandbox.requests()}) == 1


def test_it_has_its_own_rate_limit(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        derived = client.with_options()
        assert type(derived) is Client
        derived.get(ECHO)
        assert client.rate_limit is None
        assert derived.rate_limit is not None


def test_its_close_does_not_close_the_first_client(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        with client.with_options(timeout=5) as derived:
            derived.get(ECHO)
        with pytest.raises(justcall_auth.CallCancelledError, match="The client is closed"):
            derived.get(ECHO)
        assert client.get(ECHO).http_status == 200


def test_the_close_of_the_first_client_cancels_its_calls(sandbox: Sandbox) -> None:
    client = sandbox.client(timeout=None)
    second = client.with_options(max_retries=0)
    third = second.with_options(max_retries=1)
    raised: list[justcall_auth.CallCancelledError] = []

    def call(derived: Client) -> None:
        with pytest.raises(justcall_auth.CallCancelledError) as caught:
            derived.get(ECHO)
        raised.append(caught.value)

    sandbox.fault("hang", times=2)
    threads = [threading.Thread(target=call, args=(derived,)) for derived in (second, third)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(sandbox.requests()) == 2)
    client.close()
    for thread in threads:
        thread.join(30)
    assert len(raised) == 2
    for closed in (client, second, third):
        with pytest.raises(justcall_auth.CallCancelledError):
            closed.get(ECHO)
    with pytest.raises(justcall_auth.CallCancelledError):
        client.with_options()


def test_its_events_go_to_the_same_handler(sandbox: Sandbox) -> None:
    events: list[Event] = []
    with sandbox.client(Account(sandbox).credentials(), on_event=events.append) as client:
        sandbox.fault("answer", status=503, times=1)
        client.with_options(timeout=20).get(ECHO)
    assert [event.name for event in events] == ["retrying"]


def test_a_source_callable_may_not_use_it(sandbox: Sandbox) -> None:
    derived: list[Client] = []

    def load() -> Credentials:
        derived[0].get(ECHO)
        return sandbox.credentials()

    with client_of(sandbox, load) as client:
        derived.append(client.with_options(timeout=5))
        for caller in (client, derived[0]):
            with pytest.raises(justcall_auth.InvalidArgumentError, match="cannot use its own client"):
                caller.get(ECHO)


@pytest.mark.parametrize("handler_owns_first", [True, False])
def test_it_is_collected_with_a_handler_that_refers_to_it(sandbox: Sandbox, handler_owns_first: bool) -> None:
    class Owner:
        def __init__(self) -> None:
            client = sandbox.client(on_event=self.handler)
            self.derived = client.with_options(timeout=1).with_options(timeout=2)
            if handler_owns_first:
                self.client = client

        def handler(self, event: Event) -> None:
            raise AssertionError(event)

    gone = weakref.ref(Owner())
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"timeout": -1}, justcall_auth.InvalidArgumentError, "timeout is negative"),
        ({"max_retries": -1}, justcall_auth.InvalidArgumentError, "max_retries is not between"),
        ({"rotation_wait": float("nan")}, justcall_auth.InvalidArgumentError, "rotation_wait is negative"),
        ({"max_retries": "2"}, TypeError, "max_retries must be int, not str"),
        ({"base_url": "https://example.com"}, TypeError, "base_url"),
    ],
)
def test_it_refuses_invalid_options(
    sandbox: Sandbox, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with sandbox.client() as client, pytest.raises(error, match=message):
        client.with_options(**options)
