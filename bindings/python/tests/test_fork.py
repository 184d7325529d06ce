"""A client on both sides of `fork()`: with `os.fork`, in a pool of `multiprocessing`, under gunicorn."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import end_family, finish, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support import Sandbox, Start

LIMIT = 60.0
"""How long a program may take, in seconds: far longer than it needs, so that only a hang exceeds it."""

TESTS = str(Path(__file__).parent)
"""The folder of the tests' modules."""

CHILDREN = """
import warnings
# Python 3.12 and later warn about forks of programs with threads.
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)

def fork(work):
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return child

def ended_well(child):
    return os.waitpid(child, 0)[1] == 0
"""


def output_of(start: Start, script: str) -> str:
    """Runs the script, which must succeed without errors. Returns its output."""
    code, output, errors = finish(start(CHILDREN + script), LIMIT)
    assert (code, errors) == (0, "")
    return output


def connections(sandbox: Sandbox) -> int:
    """Returns how many connections the requests used."""
    return len({request["connection"] for request in sandbox.requests()})


def test_parent_and_child_both_continue(sandbox: Sandbox, start: Start) -> None:
    script = """
client.verify()
child = fork(lambda: [client.verify() for _ in range(3)])
for _ in range(3):
    client.get("/v2.1/echo")
print(ended_well(child), client.verify().verified_by)
"""
    assert output_of(start, script) == "True /v2/account\n"
    assert len(sandbox.requests()) == 8
    assert connections(sandbox) == 2  # Parent and child must not share a connection.


def test_a_child_may_fork_again(sandbox: Sandbox, start: Start) -> None:
    script = """
client.verify()
def work():
    client.verify()
    assert ended_well(fork(client.verify))
    client.verify()
print(ended_well(fork(work)), client.verify().verified_by)
"""
    assert output_of(start, script) == "True /v2/account\n"
    assert connections(sandbox) == 3


def test_a_child_may_close_the_client_of_its_parent(start: Start) -> None:
    script = """
client.verify()
def work():
    client.verify()
    client.close()
print(ended_well(fork(work)), ended_well(fork(client.close)), client.verify().verified_by)
"""
    assert output_of(start, script) == "True True /v2/account\n"


def test_children_continue_while_threads_of_the_parent_never_pause(sandbox: Sandbox, start: Start) -> None:
    script = """
done = threading.Event()
counts = [0] * 4

def verify_on(number):
    while not done.is_set():
        client.verify()
        counts[number] += 1

def work():
    client.verify()
    client.get("/v2.1/echo")
    justcall_auth.diagnose_environment()

client.verify()
threads = [threading.Thread(target=verify_on, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
well = []
for _ in range(20):
    before = sum(counts)
    well.append(ended_well(fork(work)))
    client.verify()
    while sum(counts) == before:
        time.sleep(0.001)
done.set()
for thread in threads:
    thread.join()
print(all(well), len(well), min(counts) > 0)
"""
    assert output_of(start, script) == "True 20 True\n"
    assert connections(sandbox) >= 21


def test_a_child_imports_no_module_for_its_calls(start: Start) -> None:
    # An import that another thread had begun at the fork would never end in the child.
    script = """
def work(expected):
    before = set(sys.modules)
    client.post("/v2.1/echo", json={"to": 1}).json()
    justcall_auth.diagnose_environment()
    print(sorted(set(sys.modules) - before) == expected, flush=True)

assert "json" not in sys.modules
print(ended_well(fork(lambda: work([]))), flush=True)
print(ended_well(fork(lambda: [sys.modules.pop("json"), work(["json"])])))
"""
    assert output_of(start, script) == "True\nTrue\nTrue\nTrue\n"


def test_a_child_of_a_waiting_call_does_not_wait_for_it(sandbox: Sandbox, start: Start) -> None:
    sandbox.fault("hang", path="/v2.1/echo")
    script = """
def wait():
    try:
        client.get("/v2.1/echo")
    except justcall_auth.CallCancelledError:
        pass

client.verify()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
thread = threading.Thread(target=wait)
thread.start()
signal.sigwait([signal.SIGUSR1])
well = ended_well(fork(client.verify))
client.close()
thread.join()
print(well)
"""
    child = start(CHILDREN + script)
    wait_until(lambda: any(request["path"] == "/v2.1/echo" for request in sandbox.requests()))
    child.send_signal(signal.SIGUSR1)
    assert finish(child, LIMIT) == (0, "True\n", "")


