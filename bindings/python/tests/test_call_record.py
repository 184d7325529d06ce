"""The record of each call: on the logger at level DEBUG, and for the hooks of a client."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from typing import TYPE_CHECKING

import pytest

import justcall_auth
from adapters import ADAPTERS, Session
from justcall_auth import Action, CallRecord, Wait
from support import Account, wait_until
from test_exchange import until

if TYPE_CHECKING:
    from support import Sandbox

NUMBER = "14155550142"


def debug_records(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Returns the messages of the records at level DEBUG."""
    return [record.getMessage() for record in caplog.records if record.levelno == logging.DEBUG]


def test_a_call_is_logged_once_without_its_query_numbers_and_headers(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    account = Account(sandbox)
    with caplog.at_level(logging.DEBUG, "justcall_auth"), sandbox.client(account.credentials()) as client:
        client.get("/v2.1/calls/100042", params={"to": NUMBER}, headers={"X-Own": "canary"})
        client.post("/v2.1/echo", json={"to": NUMBER})
        client.verify()
        with pytest.raises(justcall_auth.NotFoundError):
            client.get(f"/v2.1/contacts/{NUMBER}/a-{NUMBER}")
    shown = debug_records(caplog)
    heads = [line.partition(" in ")[0] for line in shown]
    assert heads == [
        "GET /v2.1/calls/# 200",
        "POST /v2.1/echo 200",
        "GET /v2/account 200",
        "GET /v2.1/contacts/#/a-# 404 not_found",
    ]
    assert all(line.endswith(" ms, attempts: 1") for line in shown)
    text = "".join(shown) + "".join(str(vars(record)) for record in caplog.records)
    for hidden in (NUMBER, "canary", account.pair["api_secret"], account.pair["api_key"]):
        assert hidden not in text
    # The positive control: what is not hidden is found in the same text.
    assert "/v2.1/echo" in text


def test_nothing_is_logged_at_another_level(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "justcall_auth"), sandbox.client() as client:
        client.get("/v2.1/echo")
    assert debug_records(caplog) == []


def test_the_attempts_include_the_retries(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    sandbox.fault("answer", status=503, headers={"Retry-After": "0"}, times=2)
    with caplog.at_level(logging.DEBUG, "justcall_auth"), sandbox.client(max_retries=2) as client:
        client.get("/v2.1/echo")
        sandbox.fault("answer", status=503, headers={"Retry-After": "0"})
        with pytest.raises(justcall_auth.UnavailableError):
            client.get("/v2.1/echo")
    assert [line.rpartition(" ")[2] for line in debug_records(caplog)] == ["3", "3"]


def test_the_hooks_get_the_same_record_before_and_after_the_call(sandbox: Sandbox) -> None:
    seen: list[tuple[str, CallRecord, int, object]] = []

    def on_request(record: CallRecord) -> None:
        record.context = "span"
        seen.append(("request", record, record.http_status, record.seconds))

    def on_response(record: CallRecord) -> None:
        seen.append(("response", record, record.http_status, record.context))

    with sandbox.client(on_request=on_request, on_response=on_response) as client:
        client.get("/v2.1/echo")
        derived = client.with_options(timeout=5)
        derived.get("/v2.1/echo")
    assert [(kind, *rest) for kind, _, *rest in seen] == [
        ("request", 0, None),
        ("response", 200, "span"),
    ] * 2
    first, second = seen[0][1], seen[1][1]
    assert first is second
    assert first.seconds is not None
    assert (first.seconds > 0, first.attempts, first.error) == (True, 1, None)
    assert repr(first) == "<CallRecord GET /v2.1/echo: 200>"


def test_a_failure_has_its_name(sandbox: Sandbox) -> None:
    records: list[CallRecord] = []
    with sandbox.client(on_response=records.append) as client:
        sandbox.fault("answer", status=403)
        with pytest.raises(justcall_auth.ForbiddenError):
            client.get("/v2.1/echo")
        client.close()
        with pytest.raises(justcall_auth.CallCancelledError):
            client.get("/v2.1/echo")
    assert [(record.http_status, record.error) for record in records] == [(403, "forbidden")]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_exception_of_a_hook_does_not_end_the_call(sandbox: Sandbox) -> None:
    def fail(_: CallRecord) -> None:
        raise LookupError

    with sandbox.client(on_request=fail, on_response=fail) as client:
        assert client.get("/v2.1/echo").http_status == 200


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_log_handler_that_raises_changes_no_result(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[logging.LogRecord] = []

    def refuse(record: logging.LogRecord) -> bool:
        refused.append(record)
        raise ZeroDivisionError

    logger = logging.getLogger("justcall_auth")
    monkeypatch.setattr(logger, "filters", [refuse])
    monkeypatch.setattr(logger, "isEnabledFor", lambda _: True)
    with sandbox.client() as client:
        assert client.get("/v2.1/echo").http_status == 200
    assert len(refused) == 1


def test_an_exception_that_ends_programs_is_raised(sandbox: Sandbox) -> None:
    def end(_: CallRecord) -> None:
        raise KeyboardInterrupt

    with sandbox.client(on_request=end) as client, pytest.raises(KeyboardInterrupt):
        client.get("/v2.1/echo")
    assert sandbox.requests() == []
    with sandbox.client(on_response=end) as client, pytest.raises(KeyboardInterrupt):
        client.get("/v2.1/echo")
    wait_until(lambda: len(sandbox.requests()) == 1)


def test_a_hook_must_be_callable(sandbox: Sandbox) -> None:
    for name in ("on_request", "on_response"):
        with pytest.raises(TypeError, match="on_request and on_response"):
            sandbox.client(None, **{name: 1})


def test_a_call_of_an_exchange_has_one_record(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[tuple[str, CallRecord]] = []
    account = Account(sandbox)
    with (
        caplog.at_level(logging.DEBUG, "justcall_auth"),
        sandbox.client(
            account.credentials(),
            on_request=lambda record: seen.append(("request", record)),
            on_response=lambda record: seen.append(("response", record)),
        ) as client,
        client.exchange("GET", f"/v2.1/contacts/{NUMBER}", params={"to": NUMBER}) as exchange,
    ):
        assert [kind for kind, _ in seen] == ["request"]
        until(exchange, Action.SEND)
        exchange.authorization()
        exchange.answered(200, {"X-Own": "canary"}, b"{}")
        assert [kind for kind, _ in seen] == ["request"]
        for _ in range(2):
            assert exchange.next() is Action.DONE
    assert [kind for kind, _ in seen] == ["request", "response"]
    (_, record), (_, same) = seen
    assert record is same
    assert (record.http_status, record.error, record.attempts) == (200, None, 1)
    [line] = debug_records(caplog)
    assert line.startswith("GET /v2.1/contacts/# 200 in ")
    text = line + "".join(str(vars(one)) for one in caplog.records)
    for hidden in (NUMBER, "canary", account.pair["api_secret"], account.pair["api_key"]):
        assert hidden not in text


def test_the_record_of_an_exchange_has_its_failure_and_retries(sandbox: Sandbox) -> None:
    records: list[CallRecord] = []
    with sandbox.client(on_response=records.append, max_retries=1) as client:
        exchange = client.exchange("GET", "/v2.1/echo")
        until(exchange, Action.SEND)
        for _ in range(2):
            while isinstance(action := exchange.next(), Wait):
                time.sleep(action.seconds)
            exchange.authorization()
            exchange.answered(503, {"Retry-After": "0"}, b"{}")
        for _ in range(2):
            with pytest.raises(justcall_auth.UnavailableError):
                exchange.next()
        exchange.close()
        exchange = client.exchange("GET", "/v2.1/echo")
        until(exchange, Action.SEND)
        exchange.authorization()
        exchange.answered(503, {"Retry-After": "0"}, b"{}")
        while isinstance(action := exchange.next(), Wait):
            time.sleep(action.seconds)
        exchange.authorization()
        exchange.answered(201, {}, b"{}")
        assert exchange.next() is Action.DONE
    assert [(record.http_status, record.error, record.attempts) for record in records] == [
        (503, "unavailable", 2),
        (201, None, 2),
    ]


def test_an_exchange_that_is_closed_early_has_a_record(sandbox: Sandbox) -> None:
    records: list[CallRecord] = []
    with sandbox.client(on_response=records.append) as client:
        with client.exchange("GET", "/v2.1/echo"):
            pass
        exchange = client.exchange("GET", "/v2.1/echo")
        for _ in range(2):
            exchange.close()
        exchange = client.exchange("GET", "/v2.1/echo")
        client.close()
        with pytest.raises(justcall_auth.CallCancelledError):
            exchange.next()
        exchange.close()
    assert [(record.http_status, record.error) for record in records] == [(0, "cancelled")] * 3


def test_a_hook_that_ends_programs_ends_an_exchange(sandbox: Sandbox) -> None:
    def end(_: CallRecord) -> None:
        raise KeyboardInterrupt

    with sandbox.client(on_request=end) as client, pytest.raises(KeyboardInterrupt):
        client.exchange("GET", "/v2.1/echo")
    with sandbox.client(on_response=end) as client:
        exchange = client.exchange("GET", "/v2.1/echo")
        with pytest.raises(KeyboardInterrupt):
            exchange.close()
        exchange.close()


def test_a_hook_may_use_the_exchange(sandbox: Sandbox) -> None:
    closed: list[CallRecord] = []

    def close(record: CallRecord) -> None:
        exchange.close()
        closed.append(record)

    with sandbox.client(on_response=close) as client:
        exchange = client.exchange("GET", "/v2.1/echo")
        exchange.close()
    assert len(closed) == 1


def test_every_method_of_an_event_loop_has_one_record(sandbox: Sandbox) -> None:
    records: list[CallRecord] = []

    async def calls() -> None:
        async with justcall_auth.AsyncClient(
            sandbox.credentials(), base_url=sandbox.url, ca_file=sandbox.ca_file, on_response=records.append
        ) as client:
            await client.verify()
            await client.get("/v2.1/calls/100042")
            with client.exchange("GET", "/v2.1/echo"):
                pass

    asyncio.run(calls())
    assert [(record.path, record.error) for record in records] == [
        ("/v2/account", None),
        ("/v2.1/calls/#", None),
        ("/v2.1/echo", "cancelled"),
    ]


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.__name__)
def test_a_call_of_each_adapter_has_one_record(
    sandbox: Sandbox, adapter: type[Session], caplog: pytest.LogCaptureFixture
) -> None:
    begun: list[CallRecord] = []
    records: list[CallRecord] = []
    account = Account(sandbox)
    with (
        caplog.at_level(logging.DEBUG, "justcall_auth"),
        sandbox.client(account.credentials(), on_request=begun.append, on_response=records.append) as client,
    ):
        session = adapter(sandbox, client)
        session.call("GET", f"/v2.1/calls/100042?to={NUMBER}")
        sandbox.fault("answer", status=503, headers={"Retry-After": "0"}, times=1)
        session.call("GET", "/v2.1/echo")
        with pytest.raises(justcall_auth.NotFoundError):
            session.call("GET", f"/v2.1/contacts/{NUMBER}")
        shown = adapter(sandbox, client, raise_for_status=False)
        assert shown.call("GET", f"/v2.1/contacts/{NUMBER}").status == 404
    expected = [
        ("/v2.1/calls/#", 200, None, 1),
        ("/v2.1/echo", 200, None, 2),
        ("/v2.1/contacts/#", 404, "not_found", 1),
        ("/v2.1/contacts/#", 404, "not_found", 1),
    ]
    assert [(one.path, one.http_status, one.error, one.attempts) for one in records] == expected
    assert begun == records
    lines = debug_records(caplog)
    assert [line.split()[1] for line in lines] == [path for path, *_ in expected]
    text = "".join(lines) + "".join(str(vars(one)) for one in caplog.records)
    for hidden in (NUMBER, account.pair["api_secret"], account.pair["api_key"]):
        assert hidden not in text


# httpx leaves generators to the garbage collector after a body that is too long.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.__name__)
def test_a_failure_of_each_adapter_has_one_record(sandbox: Sandbox, adapter: type[Session]) -> None:
    records: list[CallRecord] = []
    with sandbox.client(on_response=records.append, max_retries=0, max_response_length=64) as client:
        sandbox.fault("reset_after_request", times=1)
        with pytest.raises(Exception):  # noqa: B017, PT011 - an auth class raises the error of the library
            adapter(sandbox, client).call("GET", "/v2.1/echo")
        # The exception of requests refers to the call.
        gc.collect()
        with pytest.raises(justcall_auth.InvalidResponseError):
            adapter(sandbox, client).call("GET", "/v2.1/calls")
    # An auth class does not learn of failures of the network.
    first = "cancelled" if adapter.is_auth else "connection_failed"
    assert [(one.path, one.error) for one in records] == [
        ("/v2.1/echo", first),
        ("/v2.1/calls", "invalid_response"),
    ]
