"""A sandbox to test against: the command `justcall-auth-sandbox`, started, steered and stopped."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import justcall_auth

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

ROOT = Path(__file__).resolve().parents[3]
"""The workspace."""


def sandbox_binary() -> Path:
    """The command: `JUSTCALL_SANDBOX_BIN`, else as cargo built it last. Fails where there is none."""
    named = os.environ.get("JUSTCALL_SANDBOX_BIN")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    name = "justcall-auth-sandbox" + (".exe" if sys.platform == "win32" else "")
    places = [Path(named)] if named else [target / profile / name for profile in ("debug", "release")]
    built = [place for place in places if place.is_file()]
    if not built:
        looked = " and ".join(map(str, places))
        raise RuntimeError(f"no sandbox at {looked}: run `cargo build -p justcall-auth-sandbox` first")
    return max(built, key=lambda place: place.stat().st_mtime)


class Sandbox:
    """A running sandbox."""

    url: str
    ca_file: str
    api_key: str
    api_secret: str
    control_url: str

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sandbox_binary(), "--until-stdin-closes"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
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


def wait_until(condition: Callable[[], object], limit: float = 10.0) -> None:
    """Waits for `condition`, at most `limit` seconds."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
