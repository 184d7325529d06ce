"""Ctrl-C and `close()` end a call immediately, in every phase."""

from __future__ import annotations

import contextlib
import fcntl
import signal
import socket
import struct
import termios
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import SOON, finish, wait_until, within

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

    from support import Start

CHILD = """
if {how!r} == "close":
    # Threads inherit the mask, so that only the main thread receives the signal.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])

def source():
    return justcall_auth.Credentials("abc123def456", "sec789xyz000")

def client_of(source=source, **settings):
    return justcall_auth.Client(source, base_url={url!r}, timeout=None, proxy="", **settings)

client = client_of()
def call():
    client.get("/v2.1/calls")

{setup}
def work():
    try:
        print("ready", flush=True)
        call()
    except justcall_auth.CallCancelledError:
        print("cancelled")
    except KeyboardInterrupt:
        print("interrupted")

if {how!r} == "ctrl_c":
    work()
else:
    worker = threading.Thread(target=work)
    worker.start()
    signal.sigwait([signal.SIGINT])
    client.close()
    worker.join()
"""


class Server:
    """A server on this machine whose behaviour for every connection is defined by the test."""

    def __init__(self, serve: Callable[[socket.socket], None] | None, backlog: int = 8) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self.port: int = self.listener.getsockname()[1]
        self.reached = threading.Event()
        self._serve = serve
        self._kept: list[socket.socket] = []
        if serve is not None:
            threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self._kept.append(connection)
                assert self._serve is not None
                self._serve(connection)
                self.reached.set()

    def fill(self) -> None:
        """Fills the queue of connections that wait to be accepted."""
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", self.port))
            self._kept.append(one)

    def knocking(self) -> int:
        """Returns how many connections to it are not established yet."""
        to, is_knocking = f":{self.port:04X}", "02"
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
        return sum(line.split()[2].endswith(to) and line.split()[3] == is_knocking for line in lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self._kept:
            connection.close()


def answering(response: bytes) -> Callable[[socket.socket], None]:
    """Reads a request and sends this response."""

    def serve(connection: socket.socket) -> None:
        while not connection.recv(65536).endswith(b"\r\n\r\n"):
            pass
        connection.sendall(response)

    return serve


def until_something_has_come(connection: socket.socket) -> None:
    assert connection.recv(1)


def until_much_has_come(connection: socket.socket) -> None:
    def pending() -> int:
        found = struct.unpack("i", fcntl.ioctl(connection, termios.FIONREAD, b"\0" * 4))
        return int(found[0])

    wait_until(lambda: pending() > 50_000)


REJECTED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}"
LIMITED = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 60\r\nContent-Length: 2\r\n\r\n{}"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"

PHASES: dict[str, tuple[str, Callable[[socket.socket], None], str]] = {
    "handshake": ("https", until_something_has_come, ""),
    "send": (
        "http",
        until_much_has_come,
        "def call():\n    client.post('/v2.1/calls', data=b'x' * 64_000_000)\n",
    ),
    "receive_head": ("http", answering(b""), ""),
    "receive_body": ("http", answering(HALF), ""),
    "between_attempts": ("http", answering(LIMITED), ""),
    "hold": ("http", answering(REJECTED), "client = client_of(rotation_wait=60)\n"),
}

each_way = pytest.mark.parametrize("how", ["ctrl_c", "close"])


@contextlib.contextmanager
def ends_soon(child: subprocess.Popen[str], how: str) -> Iterator[None]:
    """Cancels the call after the block, and checks that it ends."""
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    yield
    with within(SOON):
        child.send_signal(signal.SIGINT)
        code, output, errors = finish(child)
    assert (code, errors) == (0, "")
    assert output.splitlines()[-1] == ("interrupted" if how == "ctrl_c" else "cancelled")


def begin(start: Start, how: str, url: str, setup: str) -> subprocess.Popen[str]:
    """Starts a child that starts a call."""
    return start(CHILD.format(how=how, url=url, setup=setup))


@each_way
@pytest.mark.parametrize("phase", PHASES)
def test_it_ends_in_every_phase(start: Start, how: str, phase: str) -> None:
    scheme, serve, setup = PHASES[phase]
    with Server(serve) as server:
        child = begin(start, how, f"{scheme}://127.0.0.1:{server.port}", setup)
        with ends_soon(child, how):
            assert server.reached.wait(10)


@each_way
def test_it_ends_while_it_connects(start: Start, how: str) -> None:
    with Server(None, backlog=0) as server:
        server.fill()
        before = server.knocking()
        child = begin(start, how, f"http://127.0.0.1:{server.port}", "")
        with ends_soon(child, how):
            wait_until(lambda: server.knocking() > before)


@each_way
@pytest.mark.parametrize("call", ["verify()", "authorization()", "protection", "reload()"])
def test_it_ends_while_a_program_is_run_for_the_pair(
    start: Start, tmp_path: Path, how: str, call: str
) -> None:
    asked = tmp_path / "asked"
    program = f"command:sh -c 'touch {asked}; sleep 60'"
    setup = f"client = client_of({program!r})\ndef call():\n    client.{call}\n"
    child = begin(start, how, "http://127.0.0.1:1", setup)
    with ends_soon(child, how):
        wait_until(asked.exists)


@each_way
@pytest.mark.parametrize(
    "call", ["verify()", "authorization()", "protection", "reload()", "get('/v2.1/calls')"]
)
def test_it_ends_while_another_call_reads_the_source(start: Start, how: str, call: str) -> None:
    setup = f"""
asked = threading.Event()
def block():
    asked.set()
    threading.Event().wait()

client = client_of(block)
threading.Thread(target=client.verify, daemon=True).start()
asked.wait()
def call():
    client.{call}
"""
    with ends_soon(begin(start, how, "http://127.0.0.1:1", setup), how):
        pass


@each_way
def test_it_ends_while_a_webhook_waits_for_the_source(start: Start, tmp_path: Path, how: str) -> None:
    asked = tmp_path / "asked"
    program = f"command:sh -c 'touch {asked}; sleep 60'"
    setup = f"""
client = client_of({program!r})
verifier = justcall_auth.WebhookVerifier(client, url="https://example.com/")
headers = {{
    "x-justcall-signature": "0" * 64,
    "x-justcall-signature-version": "v1",
    "x-justcall-request-timestamp": "1711040902",
}}
def call():
    verifier.verify(headers, b'{{"webhook_url":"https://example.com/","type":"a.b"}}', 1711040902)
"""
    child = begin(start, how, "http://127.0.0.1:1", setup)
    with ends_soon(child, how):
        wait_until(asked.exists)
