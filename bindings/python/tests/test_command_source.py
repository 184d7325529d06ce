"""A program as a source: how long a call waits for it."""

from __future__ import annotations

import json
import signal
import sys
import time
from typing import TYPE_CHECKING, NoReturn

import pytest

import justcall_auth
from support import Sandbox, within

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the programs are scripts of sh")

GOES_ON = ["echo JSON; exec >&-; sleep 60", "sleep 60 & echo JSON"]


def _source(sandbox: Sandbox, folder: Path, script: str) -> str:
    """Returns a source whose program is `script`, in which `JSON` is replaced by the sandbox's pair."""
    pair = json.dumps({"api_key": sandbox.api_key, "api_secret": sandbox.api_secret})
    file = folder / "program"
    file.write_text(script.replace("JSON", f"'{pair}'"))
    return f"command:sh {file}"


@pytest.mark.parametrize("script", GOES_ON)
def test_the_pair_of_a_program_that_keeps_running_is_used(
    sandbox: Sandbox, tmp_path: Path, script: str
) -> None:
    source = _source(sandbox, tmp_path, script)
    with within(9.0):
        loaded = justcall_auth.Credentials.load(source)
    assert loaded.key_hint == sandbox.credentials().key_hint
    client = justcall_auth.Client(source, timeout=8.0, base_url=sandbox.url, ca_file=sandbox.ca_file)
    with within(9.0), client:
        assert client.verify().id == 12345


class AlarmError(Exception):
    """The exception of the signal handler."""


@pytest.mark.parametrize("script", ["sleep 60", "exec >&-; sleep 60"])
def test_a_signal_ends_the_wait_for_a_program(sandbox: Sandbox, tmp_path: Path, script: str) -> None:
    def raised(_number: int, _frame: object) -> NoReturn:
        raise AlarmError

    before = signal.signal(signal.SIGALRM, raised)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        begun = time.monotonic()
        with pytest.raises(AlarmError):
            justcall_auth.Credentials.load(_source(sandbox, tmp_path, script))
        assert time.monotonic() - begun < 9.0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
