"""The monitoring examples, with a real Prometheus."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support import Sandbox

EXAMPLES = ROOT / "examples" / "monitoring"
PATIENCE = 120.0
"""How long Prometheus may take to start and to scrape, in seconds."""


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rules", "alerts.yml"),
        ("check", "config", "prometheus.yml"),
        ("test", "rules", "alerts_test.yml"),
    ],
)
def test_promtool_accepts_the_rules_and_their_tests(arguments: tuple[str, ...]) -> None:
    ended = subprocess.run(["promtool", *arguments], cwd=EXAMPLES, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_promtool_tests_every_rule_both_ways() -> None:
    rules = re.findall(r"- alert: (\w+)", (EXAMPLES / "alerts.yml").read_text())
    tests = (EXAMPLES / "alerts_test.yml").read_text()
    assert len(rules) == 11
    for rule in rules:
        assert re.search(rf"alertname: {rule}\}}", tests), f"{rule} has no test without an alert"
        assert re.search(rf"alertname: {rule}\n +exp_alerts:\n", tests), f"{rule} has no test with an alert"


@pytest.fixture
def pair(sandbox: Sandbox) -> dict[str, str]:
    """A sandbox for this test: it revokes a pair, which a reset of the session's sandbox does not undo."""
    made: dict[str, str] = sandbox.control("POST", "pairs", {})
    return made


@pytest.fixture
def program(
    sandbox: Sandbox, pair: dict[str, str], tmp_path: Path
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The example that serves its usage. It makes a call for every line of its standard input."""
    source = tmp_path / "pair.json"
    halves = {name: pair[name] for name in ("api_key", "api_secret")}
    created_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    source.write_text(json.dumps({**halves, "created_at": created_at}))
    command = [sys.executable, str(EXAMPLES / "serve.py"), "0", f"file:{source}", sandbox.url]
    with subprocess.Popen(
        [*command, sandbox.ca_file],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        assert child.stdout is not None
        address = re.match(r"http://(127\.0\.0\.1:\d+)/metrics\n", child.stdout.readline())
        assert address is not None
        yield child, address[1]
        child.kill()


class Prometheus:
    """A Prometheus that scrapes one target every second."""

    def __init__(self, folder: Path, target: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        text = (
            (EXAMPLES / "prometheus.yml").read_text().replace("15s", "1s").replace("127.0.0.1:9101", target)
        )
        config = folder / "prometheus.yml"
        config.write_text(text.replace("alerts.yml", str(EXAMPLES / "alerts.yml")))
        self.command = [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={self.address}",
        ]

    def ask(self, path: str, **parameters: str) -> Any:
        """Returns the response of its API."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"http://{self.address}/api/v1/{path}?{query}", timeout=10) as response:
            return json.load(response)["data"]

    def value(self, query: str) -> float | None:
        """Returns the first value of a query."""
        result = self.ask("query", query=query)["result"]
        return float(result[0]["value"][1]) if result else None


@pytest.fixture
def prometheus(program: tuple[subprocess.Popen[str], str], tmp_path: Path) -> Iterator[Prometheus]:
    server = Prometheus(tmp_path, program[1])
    with open(tmp_path / "log", "wb") as log:
        with subprocess.Popen(server.command, stdout=log, stderr=log) as child:
            yield server
            child.terminate()


def wait_for(server: Prometheus, query: str, wanted: float) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            if server.value(query) == wanted:
                return
        if time.monotonic() > until:
            with contextlib.suppress(urllib.error.URLError):
                pytest.fail(f"{query} is not {wanted}: {server.ask('targets')}")
            pytest.fail("Prometheus does not respond")
        time.sleep(0.1)


def metrics(text: str) -> set[str]:
    return set(re.findall(r"justcall_auth_\w+", text))


def test_a_real_prometheus_scrapes_the_counters_of_a_program(
    sandbox: Sandbox,
    pair: dict[str, str],
    program: tuple[subprocess.Popen[str], str],
    prometheus: Prometheus,
) -> None:
    child = program[0]
    assert child.stdin is not None

    def call() -> None:
        assert child.stdin is not None
        child.stdin.write("\n" * 3)
        child.stdin.flush()

    call()
    wait_for(prometheus, 'justcall_auth_calls_total{outcome="ok"}', 3)
    assert prometheus.value("up") == 1
    call()
    wait_for(prometheus, 'justcall_auth_requests_total{status="200"}', 6)
    [target] = prometheus.ask("targets")["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")
    # The names are those of the rules, the dashboard and the documentation.
    known = set(prometheus.ask("label/__name__/values"))
    files = ["alerts.yml", "alerts_test.yml", "dashboard.json"]
    used = metrics("".join((EXAMPLES / name).read_text() for name in files))
    assert len(used) >= 12
    assert used - known == set()
    documented = metrics((EXAMPLES / "README.md").read_text())
    assert {name for name in documented if name not in known} <= {"justcall_auth_request_duration_seconds"}
    # Every panel has valid queries, and all queries except those of events have a result.
    for panel in json.loads((EXAMPLES / "dashboard.json").read_text())["panels"]:
        for target in panel["targets"]:
            query = target["expr"].replace("$job", ".+").replace("$__rate_interval", "1m")
            assert prometheus.ask("query", query=query)["result"] or panel["title"] == "Events", query
    assert prometheus.ask("alerts")["alerts"] == []
    # A revoked pair raises an alert within a few seconds.
    sandbox.control("POST", f"pairs/{pair['api_key']}/revoke", {})
    call()
    wait_for(prometheus, "justcall_auth_pair_rejected", 1)
    wait_for(prometheus, 'count(ALERTS{alertname="JustCallPairRejected",alertstate="firing"})', 1)
