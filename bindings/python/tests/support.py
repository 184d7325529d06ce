"""A sandbox for tests: starts, controls and stops the command `justcall-auth-sandbox`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import justcall_auth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from typing_extensions import Self

    Start = Callable[[str], subprocess.Popen[str]]

ROOT = Path(__file__).resolve().parents[3]
"""The workspace."""

TARGETS = [
    Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / profile for profile in ("debug", "release")
]
"""The folder for the output of cargo."""

SANDBOX_VARIABLE = "JUSTCALL_SANDBOX_BIN"
"""The variable with the path of the command; by default cargo's latest build is used."""

SOON = 1.0
"""How long a waiting call may take to end after its cancellation, in seconds."""

SILENT = """
import logging
logging.getLogger("justcall_auth").addHandler(logging.NullHandler())
"""
"""Code that silences the warnings of the library in a program without logging set up."""

CLIENT = """
import os, signal, sys, threading, time
import justcall_auth
client = justcall_auth.Client(
    base_url=os.environ["SANDBOX_URL"], ca_file=os.environ["SANDBOX_CA_FILE"], timeout=None)
"""
"""The first lines of a child process of a test."""


def sandbox_binary() -> Path:
    """Returns the sandbox of the variable, otherwise cargo's latest build. Fails if there is none."""
    named = os.environ.get(SANDBOX_VARIABLE)
    return Path(named) if named else built("justcall-auth-sandbox", TARGETS)


def command(name: str) -> Path:
    """Returns another command of this workspace, in the folder of the sandbox. Fails if there is none."""
    return built(name, [sandbox_binary().parent])


def built(name: str, folders: list[Path]) -> Path:
    """Returns the latest build of the program with that name."""
    name += ".exe" if sys.platform == "win32" else ""
    found = [folder / name for folder in folders if (folder / name).is_file()]
    if not found:
        looked = " and ".join(map(str, folders))
        raise RuntimeError(
            f"no {name} in {looked}: run `cargo build -p justcall-auth-sandbox -p justcall-auth-cli` first"
        )
    return max(found, key=lambda place: place.stat().st_mtime)


class Sandbox:
    """A running sandbox."""

    url: str
    ca_file: str
    api_key: str
    api_secret: str
    control_url: str

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sandbox_binary(), "--until-stdin-closes", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        for name, value in json.loads(self._process.stdout.readline()).items():
            setattr(self, name, value)
        trust = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.ca_file))
        self._opener = urllib.request.build_opener(trust, urllib.request.ProxyHandler({}))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # The sandbox exits when its standard input is closed.
        self._process.communicate(timeout=10)

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Makes a control call and returns the response."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control_url + path, data=data, method=method)
        with self._opener.open(request, timeout=10) as response:
            return json.load(response)

    def fault(self, kind: str, **members: object) -> None:
        """Sets a fault."""
        self.control("POST", "faults", {"fault": kind, **members})

    def requests(self) -> Any:
        """Returns the requests since the last reset."""
        return self.control("GET", "requests")

    def credentials(self) -> justcall_auth.Credentials:
        """Returns the pair of the first account."""
        return justcall_auth.Credentials(self.api_key, self.api_secret)

    def client(
        self, credentials: justcall_auth.Credentials | None = None, **settings: Any
    ) -> justcall_auth.Client:
        """Creates a client of this sandbox, by default with the pair of the first account."""
        return justcall_auth.Client.from_credentials(
            credentials or self.credentials(), base_url=self.url, ca_file=self.ca_file, **settings
        )

    def environment(self) -> dict[str, str]:
        """Returns the environment of a child process: the first account's pair and this sandbox's URL."""
        return {
            **os.environ,
            "JUSTCALL_API_KEY": self.api_key,
            "JUSTCALL_API_SECRET": self.api_secret,
            "SANDBOX_URL": self.url,
            "SANDBOX_CA_FILE": self.ca_file,
        }


def client_of(sandbox: Sandbox, source: Any, **settings: Any) -> justcall_auth.Client:
    """Creates a client of the sandbox with this source."""
    return justcall_auth.Client(source, base_url=sandbox.url, ca_file=sandbox.ca_file, **settings)


class Account:
    """An account of a sandbox, whose pair can be reset."""

    def __init__(self, sandbox: Sandbox, **members: object) -> None:
        self._sandbox = sandbox
        self.pair: dict[str, Any] = sandbox.control("POST", "pairs", members)

    @property
    def line(self) -> str:
        """Returns the valid pair in the form of a file."""
        return f"{self.pair['api_key']}:{self.pair['api_secret']}\n"

    def credentials(self) -> justcall_auth.Credentials:
        """Returns the valid pair."""
        return justcall_auth.Credentials(self.pair["api_key"], self.pair["api_secret"])

    def reset(self) -> None:
        """Creates a new pair, which revokes the old one."""
        self.pair = self._sandbox.control("POST", "reset", {"api_key": self.pair["api_key"]})


def put(path: Path, text: str) -> None:
    """Replaces a file atomically, as every program that writes a pair should."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.replace(path)


def wait_until(condition: Callable[[], object], limit: float = 10.0) -> None:
    """Waits for `condition`, at most `limit` seconds."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "the condition did not become true in time"
        time.sleep(0.01)


def finish(child: subprocess.Popen[str], limit: float = 10.0) -> tuple[int, str, str]:
    """Waits for the process and its children. Returns its exit code and their output."""
    output, errors = child.communicate(timeout=limit)
    return child.returncode, output, errors


def end_family(child: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Ends a child that leads a session, with all processes of the session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


@contextlib.contextmanager
def within(limit: float) -> Iterator[None]:
    """Fails if the block takes longer than `limit` seconds."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < limit


def hang(sandbox: Sandbox) -> None:
    """Makes only the next request hang."""
    sandbox.fault("hang", times=1)


def only_known(members: dict[str, Any], known: set[str], *, all_of_them: bool = False) -> dict[str, Any]:
    """Returns the members. Fails if one is unknown to this runner (or if one is missing)."""
    assert not members.keys() - known, f"unknown: {members.keys() - known}"
    assert not (all_of_them and known - members.keys()), f"missing: {known - members.keys()}"
    return members
