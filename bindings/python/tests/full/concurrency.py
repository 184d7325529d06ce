"""Measures concurrent GETs through a reset of the pair: concurrency.py [--build NAME] [--rounds N] [--write].

`AsyncClient` is compared with aiohttp, and each adapter with its library. With `--write` the script writes
docs/evidence/concurrency.md. `--build` names the build of the module and the sandbox in it.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import os
import platform
import re
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

import justcall_auth

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import adapters
from support import ROOT, Account, Sandbox, client_of, put

PATH = "/v2.1/users?per_page=1"

CONCURRENT = 200
"""How many GETs run at once."""

WORKERS = 32
"""How many calls of an adapter run at once: that many threads for a synchronous library."""

LATENCY = 0.1
"""The latency of the second half of the comparison with aiohttp, in seconds."""

DELAY = 0.3
"""How long after the begin of a run the pair is reset, in seconds."""

PAGE = ROOT / "docs/evidence/concurrency.md"


@dataclass
class Run:
    """What one run has counted."""

    calls: int
    seconds: float
    failed: list[BaseException]
    was_reset: bool

    @property
    def rate(self) -> float:
        """How many calls succeeded in a second."""
        return (self.calls - len(self.failed)) / self.seconds


@dataclass
class Row:
    """The runs of one peer."""

    name: str
    runs: list[Run] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """The median rate."""
        return statistics.median(run.rate for run in self.runs)

    @property
    def failed(self) -> list[BaseException]:
        """The failures of all runs."""
        return [failure for run in self.runs for failure in run.failed]

    def cells(self) -> str:
        """Returns the rate, the calls, the resets and the failed calls, as cells of a table."""
        rates = [run.rate for run in self.runs]
        calls = sum(run.calls for run in self.runs)
        kinds = sorted({type(failure).__name__ for failure in self.failed})
        why = f" ({', '.join(kinds)})" if kinds else ""
        resets = sum(run.was_reset for run in self.runs)
        rate = f"{self.rate:.0f} ({min(rates):.0f} to {max(rates):.0f})"
        return f"{rate} | {calls} | {resets} | {len(self.failed)}{why}"

    def ratios(self, than: Row) -> list[float]:
        """Returns the ratios to another peer, in the same rounds."""
        return [mine.rate / other.rate for mine, other in zip(self.runs, than.runs)]

    def ratio(self, than: Row) -> str:
        """Returns the ratio to another peer, as a cell of a table."""
        ratios = self.ratios(than)
        return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


class Service:
    """A sandbox, and an account whose pair is in a file."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.file = folder / "pair"
        self.account = Account(sandbox, rate_limit={"limit": 100_000_000, "window_s": 3600})
        put(self.file, self.account.line)

    def client(self) -> justcall_auth.Client:
        """Creates a client that follows resets."""
        return client_of(self.sandbox, f"file:{self.file}", rotation_wait=20, timeout=60)

    def async_client(self, most: int) -> justcall_auth.AsyncClient:
        """Creates a client for event loops that follows resets."""
        return justcall_auth.AsyncClient(
            f"file:{self.file}",
            base_url=self.sandbox.url,
            ca_file=self.sandbox.ca_file,
            rotation_wait=20,
            timeout=60,
            max_concurrency=most,
        )

    def during_a_reset(self, calls: int, make: Callable[[], list[BaseException]]) -> Run:
        """Makes the calls, and resets the pair soon after their begin."""
        reset_at: list[float] = []

        def reset() -> None:
            self.account.reset()
            put(self.file, self.account.line)
            reset_at.append(time.monotonic())

        timer = threading.Timer(DELAY, reset)
        begun = time.monotonic()
        timer.start()
        failed = make()
        ended = time.monotonic()
        timer.cancel()
        timer.join()
        return Run(calls, ended - begun, failed, bool(reset_at) and reset_at[0] < ended)


async def in_tasks(calls: int, get: Callable[[], Awaitable[None]]) -> list[BaseException]:
    """Makes the calls in as many tasks as run at once."""
    return await adapters.in_tasks(calls, CONCURRENT, get)


def with_async_client(service: Service, calls: int, most: int) -> list[BaseException]:
    """Makes the calls with an `AsyncClient` of `most` threads."""

    async def run() -> list[BaseException]:
        async with service.async_client(most) as client:

            async def get() -> None:
                (await client.get(PATH)).json()

            return await in_tasks(calls, get)

    return asyncio.run(run())


def with_aiohttp(service: Service, calls: int) -> list[BaseException]:
    """Makes the calls with aiohttp. A 401 reads the file again, once for each call."""
    context = ssl.create_default_context(cafile=service.sandbox.ca_file)

    async def run() -> list[BaseException]:
        connector = aiohttp.TCPConnector(ssl=context, limit=CONCURRENT)
        url = service.sandbox.url.rstrip("/")
        async with aiohttp.ClientSession(url, connector=connector) as session:
            pair = service.file.read_text().strip()

            async def get() -> None:
                nonlocal pair
                for is_last in (False, True):
                    async with session.get(PATH, headers={"Authorization": pair}) as response:
                        if response.status == 401 and not is_last:
                            pair = service.file.read_text().strip()
                            continue
                        response.raise_for_status()
                        await response.json()
                        return

            return await in_tasks(calls, get)

    return asyncio.run(run())


