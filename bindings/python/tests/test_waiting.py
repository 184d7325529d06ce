"""While a call waits, other threads run, and signals and `close()` can end it."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from support import SOON, finish, hang, wait_until, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support import Sandbox, Start


def test_it_lets_other_threads_run_while_a_call_waits(sandbox: Sandbox) -> None:
    hang(sandbox)
    ticks = 0
    done = threading.Event()

    def count() -> None:
        nonlocal ticks
        while not done.wait(0.001):
            ticks += 1

    counter = threading.Thread(target=count)
    with sandbox.client(timeout=0.5) as client:
        counter.start()
        with pytest.raises(justcall_auth.RequestTimeoutError):
            client.verify()
        counted = ticks
        done.set()
        counter.join()
    assert counted > 50


def test_it_serves_eight_threads_with_one_client(sandbox: Sandbox) -> None:
    threads, calls = 8, 10
    together = threading.Barrier(threads)
    seen: list[justcall_auth.Account] = []

    with sandbox.client() as client:

        def work() -> None:
            together.wait(10)
            for _ in range(calls):
                seen.append(client.verify())
                assert client.authorization() == f"{sandbox.api_key}:{sandbox.api_secret}"

        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert len(seen) == threads * calls
    assert len(set(seen)) == 1
    assert len(sandbox.requests()) == threads * calls


@pytest.mark.parametrize("fault", ["hang", "hang_body", "hang_handshake"])
def test_ctrl_c_ends_a_waiting_call(sandbox: Sandbox, start: Start, fault: str) -> None:
    sandbox.fault(fault)
    child = start("print('ready', flush=True)\nclient.verify()")
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    if fault == "hang_handshake":
        time.sleep(0.3)  # No request shows that the call waits.
    else:
        wait_until(sandbox.requests)
    with within(SOON):
        child.send_signal(signal.SIGINT)
        code, _, errors = finish(child)
    assert code == -signal.SIGINT
    assert errors.endswith("KeyboardInterrupt\n")
    assert errors.count("Traceback") == 1


def test_ctrl_c_ends_a_post_whose_response_does_not_arrive(sandbox: Sandbox, start: Start) -> None:
    sandbox.fault("hang", method="POST")
    child = start("client.post('/v2.1/echo', json={'a': 1}, timeout=0)")
    wait_until(sandbox.requests)
    with within(SOON):
        child.send_signal(signal.SIGINT)
        code, _, errors = finish(child)
    assert (code, errors.splitlines()[-1]) == (-signal.SIGINT, "KeyboardInterrupt")
    assert len(sandbox.requests()) == 1


def test_ctrl_c_ends_a_wait_before_a_retry(sandbox: Sandbox, start: Start) -> None:
    sandbox.fault("answer", status=429, headers={"Retry-After": "60"})
    child = start("client.verify()")
    wait_until(sandbox.requests)
    with within(SOON):
        child.send_signal(signal.SIGINT)
        code, _, errors = finish(child)
    assert (code, errors.splitlines()[-1]) == (-signal.SIGINT, "KeyboardInterrupt")


def test_a_client_is_usable_after_ctrl_c(sandbox: Sandbox, start: Start) -> None:
    hang(sandbox)
    child = start(
        """
try:
    client.verify()
except KeyboardInterrupt:
    print(client.verify().verified_by)
