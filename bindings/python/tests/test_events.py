"""Events, their receivers, and calls whose handler raises an exception."""

from __future__ import annotations

import gc
import inspect
import logging
import signal
import sys
import threading
import typing
import weakref
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from justcall_auth import Client, Event, _event, _native
from support import Account, client_of, finish, put, wait_until, within

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support import Sandbox, Start

ECHO = "/v2.1/echo"


def names(events: list[Event]) -> list[str]:
    """Returns the names of the events, in their order."""
    return [event.name for event in events]


def test_it_knows_every_event_of_the_library() -> None:
    typed = typing.get_type_hints(Event, vars(_event))["name"] if sys.version_info >= (3, 10) else None
    assert typed is None or list(typing.get_args(typed)) == _native.event_names()
    source = inspect.getsource(_event)
    assert [f"- `{name}`: " in source for name in _native.event_names()] == [True] * 9


def test_a_reset_is_reported_in_order(sandbox: Sandbox, tmp_path: Path) -> None:
    account, file, events = Account(sandbox), tmp_path / "pair", []
    put(file, account.line)

    def happened(event: Event) -> None:
        events.append(event)
        if event.name == "waiting_for_source":
            put(file, account.line)

    with client_of(sandbox, f"file:{file}", rotation_wait=10, on_event=happened) as client:
        assert client.get(ECHO).http_status == 200
        assert events == []
        account.reset()
        assert client.get(ECHO).http_status == 200
    assert names(events) == ["pair_rejected", "waiting_for_source", "source_changed", "rotated"]
    rejected, waiting, changed, rotated = events
    assert (rejected.generation, rejected.http_status, rejected.wait) == (1, 401, None)
    assert (waiting.generation, waiting.http_status, waiting.wait) == (1, 0, 10.0)
    assert (changed.generation, rotated.generation) == (2, 2)
    hint = account.credentials().key_hint
    assert hint in changed.message
    assert hint in rotated.message


def test_a_typo_in_the_source_is_reported_and_fails_no_call(sandbox: Sandbox, tmp_path: Path) -> None:
    account, file, events = Account(sandbox), tmp_path / "pair", list[Event]()
    put(file, account.line)
    with client_of(sandbox, f"file:{file}", on_event=events.append) as client:
        client.get(ECHO)
        put(file, f"{account.pair['api_key']}:{'0' * 40}\n")
        assert client.reload() is True
        assert names(events) == ["source_changed"]
        assert client.get(ECHO).http_status == 200
        assert names(events) == ["source_changed", "candidate_rejected"]
        assert events[1].http_status == 401
        assert client.get(ECHO).http_status == 200
        assert len(events) == 2


def test_a_retry_is_reported(sandbox: Sandbox) -> None:
    events: list[Event] = []
    sandbox.fault("answer", status=503, times=1, path=ECHO)
    with sandbox.client(on_event=events.append) as client:
        client.get(ECHO)
    retry = next(event for event in events if event.name == "retrying")
    assert retry.http_status == 503
    assert retry.wait is not None
    assert 0.1 <= retry.wait <= 0.25
    assert retry.generation == 0


def test_a_low_rate_limit_is_reported_once(sandbox: Sandbox) -> None:
    account, events = Account(sandbox), list[Event]()
    headers = {"X-Rate-Limit-Limit": "100", "X-Rate-Limit-Remaining": "9"}
    sandbox.fault("answer", status=200, body={}, headers=headers, path=ECHO)
    with sandbox.client(account.credentials(), on_event=events.append) as client:
        for _ in range(3):
            client.get(ECHO)
    low = [event for event in events if event.name == "rate_limit_low"]
    assert [event.message for event in low] == ["The account has 9 of 100 requests left in its rate limit."]


def test_it_is_called_by_the_thread_of_the_call(sandbox: Sandbox) -> None:
    threads: list[threading.Thread] = []

    def handler(_: Event) -> None:
        threads.append(threading.current_thread())

    sandbox.fault("answer", status=503, times=1)
    with sandbox.client(Account(sandbox).credentials(), on_event=handler) as client:
        worker = threading.Thread(target=client.verify)
        worker.start()
        worker.join()
    assert threads == [worker]


def test_events_are_logged(sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    account, file = Account(sandbox), tmp_path / "pair"
    put(file, account.line)
    events: list[Event] = []
    with caplog.at_level(logging.INFO):
        with client_of(sandbox, f"file:{file}", on_event=events.append) as client:
            client.get(ECHO)
            account.reset()
            with pytest.raises(justcall_auth.InvalidCredentialsError):
                client.get(ECHO)
    assert [vars(record)["justcall_event"] for record in caplog.records] == events
    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "justcall_auth",
            "WARNING" if event.name == "pair_rejected" else "INFO",
            f"{event.name}: {event.message}",
        )
        for event in events
    ]
    assert names(events)[-1] == "pair_rejected"