def with_adapter(service: Service, calls: int, adapter: type[adapters.Session]) -> list[BaseException]:
    """Makes the calls with an adapter."""
    with service.client() as client:
        return adapter(service.sandbox, client).many(calls, WORKERS, PATH)


Peer = tuple[str, "Callable[[Service, int], list[BaseException]]"]

MOST = (64, CONCURRENT)
"""The `max_concurrency` of the clients: the default, and as many as calls at once."""

LOOPS: list[Peer] = [
    ("aiohttp", with_aiohttp),
    *((f"`AsyncClient`, {most} threads", functools.partial(with_async_client, most=most)) for most in MOST),
]

ADAPTERS: list[Peer] = [
    (f"{library} {version(library)}, `{name}`", functools.partial(with_adapter, adapter=adapter))
    for library, name, adapter in (
        ("requests", "JustCallAdapter", adapters.Requests),
        ("httpx", "JustCallTransport", adapters.Httpx),
        ("httpx", "JustCallAsyncTransport", adapters.AsyncHttpx),
        ("httpx2", "JustCallTransport", adapters.Httpx2),
        ("httpx2", "JustCallAsyncTransport", adapters.AsyncHttpx2),
        ("aiohttp", "JustCallMiddleware", adapters.Aiohttp),
    )
]


def measure(service: Service, rounds: int, calls: int, peers: list[Peer]) -> list[Row]:
    """Measures each peer once in each round."""
    rows = [Row(name) for name, _ in peers]
    for _ in range(rounds):
        for row, (_, make) in zip(rows, peers):
            run = service.during_a_reset(calls, functools.partial(make, service, calls))
            row.runs.append(run)
            print(
                f"{row.name}: {run.rate:.0f}/s, reset: {run.was_reset}, failed: {run.failed[:3]}", flush=True
            )
            # The record of requests would grow.
            service.sandbox.control("DELETE", "requests")
    return rows


HEAD = "| calls a second | calls | resets | failed |"


def loops_table(rows: list[Row]) -> str:
    """Returns the table of the comparison with aiohttp, the first row."""
    lines = [f"| client {HEAD} to aiohttp |", "|---|---|---|---|---|---|"]
    lines += [f"| {row.name} | {row.cells()} | {row.ratio(rows[0])} |" for row in rows]
    return "\n".join(lines)


def adapters_table(rows: list[Row]) -> str:
    """Returns the table of the adapters."""
    return "\n".join(
        [f"| adapter {HEAD}", "|---|---|---|---|---|", *(f"| {row.name} | {row.cells()} |" for row in rows)]
    )


def machine(build: str) -> str:
    """Returns the table of what was measured, and where."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    cpu = re.search(r"(?m)^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text())
    rows = {
        "commit": commit.stdout.strip(),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "processors": f"{os.cpu_count()}, {cpu[1] if cpu else platform.machine()}",
        "load before the run": f"{os.getloadavg()[0]:.1f}",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "aiohttp": version("aiohttp"),
        "build of the module and of the sandbox": build,
    }
    return "\n".join(
        ["| what | which |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())]
    )


def report(build: str, rounds: int) -> str:
    """Measures everything. Returns the page."""
    about = machine(build)
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
        service = Service(sandbox, Path(folder))
        fast = measure(service, rounds, 6000, LOOPS)
        with_adapters = measure(service, rounds, 2000, ADAPTERS)
        sandbox.fault("delay", ms=int(LATENCY * 1000))
        slow = measure(service, rounds, 4000, LOOPS)
    command = f"python tests/full/concurrency.py --build {build} --rounds {rounds} --write"
    return f"""# Concurrent calls in Python

Written in `bindings/python` by this command: change that, not this file.

```sh
{command}
```

{about}

Each client makes GETs of `{PATH}` over TLS to the sandbox on the same machine, in
{rounds} rounds, one client after the other. In each run, {DELAY:g} s after its begin, the pair is reset: the
old pair ends at once, and then the new one is written to the file that the clients read.
`AsyncClient` and the adapters have a `rotation_wait` of 20 s. aiohttp alone has a program around
it that reads the file again after a 401, and sends the request once more. The rate counts the
calls that succeeded: the median of the rounds, and the lowest and the highest. The server uses the
same processors, so all rates are lower than with a server on another machine.

## {CONCURRENT} GETs at once, no latency

{loops_table(fast)}

The goal is 2 times the rate of aiohttp: {_verdict(fast, 2)}.

## {CONCURRENT} GETs at once, {LATENCY * 1000:.0f} ms of latency

{loops_table(slow)}

The goal is the rate of aiohttp: {_verdict(slow, 1)}.
With this latency, 64 threads end at most {64 / LATENCY:.0f} calls a second, and {CONCURRENT} threads
at most {CONCURRENT / LATENCY:.0f}.
A program that makes more calls at once sets `max_concurrency` to their number.

## Adapters, {WORKERS} GETs at once, no latency

{adapters_table(with_adapters)}
"""


def _verdict(rows: list[Row], goal: float) -> str:
    """Returns which of the clients reach the goal."""
    first, *others = rows
    is_met = [statistics.median(row.ratios(first)) >= goal for row in others]
    return ", ".join(f"{'met' if met else 'missed'} with {MOST[at]} threads" for at, met in enumerate(is_met))


def main() -> None:
    """Measures, and prints or writes the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="debug")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    page = report(options.build, options.rounds)
    if options.write:
        PAGE.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
