"""The protection of the pair between calls: levels that are requested, obtained and refused."""

from __future__ import annotations

import copy
import ctypes
import dataclasses
import os
import pickle
import sys
import threading
from typing import TYPE_CHECKING

import pytest

import justcall_auth
from justcall_auth import Client, Credentials, ProtectionReport
from support import finish

if TYPE_CHECKING:
    from pathlib import Path

    from support import Sandbox, Start

PAIR = Credentials("abc123def456", "sec789xyz000")

MEMFD_SECRET = 447
"""The number of the system call, the same on every architecture that has it."""

REFUSED = """
import resource
resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
if os.geteuid() == 0:  # The limit does not apply to root.
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)

def at(level):
    return justcall_auth.Client(memory_protection=level,
        base_url=os.environ["SANDBOX_URL"], ca_file=os.environ["SANDBOX_CA_FILE"])

def refusal(call):
    try:
        call()
    except justcall_auth.MemoryProtectionError as error:
        return error
"""
"""The first lines of a child process that cannot lock memory."""


def has_secretmem() -> bool:
    """Returns whether this system supports memory that not even the kernel can read."""
    if sys.platform != "linux":
        return False
    file: int = ctypes.CDLL(None).syscall(MEMFD_SECRET, 0)
    if file >= 0:
        os.close(file)
    return file >= 0


def output_of(start: Start, script: str) -> list[str]:
    """Runs the script, which must succeed without errors. Returns its lines."""
    code, output, errors = finish(start(REFUSED + script))
    assert (code, errors) == (0, "")
    return output.splitlines()


@pytest.mark.parametrize(("asked", "obtained"), [("auto", "locked"), ("strict", "locked"), ("heap", "heap")])
def test_it_reports_the_obtained_level(sandbox: Sandbox, asked: str, obtained: str) -> None:
    with sandbox.client(memory_protection=asked) as client:
        assert client.protection == ProtectionReport(asked, obtained, None)
        client.verify()
        assert client.authorization() == f"{sandbox.api_key}:{sandbox.api_secret}"
        assert client.protection == ProtectionReport(asked, obtained, None)


def test_it_obtains_secretmem_if_the_system_supports_it(sandbox: Sandbox) -> None:
    with sandbox.client(memory_protection="secretmem") as client:
        if has_secretmem():
            assert client.protection == ProtectionReport("secretmem", "secretmem", None)
            client.verify()
        else:
            with pytest.raises(justcall_auth.MemoryProtectionError, match="secretmem"):
                client.verify()


def test_the_default_is_auto() -> None:
    assert Client.from_credentials(PAIR).protection.asked == "auto"


def test_each_client_has_its_own_level() -> None:
    for level, obtained in (("heap", "heap"), ("strict", "locked"), ("heap", "heap")):
        assert Client.from_credentials(PAIR, memory_protection=level).protection.obtained == obtained


def test_it_lists_the_levels_when_it_refuses_another() -> None:
    with pytest.raises(justcall_auth.InvalidArgumentError) as caught:
        Client(memory_protection="locked")
    assert caught.value.message == (
        "The argument memory_protection is not one of auto, strict, heap, secretmem."
    )


def test_it_reads_the_source_as_a_call_does(tmp_path: Path) -> None:
    client = Client(f"file:{tmp_path / 'pair'}", memory_protection="heap")
    with pytest.raises(justcall_auth.SourceUnavailableError):
        client.protection  # noqa: B018 - it reads a file
    (tmp_path / "pair").write_text("abc123def456:sec789xyz000\n")
    assert client.protection == ProtectionReport("heap", "heap", None)
    client.close()
    with pytest.raises(justcall_auth.CallCancelledError):
        client.protection  # noqa: B018 - it checks whether the client is open


def test_it_raises_the_exceptions_of_the_callable() -> None:
    def fail() -> Credentials:
        raise KeyError("vault")

    with pytest.raises(justcall_auth.SourceUnavailableError) as caught:
        Client(fail).protection  # noqa: B018 - it calls the function
    assert isinstance(caught.value.__cause__, KeyError)
    assert Client(lambda: PAIR, memory_protection="heap").protection.obtained == "heap"


def test_other_threads_run_while_it_reads_the_source(tmp_path: Path) -> None:
    (tmp_path / "go").mkdir()
    script = tmp_path / "source"
    script.write_text(
        f"#!/bin/sh\nfor _ in $(seq 500); do [ -e {tmp_path}/gone ] && break; sleep 0.01; done\n"
        f"[ -e {tmp_path}/gone ] || exit 1\n"
        """echo '{"api_key": "abc123def456", "api_secret": "sec789xyz000"}'\n"""
    )
    script.chmod(0o700)
    timer = threading.Timer(0.1, (tmp_path / "go").rename, (tmp_path / "gone",))
    timer.start()
    assert Client(f"command:{script}", memory_protection="heap").protection.obtained == "heap"
    timer.join()


def test_auto_uses_the_heap_if_the_system_refuses_locked_pages(start: Start) -> None:
    script = """
report = client.protection
print(report.asked, report.obtained, bool(report.why_not))
print(report.why_not)
print(client.verify().verified_by)
"""
    protection, why, verified = output_of(start, script)
    assert (protection, verified) == ("auto heap True", "/v2/account")
    assert len(why) < 200


def test_a_level_that_the_system_refuses_fails_every_call_and_sends_nothing(
    sandbox: Sandbox, start: Start
) -> None:
    script = """
assert client.protection.obtained == "heap"  # Positive control: the limit applies.
for level in ("strict", "secretmem"):
    client = at(level)
    for call in (client.verify, client.authorization, lambda: client.get("/"), lambda: client.protection):
        error = refusal(call)
        print(error.code, error.retryable, error.request_sent, level, error.message)
pair = justcall_auth.Credentials("abc123def456", "sec789xyz000")
strict = justcall_auth.Client.from_credentials(pair, memory_protection="strict")
print(refusal(strict.authorization).message)
print(at("heap").protection.obtained)
"""
    *refused, given, heap = output_of(start, script)
    assert len(refused) == 8
    for line, (level, memory) in zip(refused, [("strict", "locked")] * 4 + [("secretmem", "secretmem")] * 4):
        assert line.startswith(f"13 False False {level} The memory protection {memory} was refused: ")
        assert sandbox.api_secret not in line
    assert given.startswith("The memory protection locked was refused: ")
    assert heap == "heap"
    assert sandbox.requests() == []


def test_a_report_is_a_value() -> None:
    report = ProtectionReport("auto", "heap", "the limit on locked memory is 0")
    assert report == ProtectionReport("auto", "heap", "the limit on locked memory is 0")
    assert report != ProtectionReport("auto", "heap", None)
    assert pickle.loads(pickle.dumps(report)) == copy.deepcopy(report) == report
    assert len({report, copy.copy(report)}) == 1
    assert repr(report) == (
        "ProtectionReport(asked='auto', obtained='heap', why_not='the limit on locked memory is 0')"
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.obtained = "locked"  # type: ignore[misc]
