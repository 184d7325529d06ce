"""`JUSTCALL_LOG=debug` writes the record of each call on standard error, and never a secret."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support import CLIENT, Account, put

if TYPE_CHECKING:
    from pathlib import Path

    from support import Sandbox

CANARY = "canary-of-a-header"

NUMBER = "14155550142"

CALLS = f"""
client.get("/v2.1/calls/100042", params={{"to": "{NUMBER}"}}, headers={{"X-Own": "{CANARY}"}})
client.post("/v2.1/echo", json={{"to": "{NUMBER}"}})
client.verify()
try:
    client.get("/v2.1/contacts/{NUMBER}")
except justcall_auth.NotFoundError:
    pass
"""

RECORDS = [
    "GET /v2.1/calls/# 200",
    "POST /v2.1/echo 200",
    "GET /v2/account 200",
    "GET /v2.1/contacts/# 404 not_found",
]

SHOW = f"""
print("{CANARY}", client.authorization(), file=sys.stderr)
"""
"""Shows what no record may have."""


def run(
    sandbox: Sandbox,
    script: str,
    value: str | None = "debug",
    before: str = "",
    account: Account | None = None,
) -> list[str]:
    """Returns the lines on standard error of a program with this value of the variable."""
    environment = sandbox.environment()
    # Other tests use the first account too, and an event about its rate limit would be another line.
    pair = (account or Account(sandbox)).pair
    environment.update(JUSTCALL_API_KEY=pair["api_key"], JUSTCALL_API_SECRET=pair["api_secret"])
    if value is not None:
        environment["JUSTCALL_LOG"] = value
    done = subprocess.run(
        [sys.executable, "-c", before + CLIENT + script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()


def heads(lines: list[str]) -> list[str]:
    """Returns the records in the lines, without the times. Every line must be a record."""
    matches = [re.fullmatch(r"DEBUG:justcall_auth:(.+) in \d+ ms, attempts: 1", line) for line in lines]
    assert all(matches), lines
    return [match[1] for match in matches if match]


def leaks(text: str, account: Account) -> list[str]:
    """Returns what the text has that no record may have."""
    hidden = (CANARY, NUMBER, account.pair["api_key"], account.pair["api_secret"])
    return [one for one in hidden if one in text]


def test_it_writes_one_record_for_each_call_without_a_secret(sandbox: Sandbox) -> None:
    account = Account(sandbox)
    lines = run(sandbox, CALLS, account=account)
    assert heads(lines) == RECORDS
    assert leaks("\n".join(lines), account) == []
    # The positive control: the search finds what the program itself shows.
    shown = run(sandbox, CALLS + SHOW, account=account)
    assert leaks("\n".join(shown), account) == [CANARY, account.pair["api_key"], account.pair["api_secret"]]


@pytest.mark.parametrize("value", [None, ""])
def test_it_writes_nothing_by_default(sandbox: Sandbox, value: str | None) -> None:
    assert run(sandbox, CALLS, value) == []


def test_a_line_break_after_the_value_is_ignored(sandbox: Sandbox) -> None:
    assert heads(run(sandbox, CALLS, "debug\n")) == RECORDS


@pytest.mark.parametrize("value", ["info", "DEBUG ", "1", "abc123def456:sec789xyz000"])
def test_another_value_is_reported_once_and_not_shown(sandbox: Sandbox, value: str) -> None:
    threads = """
threads = [threading.Thread(target=client.get, args=("/v2.1/echo",)) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    [line] = run(sandbox, threads + CALLS, value)
    assert line.startswith("the value of JUSTCALL_LOG is ignored")
    assert "sec789xyz000" not in line


def test_a_record_is_shown_once_if_the_program_logs_it(sandbox: Sandbox) -> None:
    before = "import logging\nlogging.basicConfig(level=logging.{})\n"
    assert heads(run(sandbox, CALLS, before=before.format("DEBUG"))) == RECORDS
    assert heads(run(sandbox, CALLS, before=before.format("INFO"))) == RECORDS
    # The positive control: without the variable, the level decides.
    assert heads(run(sandbox, CALLS, None, before.format("DEBUG"))) == RECORDS
    assert run(sandbox, CALLS, None, before.format("INFO")) == []


def test_it_changes_no_setting_of_logging(sandbox: Sandbox) -> None:
    script = """
import logging
logger = logging.getLogger("justcall_auth")
assert (logger.level, logger.handlers, logger.propagate, logging.getLogger().handlers) == (0, [], True, [])
"""
    assert heads(run(sandbox, CALLS + script)) == RECORDS


def test_a_process_without_standard_error_makes_its_calls(sandbox: Sandbox) -> None:
    script = """
shown, sys.stderr = sys.stderr, None
client.get("/v2.1/echo")
sys.stderr = shown
client.get("/v2.1/echo")
"""
    assert heads(run(sandbox, script)) == ["GET /v2.1/echo 200"]


def test_calls_of_an_event_loop_are_written(sandbox: Sandbox) -> None:
    script = """
import asyncio
async def main():
    async with justcall_auth.AsyncClient(
        base_url=os.environ["SANDBOX_URL"], ca_file=os.environ["SANDBOX_CA_FILE"]) as client:
        await client.get("/v2.1/calls/100042")
asyncio.run(main())
"""
    assert heads(run(sandbox, script)) == ["GET /v2.1/calls/# 200"]


def test_a_process_with_more_privileges_than_its_user_ignores_it(sandbox: Sandbox, tmp_path: Path) -> None:
    assert os.geteuid() == 0, "this test creates a set-group-ID program: run it as root"
    python, pair = tmp_path / "python", tmp_path / "pair"
    shutil.copy(os.path.realpath(sys.executable), python)
    put(pair, Account(sandbox).line)
    script = f"""
import os, sys
sys.path[:0] = {sys.path!r}
import justcall_auth
with justcall_auth.Client("file:{pair}", base_url={sandbox.url!r}, ca_file={sandbox.ca_file!r}) as client:
    print(client.get("/v2.1/echo").http_status, os.getgid() == os.getegid())
"""

    def run_copy() -> tuple[str, str]:
        done = subprocess.run(
            [python, "-c", script],
            env={"JUSTCALL_LOG": "debug", "PYTHONHOME": sys.base_prefix},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    printed, written = run_copy()
    assert printed == "200 True\n"
    assert heads(written.splitlines()) == ["GET /v2.1/echo 200"], "the control: an ordinary program"
    os.chown(python, 0, 65534)
    python.chmod(0o2755)
    assert run_copy() == ("200 False\n", "")
