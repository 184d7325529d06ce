"""Tests a program with the sandbox: pytest test_sandbox.py."""

# ruff: noqa: D103, S101

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import justcall_auth

if TYPE_CHECKING:
    from justcall_auth_pytest import Sandbox, SignWebhook

URL = "https://example.com/hooks/justcall"


# [snippet]
def missed_calls(client: justcall_auth.Client) -> int:
    """The program under test: returns how many calls were missed."""
    return int(client.get("/v2.1/calls", params={"call_type": "missed"}).json()["count"])


def test_it_counts_missed_calls(justcall_client: justcall_auth.Client, justcall_sandbox: Sandbox) -> None:
    assert missed_calls(justcall_client) >= 0
    assert justcall_sandbox.requests()[-1]["query"] == "call_type=missed"


def test_it_continues_through_a_reset(
    justcall_client: justcall_auth.Client, justcall_sandbox: Sandbox
) -> None:
    missed_calls(justcall_client)
    justcall_sandbox.reset()
    missed_calls(justcall_client)
    assert justcall_client.generation == 2


def test_it_reports_a_failure_of_the_service(justcall_sandbox: Sandbox) -> None:
    justcall_sandbox.fault("answer", status=503, headers={"Retry-After": "0"})
    with justcall_sandbox.client(max_retries=1) as client, pytest.raises(justcall_auth.UnavailableError):
        missed_calls(client)
    assert len(justcall_sandbox.requests()) == 2


def test_a_free_plan_has_no_access(justcall_sandbox: Sandbox) -> None:
    account = justcall_sandbox.create_account(plan="Free")
    with account.client() as client, pytest.raises(justcall_auth.ForbiddenError):
        missed_calls(client)


def test_it_receives_a_webhook(justcall_client: justcall_auth.Client, sign_webhook: SignWebhook) -> None:
    verifier = justcall_auth.WebhookVerifier(justcall_client, url=URL)
    webhook = sign_webhook(URL, "call.completed", {"id": 100042})
    event = verifier.verify(webhook.headers, webhook.body)
    assert event.confirm(justcall_client).json()["data"]["id"] == 100042


# [/snippet]
