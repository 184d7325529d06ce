"""`Exchange`: a call over an HTTP client of the program, here Python's `http.client`."""

from __future__ import annotations

import copy
import gc
import http.client
import pickle
import signal
import ssl
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

import justcall_auth
from justcall_auth import Action, Event, Exchange, Response, Wait
from support import SOON, Account, client_of, finish, put, wait_until, within

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support import Sandbox, Start

ECHO = "/v2.1/echo"


def send(exchange: Exchange, sandbox: Sandbox) -> None:
    """Sends the request, and reports the result."""
    url = urlsplit(exchange.url)
    context = ssl.create_default_context(cafile=sandbox.ca_file)
    connection = http.client.HTTPSConnection(url.netloc, timeout=10, context=context)
    headers = {**exchange.headers, "Authorization": exchange.authorization()}
    try:
        connection.request(exchange.method, f"{url.path}?{url.query}", exchange.body, headers)
        response = connection.getresponse()
        exchange.answered(response.status, response.getheaders(), response.read())
    except (OSError, http.client.HTTPException):
        exchange.failed("closed", request_sent=True)
    finally:
        connection.close()


def drive(exchange: Exchange, sandbox: Sandbox) -> Response:
    """Drives the exchange to its end."""
    while (action := exchange.next()) is not Action.DONE:
        if action is Action.SEND:
            send(exchange, sandbox)
        elif action is Action.LOAD:
            exchange.load()
        else:
            time.sleep(action.seconds)
    return exchange.response()


def until(exchange: Exchange, wanted: Action) -> None:
    """Drives the exchange until this action."""
    while (action := exchange.next()) is not wanted:
        assert action is Action.LOAD
        exchange.load()


def test_it_has_the_results_of_the_client(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        own = client.post(ECHO, params={"a": [1, "ä"]}, json={"to": "+1"}, headers={"X-Own": "x"}).json()
        exchange = client.exchange(
            "POST", ECHO, params={"a": [1, "ä"]}, json={"to": "+1"}, headers={"X-Own": "x"}
        )
        brought = drive(exchange, sandbox)
        # Some headers depend on the HTTP client.
        assert {**brought.json(), "headers": None} == {**own, "headers": None}
        assert exchange.response() == brought
        assert client.rate_limit == brought.rate_limit
        assert brought.rate_limit.limit is not None
    first, second = sandbox.requests()
    for request in (first, second):
        assert (request["method"], request["query"]) == ("POST", "a=1&a=%C3%A4")
        for line in ("accept: application/json", "content-type: application/json", "x-own: x"):
            assert line in request["raw_head"].lower()


def test_it_describes_the_request(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        exchange = client.exchange("PUT", ECHO, data="ä", headers={"Content-Type": "text/plain"})
        until(exchange, Action.SEND)
        assert (exchange.method, exchange.url) == ("PUT", sandbox.url.rstrip("/") + ECHO)
        assert exchange.body == "ä".encode()
        assert exchange.headers["content-type"] == "text/plain"
        assert "authorization" not in exchange.headers
        assert exchange.is_verifying is False
        assert exchange.max_body == 32 * 1024 * 1024
        assert exchange.authorization() == f"{sandbox.api_key}:{sandbox.api_secret}"
        assert client.exchange("GET", ECHO).body is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429, 500, 503])
def test_it_raises_the_errors_of_the_client(sandbox: Sandbox, status: int) -> None:
    sandbox.fault("answer", status=status, headers={"Retry-After": "60"}, body={"message": "No."})
    pair = Account(sandbox).credentials()
    with sandbox.client(pair, timeout=5) as client, pytest.raises(justcall_auth.JustCallError) as own:
        client.post(ECHO)
    pair = Account(sandbox).credentials()
    with sandbox.client(pair, timeout=5) as client, client.exchange("POST", ECHO) as exchange:
        steps: list[Callable[[], object]] = [
            lambda: drive(exchange, sandbox),
            exchange.next,
            exchange.response,
        ]
        for step in steps:
            with pytest.raises(type(own.value)) as brought:
                step()
            assert str(brought.value) == str(own.value)
            assert brought.value.http_status == status
            assert brought.value.response is not None
            assert brought.value.response.json() == {"message": "No."}


