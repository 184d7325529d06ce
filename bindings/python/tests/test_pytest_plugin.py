"""The pytest plugin: its fixtures, and what it leaves alone."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support import ROOT, SANDBOX_VARIABLE, sandbox_binary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def run(folder: Path, text: str, arguments: Sequence[str] = (), **variables: str) -> tuple[int, str]:
    """Runs pytest with a test file in a new process. Returns its exit code and output."""
    (folder / "test_program.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**os.environ, SANDBOX_VARIABLE: str(sandbox_binary()), **variables},
        capture_output=True,
        text=True,
        timeout=100,
    )
    return done.returncode, done.stdout + done.stderr


def test_pytest_loads_it_by_its_entry_point(tmp_path: Path) -> None:
    points = importlib.metadata.entry_points(group="pytest11")
    assert [point.value for point in points if point.name == "justcall_auth"] == ["justcall_auth_pytest"]
    code, output = run(tmp_path, "def test_a(justcall_client):\n    justcall_client.verify()\n")
    assert (code, "1 passed" in output) == (0, True), output


NATIVE = """
import sys

def test_nothing_native_is_imported():
    assert "justcall_auth_pytest" in sys.modules
    assert "justcall_auth._native" not in sys.modules
    assert "justcall_auth" not in sys.modules
"""


def test_it_imports_nothing_native_until_a_fixture_is_used(tmp_path: Path) -> None:
    code, output = run(tmp_path, NATIVE)
    assert (code, "1 passed" in output) == (0, True), output
    # The same test fails after a test that uses a fixture.
    code, output = run(tmp_path, "def test_a(justcall_client):\n    pass\n" + NATIVE)
    assert (code, "1 failed, 1 passed" in output) == (1, True), output


FIXTURES = """
import justcall_auth
import pytest

URL = "https://example.com/hooks/justcall"

def test_the_client_continues_through_a_reset(justcall_sandbox, justcall_client):
    justcall_client.verify()
    secret = justcall_sandbox.api_secret
    justcall_sandbox.reset()
    assert justcall_sandbox.api_secret != secret
    justcall_client.verify()
    assert justcall_client.generation == 2
    assert 401 in [request["status"] for request in justcall_sandbox.requests()]

@pytest.mark.parametrize("number", range(3))
def test_a_fault_ends_with_its_test(justcall_sandbox, number):
    assert justcall_sandbox.requests() == []
    client = justcall_sandbox.client(max_retries=0)
    client.get("/v2.1/calls")
    justcall_sandbox.fault("answer", status=503)
    with pytest.raises(justcall_auth.UnavailableError):
        client.get("/v2.1/calls")
    justcall_sandbox.clear_faults()
    client.get("/v2.1/calls")
    justcall_sandbox.fault("hang")

@pytest.mark.parametrize("number", range(3))
def test_a_rejected_pair_is_forgotten(justcall_sandbox, justcall_client, number):
    justcall_client.verify()
    justcall_sandbox.fault("answer", status=401)
    with pytest.raises(justcall_auth.InvalidCredentialsError):
        justcall_client.verify()

def test_an_account_may_be_of_another_plan(justcall_sandbox):
    account = justcall_sandbox.create_account(plan="Free")
    with account.client() as client, pytest.raises(justcall_auth.ForbiddenError):
        client.verify()

@pytest.mark.parametrize("kind", ["call.completed", "sms.received"])
def test_a_webhook_is_verified(justcall_client, sign_webhook, kind):
    verifier = justcall_auth.WebhookVerifier(justcall_client, url=URL)
    webhook = sign_webhook(URL, kind, {"id": 7})
    event = verifier.verify(webhook.headers, webhook.body)
    assert (event.type, event.json()["data"]) == (kind, {"id": 7})
    forged = sign_webhook(URL, kind, secret="0" * 40)
    with pytest.raises(justcall_auth.WebhookMismatchError):
        verifier.verify(forged.headers, forged.body)
    old = sign_webhook(URL, kind, timestamp=1)
    with pytest.raises(justcall_auth.WebhookStaleError):
        verifier.verify(old.headers, old.body)
"""


def test_its_fixtures_work(tmp_path: Path) -> None:
    code, output = run(tmp_path, FIXTURES)
    assert (code, "10 passed" in output) == (0, True), output


def test_a_rejected_pair_is_remembered_without_it(tmp_path: Path) -> None:
    # The positive control: without the hook of the plugin, the second test cannot send the pair.
    (tmp_path / "conftest.py").write_text(
        "def pytest_configure(config):\n"
        "    plugin = config.pluginmanager.get_plugin('justcall_auth')\n"
        "    config.pluginmanager.unregister(plugin)\n"
        "    del plugin.pytest_runtest_teardown\n"
        "    config.pluginmanager.register(plugin, 'justcall_auth')\n"
    )
    code, output = run(tmp_path, FIXTURES, ["-k", "forgotten"])
    assert (code, "2 failed, 1 passed" in output) == (1, True), output


def test_it_names_the_package_that_is_missing(tmp_path: Path) -> None:
    code, output = run(
        tmp_path, "def test_a(justcall_sandbox):\n    pass\n", **{SANDBOX_VARIABLE: "", "PATH": "/nowhere"}
    )
    assert code == 1
    assert "justcall-auth-sandbox is not installed: pip install 'justcall-auth[testing]'" in output


@pytest.mark.parametrize(("example", "passed"), [("sandbox", 5), ("respx", 2), ("httpserver", 2)])
def test_the_examples_of_the_guide_pass(tmp_path: Path, example: str, passed: int) -> None:
    text = (ROOT / f"examples/python/testing/test_{example}.py").read_text(encoding="utf-8")
    code, output = run(tmp_path, text)
    assert (code, f"{passed} passed" in output) == (0, True), output
