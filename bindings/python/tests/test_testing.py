"""Support for tests of programs: a pair that was rejected and is valid again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

import justcall_auth
from justcall_auth.testing import forget_rejections
from support import Account, finish, put, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from support import Sandbox, Start

ECHO = "/v2.1/echo"


def is_refused_unsent(client: justcall_auth.Client) -> bool:
    """Checks that a call fails because the pair was rejected recently."""
    with pytest.raises(justcall_auth.InvalidCredentialsError) as caught:
        client.get(ECHO)
    return not caught.value.request_sent


def reject_once(sandbox: Sandbox, client: justcall_auth.Client) -> None:
    """Makes the service reject the client's pair, and accept it afterwards."""
    sandbox.fault("answer", status=401, path=ECHO)
    assert not is_refused_unsent(client)
    sandbox.control("DELETE", "faults")


def test_a_pair_that_was_rejected_is_sent_at_once_by_every_client(sandbox: Sandbox) -> None:
    pair = Account(sandbox).credentials()
    with sandbox.client(pair) as first, sandbox.client(pair) as second:
        reject_once(sandbox, first)
        seen = len(sandbox.requests())
        with sandbox.client(pair) as fresh:
            assert [is_refused_unsent(client) for client in (first, second, fresh)] == [True] * 3
        assert len(sandbox.requests()) == seen
        forget_rejections()
        with sandbox.client(pair) as fresh:
            assert [client.get(ECHO).http_status for client in (first, second, fresh)] == [200] * 3


def test_it_is_an_attribute_of_the_package() -> None:
    assert justcall_auth.testing.forget_rejections is forget_rejections
    assert forget_rejections.__module__ == "justcall_auth.testing"
    assert justcall_auth.testing.__all__ == ["forget_rejections"]
    # No rejection is recorded, so the call must not fail.
    for _ in range(3):
        forget_rejections()


def test_a_candidate_that_was_rejected_is_proven_by_the_next_call(sandbox: Sandbox, tmp_path: Path) -> None:
    account, other, file = Account(sandbox), Account(sandbox), tmp_path / "pair"
    put(file, account.line)
    events: list[str] = []
    with justcall_auth.Client(
        file,
        base_url=sandbox.url,
        ca_file=sandbox.ca_file,
        on_event=lambda event: events.append(event.name),
    ) as client:
        client.get(ECHO)
        put(file, other.line)
        sandbox.fault("answer", status=401, times=1, path=ECHO)
        assert client.reload()
        assert client.get(ECHO).http_status == 200
        assert client.get(ECHO).http_status == 200
        assert events == ["source_changed", "candidate_rejected"]
        forget_rejections()
        assert client.get(ECHO).http_status == 200
        assert events == ["source_changed", "candidate_rejected", "rotated"]


def test_a_call_that_waits_for_another_pair_continues(sandbox: Sandbox, tmp_path: Path) -> None:
    account, file = Account(sandbox), tmp_path / "pair"
    put(file, account.line)
    waiting = threading.Event()
    statuses: list[int] = []

    def happened(event: justcall_auth.Event) -> None:
        if event.name == "waiting_for_source":
            waiting.set()

    with justcall_auth.Client(
        file,
        base_url=sandbox.url,
        ca_file=sandbox.ca_file,
        rotation_wait=60.0,
        timeout=None,
        on_event=happened,
    ) as client:
        sandbox.fault("answer", status=401, times=1, path=ECHO)
        caller = threading.Thread(target=lambda: statuses.append(client.get(ECHO).http_status))
        caller.start()
        assert waiting.wait(30)
        forget_rejections()
        wait_until(lambda: not caller.is_alive(), 30)
    assert statuses == [200]


def test_a_child_does_not_forget_for_its_parent(sandbox: Sandbox, start: Start) -> None:
    sandbox.fault("answer", status=401, times=1, path=ECHO)
    script = """
import warnings
warnings.filterwarnings("ignore", category=DeprecationWarning)

def status():
    try:
        return client.get("/v2.1/echo").http_status
    except justcall_auth.InvalidCredentialsError as error:
        return "sent" if error.request_sent else "unsent"

print(status(), status(), flush=True)
child = os.fork()
if child == 0:
    justcall_auth.testing.forget_rejections()
    print(status(), flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(status())
justcall_auth.testing.forget_rejections()
print(status())
"""
    assert finish(start(script), 60.0) == (0, "sent unsent\n200\nunsent\n200\n", "")
