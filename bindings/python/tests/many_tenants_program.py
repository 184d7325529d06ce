"""The program of `many_tenants.py`: many_tenants_program.py DATABASE BASE_URL CA_FILE CALLS SEED [BUG].

Calls for random tenants from 64 threads, after one call for each. Prints its figures as JSON.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import justcall_auth

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "examples/python"))

from tenants import Pairs, Tenants

THREADS = 64
FORGETS = 0.02
"""How often a client is dropped after its call and made again. Other tenants then get its memory."""


class Leaking(Tenants):
    """A planted bug: after one call in ten, a descriptor stays open, with a hundred kilobytes."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._calls = 0
        self._leaks: list[object] = []

    def client(self, tenant: int) -> justcall_auth.Client:
        """Returns the client of a tenant."""
        self._calls += 1
        if self._calls % 10 == 0:
            self._leaks += [os.open("/dev/null", os.O_RDONLY), b"x" * 100_000]
        return super().client(tenant)


class Mixed(Tenants):
    """A planted bug: one client for all tenants, whose source reads the tenant of the last call."""

    last = 0

    def client(self, tenant: int) -> justcall_auth.Client:
        """Returns the only client."""
        self.last = tenant
        if 0 not in self._clients:
            self._clients[0] = justcall_auth.Client(
                lambda: self._pairs.of(self.last),
                base_url=self._base_url,
                ca_file=self._ca_file,
                rotation_wait=20,
            )
        return self._clients[0]


class Load:
    """The calls of all threads, and what the process uses meanwhile."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        self._failures: list[str] = []
        self.calls = 0
        self.memory: list[int] = []
        self.descriptors: list[int] = []

    def call(self, tenant: int) -> None:
        """Makes a call that names its tenant."""
        try:
            self._tenants.client(tenant).get(f"/v2.1/echo/{tenant}")
        except justcall_auth.JustCallError as error:
            self._failures.append(f"tenant {tenant}: {error}")

    def run(self, tenants: list[int], pool: ThreadPoolExecutor, seed: int) -> None:
        """Calls for the tenants, each thread for its share. Measures until all calls have ended."""
        everyone_is_here = threading.Barrier(THREADS)

        def work(number: int) -> None:
            everyone_is_here.wait()
            chance = random.Random(f"{seed} {number}")
            for tenant in tenants[number::THREADS]:
                self.call(tenant)
                if chance.random() < FORGETS:
                    self._tenants.forget(tenant)

        self.memory, self.descriptors = [], []
        shares = [pool.submit(work, number) for number in range(THREADS)]
        while wait(shares, timeout=0.05).not_done:
            self.memory.append(resident())
            self.descriptors.append(len(os.listdir("/proc/self/fd")))
        for share in shares:
            share.result()
        self.calls += len(tenants)

    def figures(self) -> dict[str, Any]:
        """Returns the figures of the last run, and the failures of all."""
        return {
            "memory": max(self.memory),
            "descriptors": max(self.descriptors),
            "calls": self.calls,
            "failed": len(self._failures),
            "failures": self._failures[:10],
        }


def resident() -> int:
    """Returns the resident memory of the process in KiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0])


def main(database: str, base_url: str, ca_file: str, calls: str, seed: str, planted: str = "") -> None:
    """Makes the calls in three parts: each tenant once, the first half, the second half."""
    kind = {"": Tenants, "mixed": Mixed, "leaking": Leaking}[planted]
    pairs = Pairs(database)
    load = Load(kind(pairs, base_url, ca_file))
    everyone = pairs.tenants()
    chance = random.Random(seed)
    with ThreadPoolExecutor(THREADS) as pool:
        for count in (0, int(calls) // 2, int(calls) // 2):
            drawn = [chance.choice(everyone) for _ in range(count)] or everyone
            load.run(drawn, pool, int(seed))
            print(json.dumps(load.figures()), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
