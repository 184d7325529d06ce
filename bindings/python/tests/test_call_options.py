"""`timeout` and `cancel` of single calls."""

from __future__ import annotations

import inspect
import threading
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
import webhooks
from justcall_auth import Action, Cancel, Client, Credentials, WebhookVerifier
from support import SOON, client_of, wait_until, within

if TYPE_CHECKING:
    from collections.abc import Callable

    from support import Sandbox

    Call = Callable[..., object]

ECHO = "/v2.1/echo"

SENDING: dict[str, Call] = {
    "verify": Client.verify,
    "replace": lambda client, **options: client.replace(Credentials("k" * 40, "s" * 40), **options),
    "request": lambda client, **options: client.request("GET", ECHO, **options),
    "get": lambda client, **options: client.get(ECHO, **options),
    "head": lambda client, **options: client.head(ECHO, **options),
    "post": lambda client, **options: client.post(ECHO, **options),
    "put": lambda client, **options: client.put(ECHO, **options),
    "patch": lambda client, **options: client.patch(ECHO, **options),
    "delete": lambda client, **options: client.delete(ECHO, **options),
    "pages": lambda client, **options: list(client.pages(ECHO, **options)),
}


def deliver(client: Client, **options: Any) -> object:
    """Verifies a delivery with the secrets of the client."""
    verifier = WebhookVerifier(client, url=webhooks.URL)
    return verifier.verify(webhooks.headers(), webhooks.body(), webhooks.NOW, **options)


def load_exchange(client: Client, **options: Any) -> object:
    """Drives an exchange up to the first thing to send."""
    with client.exchange("GET", ECHO, **options) as exchange:
        assert exchange.next() is Action.LOAD
        exchange.load()
        return exchange.next()


SETTINGS = {"from_credentials", "with_options"}
"""The methods whose timeout is that of a client."""

LOADING: dict[str, Call] = {
    "authorization": Client.authorization,
    "reload": Client.reload,
    "deliver": deliver,
    "load_exchange": load_exchange,
    "Credentials.load": lambda _, **options: Credentials.load("command:sleep 600", **options),
}

each_sending = pytest.mark.parametrize("call", SENDING.values(), ids=SENDING)
each_loading = pytest.mark.parametrize("call", LOADING.values(), ids=LOADING)


def test_every_call_that_takes_a_timeout_takes_a_cancel_handle() -> None:
    takers = set()
    for owner in (Client, Credentials, WebhookVerifier):
        for name, member in vars(owner).items():
            if not name.startswith("_") and callable(getattr(owner, name)) and name not in SETTINGS:
                parameters = inspect.signature(
                    member if callable(member) else getattr(owner, name)
                ).parameters
                assert ("timeout" in parameters) == ("cancel" in parameters), name
                takers |= {f"{owner.__name__}.{name}"} if "timeout" in parameters else set()
    assert takers == {f"Client.{name}" for name in SENDING} | {
        "Client.authorization",
        "Client.reload",
        "Client.exchange",
        "Credentials.load",
        "WebhookVerifier.verify",
    }


@each_sending
def test_a_call_that_sends_ends_at_its_own_timeout(sandbox: Sandbox, call: Call) -> None:
    sandbox.fault("hang")
    with sandbox.client(timeout=None) as client:
        with within(10), pytest.raises(justcall_auth.RequestTimeoutError):
            call(client, timeout=0.2)


@each_sending
def test_a_call_that_sends_ends_when_its_handle_is_fired(sandbox: Sandbox, call: Call) -> None:
    sandbox.fault("hang")
    cancel, ended = Cancel(), threading.Event()
    with sandbox.client(timeout=None, max_retries=0) as client:

        def work() -> None:
            with pytest.raises(justcall_auth.CallCancelledError):
                call(client, cancel=cancel)
            ended.set()

        worker = threading.Thread(target=work)
        worker.start()
        wait_until(sandbox.requests)
        assert not ended.is_set()
        cancel.fire()
        assert ended.wait(10)
        worker.join(10)
        # The handle applies only to that call.
        sandbox.control("POST", "clear", {})
        client.verify()
        with pytest.raises(justcall_auth.CallCancelledError):
            call(client, cancel=cancel)
    assert [request["path"] for request in sandbox.requests()] == ["/v2/account"]


@each_loading
def test_a_read_of_the_source_ends_at_the_timeout_of_the_call(call: Call) -> None:
    # Without the limit the program would run for 10 seconds.
    with Client("command:sleep 600", timeout=None) as client:
        kinds = (justcall_auth.SourceUnavailableError, justcall_auth.RequestTimeoutError)
        with within(8), pytest.raises(kinds):
            call(client, timeout=0.2)


@each_loading
def test_a_read_of_the_source_ends_when_the_handle_is_fired(call: Call) -> None:
    cancel = Cancel()
    with Client("command:sleep 600", timeout=None) as client:
        timer = threading.Timer(0.1, cancel.fire)
        timer.start()
        with within(8), pytest.raises(justcall_auth.CallCancelledError):
            call(client, cancel=cancel)
        timer.join()
        with within(SOON), pytest.raises(justcall_auth.CallCancelledError):
            call(client, cancel=cancel)


def test_a_call_stops_waiting_for_the_read_of_another_one_at_its_own_timeout(sandbox: Sandbox) -> None:
    asked, goes_on = threading.Event(), threading.Event()

    def source() -> Credentials:
        asked.set()
        assert goes_on.wait(30)
        return sandbox.credentials()

    with client_of(sandbox, source, timeout=None) as client:
        worker = threading.Thread(target=client.verify)
        worker.start()
        assert asked.wait(10)
        waiting: list[Call] = [Client.verify, Client.authorization, Client.reload, deliver]
        for call in waiting:
            with pytest.raises(justcall_auth.RequestTimeoutError, match="Another call is still reading"):
                call(client, timeout=0.05)
        goes_on.set()
        worker.join(10)


def test_a_call_may_have_a_longer_timeout_than_its_client(sandbox: Sandbox) -> None:
    sandbox.fault("delay", ms=600, times=3)
    with sandbox.client(timeout=0.3, max_retries=0) as client:
        with pytest.raises(justcall_auth.RequestTimeoutError):
            client.verify()
        for no_limit in (None, 0):
            client.verify(timeout=no_limit)


def test_a_handle_is_fired_after_fire_and_not_before() -> None:
    cancel = Cancel()
    assert (cancel.is_fired, repr(cancel)) == (False, "<Cancel>")
    for _ in range(2):
        cancel.fire()
        assert (cancel.is_fired, repr(cancel)) == (True, "<Cancel fired>")


def test_an_exchange_ends_when_its_handle_is_fired(sandbox: Sandbox) -> None:
    cancel = Cancel()
    with sandbox.client() as client, client.exchange("GET", ECHO, cancel=cancel) as exchange:
        assert exchange.next() is Action.LOAD
        cancel.fire()
        with pytest.raises(justcall_auth.CallCancelledError):
            exchange.next()


@pytest.mark.parametrize("call", [*SENDING.values(), *LOADING.values()], ids=[*SENDING, *LOADING])
def test_a_wrong_option_is_refused_and_named(sandbox: Sandbox, call: Call) -> None:
    with sandbox.client() as client:
        for options in ({"cancel": 1}, {"cancel": threading.Event()}, {"timeout": "1"}):
            with pytest.raises(TypeError, match=rf"^{next(iter(options))} must be .+, not \w+"):
                call(client, **options)
        with pytest.raises(justcall_auth.InvalidArgumentError, match="timeout"):
            call(client, timeout=-1)
    assert sandbox.requests() == []
