"""Many tenants against the sandbox: random resets, and a check of every request that the sandbox received."""

from __future__ import annotations

import dataclasses
import http.client
import json
import random
import sqlite3
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from support import Sandbox

PROGRAM = Path(__file__).with_name("many_tenants_program.py")


@dataclasses.dataclass
class Plan:
    """The size of a run."""

    tenants: int
    calls: int
    seed: int
    pause: float
    """The mean time between two resets, in seconds."""
    planted: str = ""
    """The name of a bug to plant: `mixed` or `leaking`."""


@dataclasses.dataclass
class Result:
    """The figures of a run."""

    parts: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    resets: int = 0
    requests: int = 0
    refused: int = 0
    wrong: int = 0
    """Requests with a pair of another tenant than their path names, or with halves of two pairs."""
    seconds: float = 0.0
    errors: str = ""


class Control:
    """The control interface of a sandbox over one connection: ten thousand accounts are made."""

    def __init__(self, sandbox: Sandbox) -> None:
        parts = urlsplit(sandbox.control_url)
        self._path = parts.path
        self._connection: http.client.HTTPConnection
        host, port = str(parts.hostname), parts.port
        if parts.scheme == "https":
            trust = ssl.create_default_context(cafile=sandbox.ca_file)
            self._connection = http.client.HTTPSConnection(host, port, timeout=60, context=trust)
        else:
            self._connection = http.client.HTTPConnection(host, port, timeout=60)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Makes a control call and returns the response."""
        data = None if body is None else json.dumps(body)
        self._connection.request(method, self._path + path, data)
        response = self._connection.getresponse()
        text = response.read()
        assert response.status < 300, text
        return json.loads(text)

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()


class Operator:
    """Resets pairs of random tenants, and reads what the sandbox received."""

    def __init__(self, sandbox: Sandbox, database: Path, plan: Plan) -> None:
        self._control = Control(sandbox)
        self._chance = random.Random(f"operator {plan.seed}")
        self._plan = plan
        self._rows = sqlite3.connect(database, isolation_level=None)
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute("CREATE TABLE pairs (tenant INTEGER PRIMARY KEY, api_key TEXT, api_secret TEXT)")
        self._accounts: dict[int, int] = {}
        self._keys: dict[int, str] = {}
        self._seen = 0
        self.result = Result()
        self._rows.execute("BEGIN")
        for tenant in range(1, plan.tenants + 1):
            pair = self._control.call("POST", "pairs", {})
            self._accounts[tenant] = pair["account_id"]
            self._store(tenant, pair)
        self._rows.execute("COMMIT")

    def _store(self, tenant: int, pair: dict[str, Any]) -> None:
        self._keys[tenant] = pair["api_key"]
        halves = (tenant, pair["api_key"], pair["api_secret"])
        self._rows.execute("INSERT OR REPLACE INTO pairs VALUES (?, ?, ?)", halves)

    def reset(self) -> None:
        """Resets the pair of a random tenant. The database has it a little later."""
        tenant = self._chance.randint(1, self._plan.tenants)
        pair = self._control.call("POST", "reset", {"api_key": self._keys[tenant]})
        time.sleep(self._chance.uniform(0, self._plan.pause))
        self._store(tenant, pair)
        self.result.resets += 1

    def close(self) -> None:
        """Closes the database and the connection to the sandbox."""
        self._rows.close()
        self._control.close()

    def check(self) -> None:
        """Checks the requests since the last check."""
        for request in self._control.call("GET", f"requests?since={self._seen}"):
            self._seen = request["n"]
            self.result.requests += 1
            self.result.refused += request["status"] == 401
            tenant = int(request["path"].rpartition("/")[2])
            is_own = request["account_id"] == self._accounts[tenant]
            is_whole = request["key_generation"] == request["secret_generation"]
            self.result.wrong += not (is_own and is_whole)


def run(sandbox: Sandbox, folder: Path, plan: Plan) -> Result:
    """Runs the program, with resets until it ends."""
    sandbox.control("POST", "clear", {})
    operator = Operator(sandbox, folder / "pairs.db", plan)
    arguments = [str(folder / "pairs.db"), sandbox.url, sandbox.ca_file, str(plan.calls), str(plan.seed)]
    if plan.planted:
        arguments.append(plan.planted)
    began = time.monotonic()
    errors = folder / "errors"
    command = [sys.executable, str(PROGRAM), *arguments]
    with (
        errors.open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as child,
    ):
        checked = began
        while child.poll() is None:
            operator.reset()
            if time.monotonic() > checked + 1:
                operator.check()
                checked = time.monotonic()
        operator.result.seconds = time.monotonic() - began
        operator.check()
        assert child.stdout is not None
        operator.result.parts = [json.loads(line) for line in child.stdout]
    operator.close()
    operator.result.errors = errors.read_text()
    return operator.result


def assert_kept(result: Result, plan: Plan) -> None:
    """Fails if a promise was not kept."""
    _, first, second = result.parts
    assert second["failed"] == 0, second["failures"]
    assert second["calls"] == plan.tenants + plan.calls // 2 * 2
    assert result.wrong == 0, result
    assert result.requests >= second["calls"]
    assert result.resets > 0
    assert result.refused > 0, "the control: resets hit calls"
    for name in ("memory", "descriptors"):
        assert is_flat(first, second, name), (first, second)


def is_flat(first: dict[str, Any], second: dict[str, Any], name: str) -> bool:
    """Returns true if the second half needed about as much as the first."""
    # The pairs before a reset are kept for webhooks, and freed memory is not given back at once.
    limits = {"memory": 1.05 * first["memory"] + 2048, "descriptors": first["descriptors"] + 16}
    return bool(second[name] <= limits[name])