def test_it_retries(sandbox: Sandbox) -> None:
    events: list[Event] = []
    sandbox.fault("answer", status=503, times=1)
    with sandbox.client(Account(sandbox).credentials(), on_event=events.append) as client:
        exchange = client.exchange("GET", ECHO)
        until(exchange, Action.SEND)
        assert exchange.next() is Action.SEND
        send(exchange, sandbox)
        wait = exchange.next()
        assert isinstance(wait, Wait)
        assert 0 < wait.seconds <= 0.25
        assert [event.name for event in events] == ["retrying"]
        assert drive(exchange, sandbox).http_status == 200
    assert [request["status"] for request in sandbox.requests()] == [503, 200]


def test_a_post_is_sent_again_only_if_it_was_certainly_not_delivered(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        exchange = client.exchange("POST", ECHO)
        until(exchange, Action.SEND)
        exchange.failed("connect", request_sent=False)
        assert isinstance(exchange.next(), Wait)
        wait_until(lambda: exchange.next() is Action.SEND)
        exchange.failed("closed", request_sent=True)
        with pytest.raises(justcall_auth.ConnectionFailedError) as caught:
            exchange.next()
        assert (caught.value.reason, caught.value.request_sent) == ("receive", True)


def test_it_works_through_a_reset(sandbox: Sandbox, tmp_path: Path) -> None:
    account, file, events = Account(sandbox), tmp_path / "pair", list[Event]()
    put(file, account.line)

    def handler(event: Event) -> None:
        events.append(event)
        if event.name == "waiting_for_source":
            put(file, account.line)

    with client_of(sandbox, f"file:{file}", rotation_wait=10, on_event=handler) as client:
        drive(client.exchange("GET", ECHO), sandbox)
        account.reset()
        assert drive(client.exchange("GET", ECHO), sandbox).http_status == 200
        assert client.authorization() == account.line.strip()
    names = [event.name for event in events]
    assert names == ["pair_rejected", "waiting_for_source", "source_changed", "rotated"]
    assert [request["status"] for request in sandbox.requests()] == [200, 401, 200]


def test_it_verifies_the_account_first_if_one_is_expected(sandbox: Sandbox) -> None:
    account = Account(sandbox)
    number = account.pair["account_id"]
    with sandbox.client(account.credentials(), expected_account=number) as client:
        exchange = client.exchange("POST", ECHO, json=1, headers={"X-Own": "x"})
        until(exchange, Action.SEND)
        assert exchange.is_verifying
        assert (exchange.method, exchange.body, exchange.max_body) == ("GET", None, 64 * 1024)
        assert exchange.url.endswith("/v2/account")
        assert "x-own" not in exchange.headers
        send(exchange, sandbox)
        assert exchange.next() is Action.SEND
        assert not exchange.is_verifying
        assert (exchange.method, exchange.body) == ("POST", b"1")
        assert drive(exchange, sandbox).http_status == 200
    with sandbox.client(account.credentials(), expected_account=number + 1) as client:
        with pytest.raises(justcall_auth.WrongAccountError):
            drive(client.exchange("POST", ECHO), sandbox)


def test_it_refuses_invalid_values(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        impossible: list[Callable[[], object]] = [
            lambda: client.exchange("get", ECHO),
            lambda: client.exchange("GET", "//evil.example"),
            lambda: client.exchange("GET", ECHO, headers={"Authorization": "x"}),
            lambda: client.exchange("GET", ECHO, json=1, data=b""),
        ]
        for make in impossible:
            with pytest.raises(justcall_auth.InvalidArgumentError):
                make()
        exchange = client.exchange("GET", ECHO)
        too_early: list[Callable[[], object]] = [exchange.authorization, exchange.response]
        for early in too_early:
            with pytest.raises(justcall_auth.InvalidArgumentError):
                early()
        exchange.answered(200, {}, b"")  # Does nothing, because the action is not `SEND`.
        exchange.failed("closed", request_sent=False)
        until(exchange, Action.SEND)
        wrong: Any = "handshake"
        with pytest.raises(justcall_auth.InvalidArgumentError, match="cause is not one of resolve, connect"):
            exchange.failed(wrong, request_sent=False)
        with pytest.raises(justcall_auth.InvalidArgumentError, match="http_status"):
            exchange.answered(-1, {}, b"")
        wrong = {1: 2}
        with pytest.raises(TypeError, match="headers must be"):
            exchange.answered(200, wrong, b"")
        assert drive(exchange, sandbox).http_status == 200


@pytest.mark.parametrize("headers", [{"X-A": "b"}, [("X-A", "b")], [(b"X-A", b"b")]])
def test_it_accepts_the_headers_of_every_client(sandbox: Sandbox, headers: Any) -> None:
    with sandbox.client() as client:
        exchange = client.exchange("GET", ECHO)
        until(exchange, Action.SEND)
        exchange.answered(200, headers, memoryview(b"{}"))
        assert exchange.next() is Action.DONE
        assert exchange.response().headers["x-a"] == "b"


def test_closing_the_client_ends_it(sandbox: Sandbox) -> None:
    client = sandbox.client()
    exchange = client.exchange("GET", ECHO)
    until(exchange, Action.SEND)
    client.close()
    with pytest.raises(justcall_auth.CallCancelledError):
        exchange.next()
    with pytest.raises(justcall_auth.CallCancelledError, match="The client is closed"):
        client.exchange("GET", ECHO)


def test_a_closed_exchange_refuses_everything(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        with client.exchange("GET", ECHO) as exchange:
            assert repr(exchange) == "<Exchange open>"
            until(exchange, Action.SEND)
        exchange.close()
        assert repr(exchange) == "<Exchange closed>"
        reads: list[Callable[[], object]] = [
            exchange.next,
            exchange.load,
            exchange.authorization,
            exchange.response,
            exchange.__enter__,
            lambda: exchange.url,
            lambda: exchange.answered(200, {}, b""),
        ]
        for read in reads:
            with pytest.raises(justcall_auth.CallCancelledError, match="The exchange is closed"):
                read()
        assert client.get(ECHO).http_status == 200


@pytest.mark.parametrize("end", [Exchange.close, lambda _: None], ids=["closed", "dropped"])
def test_a_cancelled_exchange_does_not_block_other_calls(
    sandbox: Sandbox, end: Callable[[Exchange], None]
) -> None:
    with sandbox.client(timeout=10) as client:
        exchange = client.exchange("GET", ECHO)
        assert exchange.next() is Action.LOAD
        end(exchange)
        del exchange
        with within(SOON):
            client.verify()


def test_others_wait_while_it_loads_and_it_is_for_one_thread_at_a_time(sandbox: Sandbox) -> None:
    goes_on, asked = threading.Event(), threading.Event()

    def source() -> justcall_auth.Credentials:
        asked.set()
        assert goes_on.wait(10)
        return sandbox.credentials()

    with client_of(sandbox, source) as client:
        exchange = client.exchange("GET", ECHO)
        assert exchange.next() is Action.LOAD
        loader = threading.Thread(target=exchange.load)
        loader.start()
        assert asked.wait(10)
        uses: list[Callable[[], object]] = [exchange.next, lambda: exchange.url, exchange.load]
        for use in uses:
            with pytest.raises(justcall_auth.InvalidArgumentError, match="in use by another thread"):
                use()
        other = client.exchange("GET", ECHO)
        assert isinstance(other.next(), Wait)
        goes_on.set()
        loader.join(10)
        assert drive(exchange, sandbox).http_status == 200
        assert drive(other, sandbox).http_status == 200


def test_an_exchange_that_is_closed_during_a_load_ends_after_it(sandbox: Sandbox) -> None:
    goes_on, asked = threading.Event(), threading.Event()

    def source() -> justcall_auth.Credentials:
        asked.set()
        assert goes_on.wait(10)
        return sandbox.credentials()

    with client_of(sandbox, source, timeout=10) as client:
        exchange = client.exchange("GET", ECHO)
        assert exchange.next() is Action.LOAD
        loader = threading.Thread(target=exchange.load)
        loader.start()
        assert asked.wait(10)
        exchange.close()
        goes_on.set()
        loader.join(10)
        with pytest.raises(justcall_auth.CallCancelledError):
            exchange.next()
        client.verify()


def test_a_source_that_raises_is_the_cause(sandbox: Sandbox) -> None:
    def source() -> justcall_auth.Credentials:
        raise LookupError("canary")

    with client_of(sandbox, source) as client, pytest.raises(justcall_auth.SourceUnavailableError) as caught:
        drive(client.exchange("GET", ECHO), sandbox)
    assert caught.value.message == "The source callable raised LookupError."


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_an_exception_that_ends_programs_is_raised_unchanged(
    sandbox: Sandbox, ending: type[BaseException]
) -> None:
    def source() -> justcall_auth.Credentials:
        raise ending

    with client_of(sandbox, source) as client:
        exchange = client.exchange("GET", ECHO)
        assert exchange.next() is Action.LOAD
        with pytest.raises(ending):
            exchange.load()


def test_a_handler_may_not_use_the_exchange_of_its_event(sandbox: Sandbox) -> None:
    refused: list[str] = []

    def handler(_: Event) -> None:
        with pytest.raises(justcall_auth.InvalidArgumentError) as caught:
            exchange.next()
        refused.append(caught.value.message)
        client.get(ECHO)

    sandbox.fault("answer", status=503, times=1)
    with sandbox.client(Account(sandbox).credentials(), on_event=handler) as client:
        exchange = client.exchange("GET", ECHO)
        assert drive(exchange, sandbox).http_status == 200
    assert len(refused) == 1


def test_ctrl_c_ends_a_load(start: Start) -> None:
    child = start(
        """
client = justcall_auth.Client("command:sleep 60", base_url=os.environ["SANDBOX_URL"], timeout=None)
exchange = client.exchange("GET", "/v2.1/echo")
exchange.next()
print("ready", flush=True)
exchange.load()
"""
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    with within(SOON):
        child.send_signal(signal.SIGINT)
        code, _, errors = finish(child)
    assert (code, errors.splitlines()[-1]) == (-signal.SIGINT, "KeyboardInterrupt")


def test_a_child_of_fork_gets_an_error_and_harms_nothing(start: Start) -> None:
    script = """
import warnings
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
loading = client.exchange("GET", "/v2.1/echo")
loading.next()
child = os.fork()
if child == 0:
    for use in (loading.next, loading.next, loading.response):
        try:
            use()
        except justcall_auth.InvalidArgumentError as error:
            print(error.message, flush=True)
    loading.load()
    loading.answered(200, {}, b"")
    loading.failed("closed", False)
    loading.close()
    client.verify()
    os._exit(0)
print(os.waitpid(child, 0)[1], flush=True)
loading.load()
print(loading.next().name)
"""
    refusal = "This exchange was created before fork(). Create a new exchange in the child process.\n"
    code, output, errors = finish(start(script))
    assert (code, errors) == (0, "")
    assert output == refusal * 2 + "The call has not ended yet.\n0\nSEND\n"


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_it_cannot_be_copied_or_pickled(sandbox: Sandbox, duplicate: Callable[[Exchange], object]) -> None:
    with sandbox.client() as client, pytest.raises(TypeError, match="belongs to its process"):
        duplicate(client.exchange("GET", ECHO))


def test_a_wait_is_a_value() -> None:
    assert Wait(0.5) == pickle.loads(pickle.dumps(Wait(0.5))) == copy.copy(Wait(0.5))
    assert len({Wait(0.5), Wait(0.5)}) == 1
    assert [pickle.loads(pickle.dumps(action)) for action in Action] == list(Action)


def test_an_exchange_keeps_its_client_and_both_are_collected(sandbox: Sandbox) -> None:
    class Owner:
        def __init__(self) -> None:
            self.exchange = client_of(sandbox, self.load).exchange("GET", ECHO)

        def load(self) -> justcall_auth.Credentials:
            return sandbox.credentials()

    owner = Owner()
    assert drive(owner.exchange, sandbox).http_status == 200
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None