def test_its_logger_has_the_defaults_of_logging(sandbox: Sandbox, start: Start) -> None:
    sandbox.fault("answer", status=401)
    script = """
logger = logging.getLogger("justcall_auth")
logger.handlers.clear()
logging.lastResort = logging.NullHandler()
try:
    client.verify()
except justcall_auth.InvalidCredentialsError:
    pass
print(logger.handlers, logger.level, logger.propagate, logger.disabled, logging.getLogger().handlers)
"""
    assert finish(start(script)) == (0, "[] 0 True False []\n", "")
    assert sandbox.requests() != []


@pytest.fixture
def unraisable(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Collects the exceptions that are passed to `sys.unraisablehook`."""
    reports: list[Any] = []
    monkeypatch.setattr(
        sys, "unraisablehook", lambda report: reports.append((type(report.exc_value), report.object))
    )
    return reports


def test_a_handler_that_raises_changes_no_result(sandbox: Sandbox, unraisable: list[Any]) -> None:
    def handler(event: Event) -> None:
        raise ZeroDivisionError(event.name)

    sandbox.fault("answer", status=503, times=1, path=ECHO)
    with sandbox.client(Account(sandbox).credentials(), on_event=handler) as client:
        assert client.get(ECHO).http_status == 200
        reports = len(unraisable)
        sandbox.fault("answer", status=422, path=ECHO)
        sandbox.fault("answer", status=503, times=1, path=ECHO)
        with pytest.raises(justcall_auth.UnprocessableError) as caught:
            client.get(ECHO)
    assert reports >= 1
    assert unraisable == [(ZeroDivisionError, handler)] * reports
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_handler_without_a_parameter_is_reported(sandbox: Sandbox, unraisable: list[Any]) -> None:
    wrong: Any = lambda: None  # noqa: E731 - it is compared with what is reported
    sandbox.fault("answer", status=503, times=1)
    with sandbox.client(Account(sandbox).credentials(), on_event=wrong) as client:
        client.verify()
    assert unraisable == [(TypeError, wrong)]


def test_a_log_handler_that_raises_changes_no_result(
    sandbox: Sandbox, unraisable: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: logging.LogRecord) -> bool:
        raise ZeroDivisionError

    logger = logging.getLogger("justcall_auth")
    monkeypatch.setattr(logger, "filters", [refuse])
    monkeypatch.setattr(logger, "isEnabledFor", lambda level: level > logging.DEBUG)
    events: list[Event] = []
    sandbox.fault("answer", status=503, times=1)
    with sandbox.client(Account(sandbox).credentials(), on_event=events.append) as client:
        client.verify()
    assert names(events) == ["retrying"]
    assert [kind for kind, _ in unraisable] == [ZeroDivisionError]


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_an_exception_that_ends_programs_ends_the_call(
    sandbox: Sandbox, unraisable: list[Any], ending: type[BaseException]
) -> None:
    def handler(event: Event) -> None:
        if event.name == "retrying":
            raise ending

    sandbox.fault("answer", status=503, path=ECHO)
    client = sandbox.client(Account(sandbox).credentials(), on_event=handler)
    with pytest.raises(ending):
        client.get(ECHO)
    assert len(sandbox.requests()) == 1
    assert unraisable == []
    sandbox.control("DELETE", "faults")
    assert client.get(ECHO).http_status == 200


def test_ctrl_c_while_a_handler_runs_ends_the_call(sandbox: Sandbox, start: Start) -> None:
    sandbox.fault("answer", status=503)
    child = start(
        """
def handler(event):
    if event.name == "retrying":
        print("ready", flush=True)
        while True:
            time.sleep(0.001)

client = justcall_auth.Client(base_url=os.environ["SANDBOX_URL"], ca_file=os.environ["SANDBOX_CA_FILE"],
    timeout=None, on_event=handler)
client.verify()
"""
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    with within(1.0):
        child.send_signal(signal.SIGINT)
        code, _, errors = finish(child)
    assert (code, errors.splitlines()[-1]) == (-signal.SIGINT, "KeyboardInterrupt")


def test_a_handler_may_use_the_client(sandbox: Sandbox, tmp_path: Path) -> None:
    account, file = Account(sandbox), tmp_path / "pair"
    put(file, account.line)
    seen: list[tuple[str, int]] = []

    def handler(event: Event) -> None:
        if event.name == "waiting_for_source":
            put(file, account.line)
        elif event.name in {"rotated", "source_changed"}:
            seen.append((event.name, client.get(f"{ECHO}/{event.name}").http_status))
        assert client.rate_limit is None or client.rate_limit.limit

    with client_of(sandbox, f"file:{file}", rotation_wait=10, timeout=20, on_event=handler) as client:
        client.get(ECHO)
        account.reset()
        client.get(ECHO)
    # The new pair may be proven by the handler's own call, or by the call that caused the event.
    assert {name for name, _ in seen} == {"rotated", "source_changed"}
    assert {status for _, status in seen} == {200}


def test_a_handler_may_close_the_client(sandbox: Sandbox) -> None:
    def handler(event: Event) -> None:
        if event.name == "retrying":
            client.close()

    sandbox.fault("answer", status=503, path=ECHO)
    client = sandbox.client(Account(sandbox).credentials(), on_event=handler)
    with pytest.raises(justcall_auth.CallCancelledError):
        client.get(ECHO)
    assert len(sandbox.requests()) == 1


def test_exceptions_of_a_call_in_a_handler_do_not_end_the_outer_call(sandbox: Sandbox) -> None:
    inner: list[BaseException] = []

    def broken() -> justcall_auth.Credentials:
        raise LookupError("inner")

    def handler(event: Event) -> None:
        if event.name == "retrying":
            with pytest.raises(justcall_auth.SourceUnavailableError) as caught:
                client_of(sandbox, broken).verify()
            assert caught.value.__cause__ is not None
            inner.append(caught.value.__cause__)

    sandbox.fault("answer", status=503, times=1, path=ECHO)
    with sandbox.client(Account(sandbox).credentials(), on_event=handler) as client:
        assert client.get(ECHO).http_status == 200
    assert [str(error) for error in inner] == ["inner"]


def test_a_client_and_the_handler_that_refers_to_it_are_collected(sandbox: Sandbox) -> None:
    class Owner:
        def __init__(self) -> None:
            self.client = sandbox.client(on_event=self.handler)

        def handler(self, event: Event) -> None:
            raise AssertionError(event)

    gone = weakref.ref(Owner())
    gc.collect()
    assert gone() is None


def test_an_event_is_a_value() -> None:
    event = Event("retrying", "The call is made again.", wait=1.5, http_status=503)
    assert event == Event("retrying", "The call is made again.", 0, 503, 1.5)
    assert repr(event) == (
        "Event(name='retrying', message='The call is made again.', generation=0, http_status=503, wait=1.5)"
    )


def replacing(sandbox: Sandbox, account: Account, events: list[Event]) -> Client:
    return sandbox.client(account.credentials(), on_event=events.append)


def test_replace_proves_a_pair_and_uses_it(sandbox: Sandbox) -> None:
    account, events = Account(sandbox), list[Event]()
    with replacing(sandbox, account, events) as client:
        client.verify()
        account.reset()
        events.clear()
        found = client.replace(account.credentials())
        assert found.id == account.pair["account_id"]
        assert names(events) == ["rotated"]
        assert client.get(ECHO).http_status == 200
        assert client.authorization() == account.line.strip()


def test_replace_keeps_the_pair_in_use_if_the_new_one_is_refused(sandbox: Sandbox) -> None:
    account = Account(sandbox)
    with replacing(sandbox, account, []) as client:
        with pytest.raises(justcall_auth.InvalidCredentialsError):
            client.replace(justcall_auth.Credentials(account.pair["api_key"], "0" * 40))
        assert client.get(ECHO).http_status == 200
        assert client.authorization() == account.line.strip()
        wrong: Any = account.line
        with pytest.raises(TypeError):
            client.replace(wrong)


def test_reload_returns_whether_the_source_has_another_pair(sandbox: Sandbox, tmp_path: Path) -> None:
    account, file = Account(sandbox), tmp_path / "pair"
    put(file, account.line)
    with client_of(sandbox, f"file:{file}") as client:
        assert client.reload() is True
        assert client.reload() is False
        account.reset()
        put(file, account.line)
        assert client.reload() is True
        assert client.get(ECHO).http_status == 200
        file.unlink()
        with pytest.raises(justcall_auth.SourceUnavailableError):
            client.reload()
        assert client.get(ECHO).http_status == 200
    assert {request["status"] for request in sandbox.requests()} == {200}


@pytest.mark.parametrize(
    "call", [Client.verify, Client.authorization, Client.reload, lambda client: client.protection]
)
def test_close_ends_a_call_that_waits_for_the_source_read_of_another_call(
    sandbox: Sandbox, call: Callable[[Client], object]
) -> None:
    goes_on, asked = threading.Event(), threading.Event()

    def source() -> justcall_auth.Credentials:
        asked.set()
        assert goes_on.wait(10)
        return sandbox.credentials()

    client = client_of(sandbox, source, timeout=None)
    ended: list[BaseException] = []

    def work(calling: Callable[[Client], object]) -> None:
        try:
            calling(client)
        except justcall_auth.JustCallError as error:
            ended.append(error)

    first = threading.Thread(target=work, args=(Client.verify,))
    first.start()
    assert asked.wait(10)
    second = threading.Thread(target=work, args=(call,))
    second.start()
    client.close()
    with within(1.0):
        second.join()
    assert [type(error) for error in ended] == [justcall_auth.CallCancelledError]
    goes_on.set()
    with within(1.0):
        first.join()
    assert [type(error) for error in ended] == [justcall_auth.CallCancelledError] * 2
    wait_until(lambda: not second.is_alive())