def test_a_child_uses_a_client_with_which_threads_of_the_parent_verify_webhooks(start: Start) -> None:
    # Threads verify without the GIL. A lock that a thread holds at the fork stays locked in the child. With a
    # lock in the client, one of the first few hundred children hung.
    script = f"""
import webhooks

sys.setswitchinterval(1e-5)
secret = justcall_auth.Credentials("canary123key", webhooks.SECRET)
client = justcall_auth.Client(secret)
verifier = justcall_auth.WebhookVerifier(client, url=webhooks.URL)
headers, body = webhooks.headers(), webhooks.body()
done = threading.Event()
counts = [0] * 4

def verify_on(number):
    while not done.is_set():
        verifier.verify(headers, body, webhooks.NOW)
        counts[number] += 1

def work():
    signal.alarm({LIMIT / 4:.0f})
    verifier.verify(headers, body, webhooks.NOW)
    assert repr(client) == "<Client open>"

threads = [threading.Thread(target=verify_on, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
well = True
for _ in range(300):
    well = well and ended_well(fork(work))
done.set()
for thread in threads:
    thread.join()
print(well, min(counts) > 0)
"""
    assert output_of(start, f"sys.path.insert(0, {TESTS!r})" + script) == "True True\n"


def test_a_source_callable_is_called_in_the_child_too(start: Start) -> None:
    script = """
asked = []
def source():
    asked.append(os.getpid())
    return justcall_auth.Credentials(os.environ["JUSTCALL_API_KEY"], os.environ["JUSTCALL_API_SECRET"])

client = justcall_auth.Client(
    source, base_url=os.environ["SANDBOX_URL"], ca_file=os.environ["SANDBOX_CA_FILE"])
client.verify()
def work():
    client.verify()
    assert asked == [os.getppid(), os.getpid()]
print(ended_well(fork(work)), client.verify().verified_by, asked == [os.getpid()])
"""
    assert output_of(start, script) == "True /v2/account True\n"


def test_a_pool_of_forked_workers_shares_the_client_of_its_parent(sandbox: Sandbox, start: Start) -> None:
    script = """
import multiprocessing

def work(number):
    account = client.verify()
    together.wait(30)
    return account.verified_by, os.getpid(), client.post("/v2.1/echo", json=number).json()["body_bytes"]

account = client.verify()
context = multiprocessing.get_context("fork")
together = context.Barrier(4)
with context.Pool(4) as pool:
    results = pool.map(work, [1, 10, 100, 1000] * 3, chunksize=1)
print({path for path, _, _ in results}, len({pid for _, pid, _ in results}), [size for _, _, size in results])
print(client.verify() == account)
"""
    expected = f"{{'/v2/account'}} 4 {[1, 2, 3, 4] * 3}\nTrue\n"
    assert output_of(start, script) == expected
    assert connections(sandbox) == 5


APPLICATION = """
import os
import justcall_auth

client = justcall_auth.Client(base_url=os.environ["SANDBOX_URL"], ca_file=os.environ["SANDBOX_CA_FILE"])
client.verify()
imported_by = os.getpid()

def application(environ, start_response):
    account = client.verify()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{imported_by} {os.getpid()} {account.verified_by}".encode()]
"""


@pytest.fixture
def gunicorn(sandbox: Sandbox, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Gunicorn with two workers, which its master forks after the import of the application."""
    (tmp_path / "application.py").write_text(APPLICATION)
    options = ["--preload", "--workers", "2", "--bind", "unix:socket", "--no-control-socket"]
    with subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *options, "application:application"],
        cwd=tmp_path,
        env=sandbox.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as master:
        try:
            yield master
        finally:
            end_family(master)


def ask(path: Path) -> str:
    """Returns the response of the server at this socket; None if it does not listen yet."""
    with socket.socket(socket.AF_UNIX) as connected:
        connected.settimeout(LIMIT)
        try:
            connected.connect(str(path))
        except OSError:
            return ""
        connection = http.client.HTTPConnection("localhost")
        connection.sock = connected
        connection.request("GET", "/", headers={"Connection": "close"})
        with connection.getresponse() as response:
            assert response.status == 200, response.read()
            return response.read().decode()


def test_the_workers_of_gunicorn_use_the_client_that_was_imported_before(
    sandbox: Sandbox, gunicorn: subprocess.Popen[str], tmp_path: Path
) -> None:
    workers: set[str] = set()

    def both_answered() -> bool:
        assert gunicorn.poll() is None, gunicorn.communicate()[0]
        response = ask(tmp_path / "socket")
        if response:
            imported_by, worker, path = response.split()
            assert (imported_by, path) == (str(gunicorn.pid), "/v2/account")
            workers.add(worker)
        return len(workers) == 2

    wait_until(both_answered, LIMIT)
    assert str(gunicorn.pid) not in workers
    assert connections(sandbox) == 3
    gunicorn.send_signal(signal.SIGTERM)
    output, _ = gunicorn.communicate(timeout=LIMIT)
    assert gunicorn.returncode == 0, output
    assert "Traceback" not in output
