"""A reset of the pair while threads go on calling: none of their calls fails."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from justcall_auth import Client, Event
from support import Account, put, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typing_extensions import Self

    from support import Sandbox

THREADS = 8
RESETS = 3
ECHO = "/v2.1/echo"


class Callers:
    """Threads that make calls until they are stopped."""

    def __init__(self, client: Client) -> None:
        self.calls = 0
        self.failures: list[BaseException] = []
        self._client = client
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(THREADS)]

    def _work(self, number: int) -> None:
        while not self._stop.wait(0.002):
            try:
                response = self._client.get(f"{ECHO}/{number}") if number % 2 else self._client.post(ECHO)
                assert response.http_status == 200
                self.calls += 1
            except BaseException as failure:  # noqa: BLE001, RUF100 - the test checks for any exception
                self.failures.append(failure)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(20)

    def go_on(self) -> None:
        """Waits until each thread has made another call."""
        enough = self.calls + 2 * THREADS
        wait_until(lambda: self.calls >= enough or self.failures)


def in_file(folder: Path, _: Account) -> tuple[str, Callable[[Account], None]]:
    """A file that is replaced atomically."""
    file = folder / "pair"
    return f"file:{file}", lambda account: put(file, account.line)


def in_folder(folder: Path, _: Account) -> tuple[str, Callable[[Account], None]]:
    """A folder as Kubernetes writes it: each version has a folder, and `..data` links to the latest."""
    mount = folder / "mount"
    mount.mkdir()
    for name in ("api_key", "api_secret"):
        (mount / name).symlink_to(f"..data/{name}")

    def write(account: Account) -> None:
        version = mount / f"..{time.monotonic_ns()}"
        version.mkdir()
        for name in ("api_key", "api_secret"):
            (version / name).write_text(account.pair[name])
        (mount / "..data_tmp").symlink_to(version.name)
        (mount / "..data_tmp").rename(mount / "..data")

    return f"dir:{mount}", write


@pytest.mark.parametrize("kept", [in_file, in_folder])
def test_no_call_of_eight_threads_fails_if_the_source_has_the_new_pair_late(
    sandbox: Sandbox, tmp_path: Path, kept: Any
) -> None:
    account, events = Account(sandbox), list[Event]()
    source, write = kept(tmp_path, account)
    write(account)
    client = Client(
        source, base_url=sandbox.url, ca_file=sandbox.ca_file, rotation_wait=10, on_event=events.append
    )

    def wait_for(name: str, count: int) -> None:
        wait_until(lambda: sum(event.name == name for event in events) == count)

    with client, Callers(client) as callers:
        for number in range(1, RESETS + 1):
            callers.go_on()
            account.reset()
            wait_for("waiting_for_source", number)
            time.sleep(0.3)
            write(account)
            wait_for("rotated", number)
            callers.go_on()
    assert callers.failures == []
    assert callers.calls > RESETS * 2 * THREADS
    requests = sandbox.requests()
    pairs = {(request["key_generation"], request["secret_generation"]) for request in requests}
    assert pairs == {(number, number) for number in range(1, RESETS + 2)}, "a torn pair"
    for number in range(1, RESETS + 1):
        refused = [
            request
            for request in requests
            if request["status"] == 401 and request["key_generation"] == number
        ]
        # Only the calls in progress at the reset fail, and no later ones.
        assert 1 <= len(refused) <= THREADS
    assert [event.generation for event in events if event.name == "rotated"] == list(range(2, RESETS + 2))


def test_calls_wait_for_a_function_that_returns_the_new_pair_slowly(sandbox: Sandbox) -> None:
    account = Account(sandbox)
    goes_on, asked = threading.Event(), threading.Event()
    asking = threading.Lock()
    goes_on.set()

    def source() -> justcall_auth.Credentials:
        assert asking.acquire(blocking=False), "two threads call the source at once"
        try:
            asked.set()
            assert goes_on.wait(10)
            return account.credentials()
        finally:
            asking.release()

    client = Client(source, base_url=sandbox.url, ca_file=sandbox.ca_file)
    with client, Callers(client) as callers:
        callers.go_on()
        goes_on.clear()
        asked.clear()
        account.reset()
        assert asked.wait(10)
        calls = callers.calls
        time.sleep(0.2)
        assert callers.calls - calls <= THREADS
        goes_on.set()
        callers.go_on()
    assert callers.failures == []


def test_without_a_wait_calls_fail_at_once_and_continue_with_the_new_pair(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    account = Account(sandbox)
    source, write = in_file(tmp_path, account)
    write(account)
    with Client(source, base_url=sandbox.url, ca_file=sandbox.ca_file) as client:
        client.verify()
        account.reset()
        for _ in range(3):
            with pytest.raises(justcall_auth.InvalidCredentialsError):
                client.verify()
        # One request showed that the pair is rejected, and one confirmed it. The others were not sent.
        assert [request["status"] for request in sandbox.requests()] == [200, 401, 401]
        write(account)

        def is_well() -> bool:
            try:
                return bool(client.verify().id == account.pair["account_id"])
            except justcall_auth.InvalidCredentialsError:
                return False

        wait_until(is_well)


def test_the_wait_ends(sandbox: Sandbox, tmp_path: Path) -> None:
    account = Account(sandbox)
    source, write = in_file(tmp_path, account)
    write(account)
    client = Client(source, base_url=sandbox.url, ca_file=sandbox.ca_file, rotation_wait=0.3)
    with client:
        client.verify()
        account.reset()
        begun = time.monotonic()
        with pytest.raises(justcall_auth.InvalidCredentialsError) as caught:
            client.get(ECHO)
        assert 0.3 <= time.monotonic() - begun < 5
        assert caught.value.http_status == 401
