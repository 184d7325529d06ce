"""Servers for Python programs: a reset of the pair under load fails no request."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from servers import (
    CALLS,
    EXAMPLES,
    LIMIT,
    PYTHON,
    Outcome,
    environment,
    load_with_reset,
    requested,
    script,
    serving,
)
from support import Account, end_family, put

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support import Sandbox

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the servers are for Unix")


def gunicorn(*options: str, app: str = "app:application") -> Callable[[int, int], list[str]]:
    common = [PYTHON, "-m", "gunicorn", "--no-control-socket", "--workers", "2"]
    return lambda fd, _: [*common, *options, "--bind", f"fd://{fd}", app]


def uwsgi(*options: str) -> Callable[[int, int], list[str]]:
    common = [script("uwsgi"), "--need-app", "--master", "--processes", "2", "--die-on-term"]
    return lambda fd, _: [*common, *options, "--http-socket", f"fd://{fd}", "--wsgi-file", "app.py"]


def uvicorn(*options: str) -> Callable[[int, int], list[str]]:
    return lambda fd, _: [PYTHON, "-m", "uvicorn", *options, "--fd", str(fd), "app:asgi"]


SERVERS: dict[str, tuple[Callable[[int, int], list[str]], int]] = {
    "gunicorn-sync": (gunicorn(), 2),
    "gunicorn-preload": (gunicorn("--preload"), 2),
    "gunicorn-threads": (gunicorn("--threads", "4"), 2),
    "gunicorn-gevent": (gunicorn("--worker-class", "gevent", app="gevent_app:application"), 2),
    "uvicorn": (uvicorn(), 1),
    "uwsgi-threads": (uwsgi("--single-interpreter", "--enable-threads", "--threads", "4"), 2),
    "uwsgi-lazy": (uwsgi("--single-interpreter", "--enable-threads", "--lazy-apps"), 2),
}
"""The arguments of each server, and how many processes serve."""


def report(name: str, outcome: Outcome, capsys: pytest.CaptureFixture[str]) -> None:
    """Prints the counts, and checks them."""
    with capsys.disabled():
        print(
            f"\n{name}: {CALLS} requests in {len(outcome.processes)} processes, "
            f"{outcome.rejected} rejected by the reset, {len(outcome.failed)} failed"
        )
    assert outcome.failed == []
    assert outcome.rejected >= 1


@pytest.mark.parametrize("name", SERVERS)
def test_a_reset_fails_no_request(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    arguments, processes = SERVERS[name]
    account, file = Account(sandbox), tmp_path / "pair"
    put(file, account.line)
    with serving(arguments, tmp_path, environment(sandbox, file)) as port:
        outcome = load_with_reset(sandbox, account, file, lambda: requested(port))
    report(name, outcome, capsys)
    assert 1 <= len(outcome.processes) <= processes


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_reset_fails_no_task_of_celery(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str], pool: str
) -> None:
    account, file = Account(sandbox), tmp_path / "pair"
    put(file, account.line)
    queue, results = tmp_path / "queue", tmp_path / "results"
    queue.mkdir()
    results.mkdir()
    variables = environment(
        sandbox, file, BROKER="filesystem://", BACKEND=f"file://{results}", CELERY_QUEUE=str(queue)
    )
    arguments = ["worker", "--pool", pool, "--concurrency", "2", "--without-gossip", "--without-mingle"]
    with (tmp_path / "log").open("w") as output:
        worker = subprocess.Popen(
            [
                PYTHON,
                "-m",
                "celery",
                "-A",
                "tasks:celery",
                *arguments,
                "--without-heartbeat",
                "-l",
                "warning",
            ],
            cwd=EXAMPLES,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:

            def make() -> list[str]:
                caller = [PYTHON, "-c", CALLER, str(CALLS), str(worker.pid)]
                done = subprocess.run(
                    caller, cwd=EXAMPLES, env=variables, capture_output=True, text=True, timeout=LIMIT
                )
                assert done.returncode == 0, done.stderr + (tmp_path / "log").read_text()
                return done.stdout.splitlines()

            outcome = load_with_reset(sandbox, account, file, make)
        finally:
            end_family(worker)
            worker.wait(LIMIT)
    report(f"celery-{pool}", outcome, capsys)


CALLER = """
import os, signal, sys
from tasks import count_calls
count, worker = map(int, sys.argv[1:])
# A worker that polls the queue of files could read a file before its content is written.
os.killpg(worker, signal.SIGSTOP)
sent = [count_calls.delay() for _ in range(count)]
os.killpg(worker, signal.SIGCONT)
for result in sent:
    print(*result.get(timeout=50, interval=0.02))
"""