""",
    )
    wait_until(sandbox.requests)
    child.send_signal(signal.SIGINT)
    assert finish(child) == (0, "/v2/account\n", "")


@contextlib.contextmanager
def alarm(handler: Any, delay: float = 0.2) -> Iterator[None]:
    """Calls `handler` as the handler of a signal that arrives after `delay` seconds."""
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, delay)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_signal_handler_may_call_the_client_that_is_waiting(sandbox: Sandbox) -> None:
    hang(sandbox)
    seen: list[justcall_auth.Account] = []
    with sandbox.client(timeout=1.0) as client:
        with alarm(lambda *_: seen.append(client.verify())):
            with pytest.raises(justcall_auth.RequestTimeoutError):
                client.verify()  # It continues to wait after the handler.
    assert [account.verified_by for account in seen] == ["/v2/account"]


def test_it_raises_the_exception_of_a_signal_handler(sandbox: Sandbox) -> None:
    def handler(*_: object) -> None:
        raise ZeroDivisionError("of the handler")

    hang(sandbox)
    with sandbox.client(timeout=None) as client, alarm(handler), within(0.2 + SOON):
        with pytest.raises(ZeroDivisionError, match="of the handler") as caught:
            client.verify()
    assert caught.value.__context__ is None


def test_a_signal_that_raises_nothing_does_not_end_the_call(sandbox: Sandbox) -> None:
    sandbox.fault("delay", ms=500)
    calls: list[object] = []
    with sandbox.client() as client, alarm(lambda *_: calls.append(1)):
        client.verify()
    assert calls == [1]


def test_a_signal_handler_may_close_the_client_that_is_waiting(sandbox: Sandbox) -> None:
    hang(sandbox)
    with sandbox.client(timeout=None) as client, alarm(lambda *_: client.close()), within(0.2 + SOON):
        with pytest.raises(justcall_auth.CallCancelledError):
            client.verify()


def test_close_ends_the_waiting_calls_of_other_threads(sandbox: Sandbox) -> None:
    sandbox.fault("hang")
    ended: list[BaseException] = []
    client = sandbox.client(timeout=None)

    def work() -> None:
        try:
            client.verify()
        except justcall_auth.JustCallError as error:
            ended.append(error)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    wait_until(lambda: len(sandbox.requests()) == 3)
    with within(SOON):
        client.close()
        for worker in workers:
            worker.join()
    assert [type(error) for error in ended] == [justcall_auth.CallCancelledError] * 3


def test_a_closed_client_refuses_every_call(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        assert repr(client) == "<Client open>"
        client.verify()
    client.close()
    assert repr(client) == "<Client closed>"
    calls = (client.verify, client.authorization, client.__enter__, lambda: client.get("/v2.1/echo"))
    for call in calls:
        with pytest.raises(justcall_auth.CallCancelledError, match="The client is closed") as caught:
            call()
        assert caught.value.request_sent is False
    assert len(sandbox.requests()) == 1


def test_threads_may_use_and_close_a_closed_client_at_once(start: Start) -> None:
    script = """
sys.setswitchinterval(1e-6)  # Threads switch after a few bytecodes: a held lock stops all of them.
client.close()
seen = []

def work():
    for _ in range(300):
        try:
            client.verify()
        except justcall_auth.CallCancelledError:
            seen.append(repr(client))
        client.close()

workers = [threading.Thread(target=work) for _ in range(8)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
print(len(seen))
"""
    assert finish(start(script), 60) == (0, "2400\n", "")


def test_a_with_block_closes_the_client_and_lets_exceptions_pass(sandbox: Sandbox) -> None:
    client = sandbox.client()
    with pytest.raises(ZeroDivisionError), client as entered:
        assert entered is client
        raise ZeroDivisionError
    assert repr(client) == "<Client closed>"


def test_closing_one_client_leaves_others_open(sandbox: Sandbox) -> None:
    credentials = sandbox.credentials()
    with sandbox.client(credentials) as other:
        sandbox.client(credentials).close()
        other.verify()


def test_the_interpreter_ends_while_a_daemon_thread_waits(sandbox: Sandbox, start: Start) -> None:
    sandbox.fault("hang")
    child = start(
        """
threading.Thread(target=client.verify, daemon=True).start()
sys.stdin.read()
time.sleep(0.5)
print("end")
""",
    )
    wait_until(sandbox.requests)
    code, output, errors = finish(child)
    assert (code, output, errors) == (0, "end\n", "")


def test_a_dropped_client_does_not_disturb_its_call(sandbox: Sandbox) -> None:
    sandbox.fault("delay", ms=300)
    seen: list[justcall_auth.Account] = []
    worker = threading.Thread(target=lambda: seen.append(sandbox.client().verify()))
    worker.start()
    worker.join()
    assert seen[0].verified_by == "/v2/account"
