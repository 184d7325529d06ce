"""A sandbox to test against: the command `justcall-auth-sandbox`, started, steered and stopped."""

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
"""Where cargo puts what it builds."""

SANDBOX_VARIABLE = "JUSTCALL_SANDBOX_BIN"
"""Names the command, where it is not the one that cargo built last."""

SOON = 1.0
"""How long a waiting call may take to end once it is told to, in seconds."""

SILENT = """
import logging
logging.getLogger("justcall_auth").addHandler(logging.NullHandler())
"""
"""How a program silences the warnings of the library, where it has set up no logging."""

CLIENT = """
import os, signal, sys, threading, time
import justcall_auth
client = justcall_auth.Client(
    base_url=os.environ["SANDBOX_URL"], ca_file=os.environ["SANDBOX_CA_FILE"], timeout=None)
"""
"""How a child process of a test begins."""


def sandbox_binary() -> Path:
    """The sandbox: the variable's, else as cargo built it last. Fails where there is none."""
    named = os.environ.get(SANDBOX_VARIABLE)
    return Path(named) if named else built("justcall-auth-sandbox", TARGETS)


def command(name: str) -> Path:
    """Another command of this workspace, from where the sandbox is. Fails where there is none."""
    return built(name, [sandbox_binary().parent])


def built(name: str, folders: list[Path]) -> Path:
    """The program of that name that was built last."""
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
        # Closes its standard input, which is what ends it, and waits.
        self._process.communicate(timeout=10)

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Makes a control call and gives its answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control_url + path, data=data, method=method)
        with self._opener.open(request, timeout=10) as answer:
            return json.load(answer)

    def fault(self, kind: str, **members: object) -> None:
        """Sets a fault."""
        self.control("POST", "faults", {"fault": kind, **members})

    def requests(self) -> Any:
        """What came in since the last clearing."""
        return self.control("GET", "requests")

    def credentials(self) -> justcall_auth.Credentials:
        """The pair of the first account."""
        return justcall_auth.Credentials(self.api_key, self.api_secret)

    def client(
        self, credentials: justcall_auth.Credentials | None = None, **settings: Any
    ) -> justcall_auth.Client:
        """A client of this sandbox, by default with the pair of the first account."""
        return justcall_auth.Client.from_credentials(
            credentials or self.credentials(), base_url=self.url, ca_file=self.ca_file, **settings
        )

    def environment(self) -> dict[str, str]:
        """The environment of a child process: the pair of the first account, and where this sandbox is."""
        return {
            **os.environ,
            "JUSTCALL_API_KEY": self.api_key,
            "JUSTCALL_API_SECRET": self.api_secret,
            "SANDBOX_URL": self.url,
            "SANDBOX_CA_FILE": self.ca_file,
        }


def client_of(sandbox: Sandbox, source: Any, **settings: Any) -> justcall_auth.Client:
    """A client of the sandbox with this source."""
    return justcall_auth.Client(source, base_url=sandbox.url, ca_file=sandbox.ca_file, **settings)


class Account:
    """An account of a sandbox, whose pair can be reset."""

    def __init__(self, sandbox: Sandbox, **members: object) -> None:
        self._sandbox = sandbox
        self.pair: dict[str, Any] = sandbox.control("POST", "pairs", members)

    @property
    def line(self) -> str:
        """The pair that is good now, as a file holds it."""
        return f"{self.pair['api_key']}:{self.pair['api_secret']}\n"

    def credentials(self) -> justcall_auth.Credentials:
        """The pair that is good now."""
        return justcall_auth.Credentials(self.pair["api_key"], self.pair["api_secret"])

    def reset(self) -> None:
        """Makes another pair, and the old one worthless."""
        self.pair = self._sandbox.control("POST", "reset", {"api_key": self.pair["api_key"]})


def put(path: Path, text: str) -> None:
    """Replaces a file at once, as everyone should who writes a pair."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.replace(path)


def wait_until(condition: Callable[[], object], limit: float = 10.0) -> None:
    """Waits for `condition`, at most `limit` seconds."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def finish(child: subprocess.Popen[str], limit: float = 10.0) -> tuple[int, str, str]:
    """Its exit code and what it and its children printed, once all of them have ended."""
    output, errors = child.communicate(timeout=limit)
    return child.returncode, output, errors


def end_family(child: subprocess.Popen[str]) -> None:
    """Ends a child that leads a session of its own, with all that it started and left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


@contextlib.contextmanager
def within(limit: float) -> Iterator[None]:
    """Fails when the block takes longer than `limit` seconds."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < limit


def hang(sandbox: Sandbox) -> None:
    """Lets the next request hang, and no other."""
    sandbox.fault("hang", times=1)


def only_known(members: dict[str, Any], known: set[str], *, all_of_them: bool = False) -> dict[str, Any]:
    """The members, once none is unknown to this runner (and none is missing)."""
    assert not members.keys() - known, f"unknown: {members.keys() - known}"
    assert not (all_of_them and known - members.keys()), f"missing: {known - members.keys()}"
    return members
