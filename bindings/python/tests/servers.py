"""Servers that run the example application, and the load with a reset that all of them must survive."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support import ROOT, Account, end_family, put, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support import Sandbox

EXAMPLES = ROOT / "examples/python/servers"
"""Where the application is."""

CALLS = 160
"""How many requests each server gets."""

LIMIT = 60.0
"""How long a server may take for its start or its end, in seconds."""


@dataclass(frozen=True)
class Outcome:
    """What the requests of a load got."""

    failed: list[str]
    processes: set[str]
    rejected: int
    """How many calls the sandbox rejected because of the reset."""


def environment(sandbox: Sandbox, file: Path, **more: str) -> dict[str, str]:
    """Returns the variables of the application."""
    return {
        **os.environ,
        "JUSTCALL_SOURCE": f"file:{file}",
        "JUSTCALL_BASE_URL": sandbox.url,
        "JUSTCALL_CA_FILE": sandbox.ca_file,
        **more,
    }


@contextlib.contextmanager
def serving(
    arguments: Callable[[int, int], list[str]], folder: Path, variables: dict[str, str]
) -> Iterator[int]:
    """Starts a server on a listening socket, and yields its port. `arguments` gets both."""
    log = folder / "log"
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening, log.open("w") as output:
        fd, port = listening.fileno(), listening.getsockname()[1]
        server = subprocess.Popen(
            arguments(fd, port),
            cwd=EXAMPLES,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[fd],
            start_new_session=True,
        )
        try:
            end = time.monotonic() + LIMIT
            while get(port)[0] != 200:
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.1)
            yield port
            server.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(10)
        finally:
            end_family(server)
            server.wait(LIMIT)


def get(port: int, path: str = "/") -> tuple[int, str]:
    """Returns the status and the body of a response; the status 0 if there is none."""
    try:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return 0, repr(error)


def requested(port: int) -> list[str]:
    """Makes the requests on 8 threads. Returns `STATUS PROCESS …` of each."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: get(port)[1], range(CALLS)))


def load_with_reset(sandbox: Sandbox, account: Account, file: Path, make: Callable[[], list[str]]) -> Outcome:
    """Makes the calls while the pair is reset. `make` returns `STATUS PROCESS …` of each."""
    done = threading.Event()

    def reset() -> None:
        while not done.wait(0.002):
            if sum(request["status"] == 200 for request in sandbox.requests()) > CALLS // 4:
                account.reset()
                wait_until(lambda: any(request["status"] == 401 for request in sandbox.requests()), LIMIT)
                put(file, account.line)
                return

    resetting = threading.Thread(target=reset)
    resetting.start()
    try:
        results = make()
    finally:
        done.set()
        resetting.join()
    failed = [result for result in results if not result.startswith("200 ")]
    processes = {result.split()[1] for result in results if result.startswith("200 ")}
    rejected = sum(request["status"] == 401 for request in sandbox.requests())
    return Outcome(failed, processes, rejected)


def script(name: str) -> str:
    """Returns the path of an installed command."""
    return str(Path(sysconfig.get_path("scripts")) / name)


PYTHON = sys.executable
