"""The record of each call: on the logger at level DEBUG, and for the hooks of a client."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

import justcall_auth
from justcall_auth import CallRecord
from support import Account, wait_until

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
