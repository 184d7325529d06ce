"""Runs `tests/vectors/verify/` against the sandbox, as the runners of the other languages do."""

from __future__ import annotations

import json
import traceback
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from support import ROOT, Sandbox, only_known

if TYPE_CHECKING:
    from pathlib import Path

VECTORS = sorted((ROOT / "tests/vectors/verify").glob("*.json"))

KEYS = {"about", "pair", "credentials", "faults", "config", "expect", "requests"}
CONFIG_KEYS = {"timeout_ms", "max_retries", "verify_path"}
ACCOUNT_KEYS = {"id", "email", "plan", "verified_by"}
ERROR_KEYS = {
    "name",
    "code",
    "http_status",
    "retryable",
    "request_sent",
    "retry_after_ms",
    "reason",
    "service_message",
    "message_contains",
    "hint_contains",
}


def pair_of(vector: dict[str, Any], made: dict[str, Any]) -> tuple[str, str]:
    """Returns the key and secret of the client."""
    wanted = vector["credentials"]
    if wanted == "good":
        return made["api_key"], made["api_secret"]
    if wanted == "wrong_secret":
        return made["api_key"], "0" * 40
    only_known(wanted, {"api_key", "api_secret"}, all_of_them=True)
    return wanted["api_key"], wanted["api_secret"]


def run(sandbox: Sandbox, vector: dict[str, Any]) -> None:
    """Makes the call that the vector describes, and compares the result."""
    only_known(vector, KEYS, all_of_them=True)
    config = only_known(vector["config"], CONFIG_KEYS)
    expect = only_known(vector["expect"], {"account", "error"})
    assert len(expect) == 1, "either an account or an error is expected"

    key, secret = pair_of(vector, sandbox.control("POST", "pairs", vector["pair"]))
    for fault in vector["faults"]:
        sandbox.control("POST", "faults", fault)
    settings = {"max_retries": config["max_retries"]}
    if "timeout_ms" in config:
        settings["timeout"] = config["timeout_ms"] / 1000
    if "verify_path" in config:
        settings["verify_path"] = config["verify_path"]

    try:
        credentials = justcall_auth.Credentials(key, secret)
        with sandbox.client(credentials, **settings) as client:
            account = client.verify()
    except justcall_auth.JustCallError as error:
        assert "error" in expect, str(error)
        compare_error(error, only_known(expect["error"], ERROR_KEYS, all_of_them=True))
        assert_not_shown(secret, error)
    else:
        actual = {
            "id": account.id or 0,
            "email": account.email,
            "plan": account.plan,
            "verified_by": account.verified_by,
        }
        assert actual == only_known(expect["account"], ACCOUNT_KEYS, all_of_them=True)
    if vector["requests"] is not None:
        assert len(sandbox.requests()) == vector["requests"]


def compare_error(error: justcall_auth.JustCallError, expect: dict[str, Any]) -> None:
    """Compares every attribute with the expected value."""
    actual = {
        "name": error.name,
        "code": error.code,
        "http_status": error.http_status,
        "retryable": error.retryable,
        "request_sent": error.request_sent,
        "retry_after_ms": None if error.retry_after is None else round(error.retry_after * 1000),
        "reason": error.reason,
        "service_message": error.service_message,
    }
    assert actual == {name: expect[name] for name in actual}, str(error)
    for wanted in expect["message_contains"]:
        assert wanted in error.message
    for wanted in expect["hint_contains"]:
        assert wanted in error.hint


def assert_not_shown(secret: str, error: justcall_auth.JustCallError) -> None:
    """Checks that no text of the error contains the secret, if it is long enough to be unique."""
    shown = [
        str(error),
        repr(error),
        error.message,
        error.hint,
        str(error.service_message),
        repr(error.__dict__),
    ]
    shown += traceback.format_exception(type(error), error, error.__traceback__)
    assert len(secret) < 8 or not any(secret in text for text in shown)


def test_it_has_vectors_to_run() -> None:
    assert len(VECTORS) >= 40


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_every_vector_has_its_row_of_the_table(sandbox: Sandbox, path: Path) -> None:
    run(sandbox, json.loads(path.read_text(encoding="utf-8")))


GOOD: dict[str, Any] = {
    "about": "",
    "pair": {"account_id": 1, "email": "a@b.example"},
    "credentials": "good",
    "faults": [],
    "config": {"max_retries": 0},
    "expect": {"account": {"id": 1, "email": "a@b.example", "plan": "Pro", "verified_by": "/v2/account"}},
    "requests": 1,
}


def test_it_fails_on_a_vector_that_it_does_not_know(sandbox: Sandbox) -> None:
    run(sandbox, GOOD)
    sandbox.control("POST", "clear", {})
    wrong: list[dict[str, Any]] = [
        {"weather": "fine"},
        {"config": {"max_retries": 0, "weather": "fine"}},
        {"expect": {}},
        {"expect": {"account": {"id": 1}}},
        {"pair": {"account_id": 2, "email": "a@b.example"}},
        {"requests": 2},
        {"credentials": "wrong_secret"},
    ]
    for change in wrong:
        with pytest.raises(AssertionError):
            run(sandbox, {**GOOD, **change})
        sandbox.control("POST", "clear", {})
