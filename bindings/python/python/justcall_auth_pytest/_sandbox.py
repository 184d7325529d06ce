"""The sandbox of a test session: a process of the command `justcall-auth-sandbox`."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import ssl
import subprocess
import sysconfig
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from justcall_auth import Client, Credentials

COMMAND = "justcall-auth-sandbox"

VARIABLE = "JUSTCALL_SANDBOX_BIN"
"""The variable that names another command, such as a build of the repository."""


class Account:
    """An account of the sandbox, with its valid pair. `Sandbox.create_account` creates it.

    Args:
        sandbox: The sandbox.
        members: The account, as the sandbox describes it.

    """

    def __init__(self, sandbox: Sandbox, members: dict[str, Any]) -> None:
        self._sandbox = sandbox
        self.account_id: int = members["account_id"]
        self.api_key: str = members["api_key"]
        self.api_secret: str = members["api_secret"]

    def reset(self, *, overlap: float = 0) -> None:
        """Creates a new pair.

        Args:
            overlap: How long the old pair stays valid, in seconds. With 0 it ends at once.

        """
        order = {"api_key": self.api_key, "overlap_ms": int(overlap * 1000)}
        made = self._sandbox.control("POST", "reset", order)
        self.api_key, self.api_secret = made["api_key"], made["api_secret"]

    def credentials(self) -> Credentials:
        """Returns the valid pair."""
        import justcall_auth

        return justcall_auth.Credentials(self.api_key, self.api_secret)

    def client(self, **settings: Any) -> Client:
        """Creates a client of this account, which reads the pair again after a reset.

        Args:
            settings: The arguments of `justcall_auth.Client`.

        """
        import justcall_auth

        own = {"base_url": self._sandbox.url, "ca_file": self._sandbox.ca_file, "proxy": ""}
        return justcall_auth.Client(self.credentials, **{**own, **settings})


class Sandbox:
    """A running sandbox.

    `url` is the base URL, and `ca_file` the file with the certificate authority. `api_key` and `api_secret`
    are the valid pair of the first account.

    Args:
        arguments: The arguments of the command `justcall-auth-sandbox`.

    """

    url: str
    ca_file: str
    control_url: str

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - the command is the sandbox
            [_command(), "--until-stdin-closes", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        line = self._process.stdout.readline() if self._process.stdout else b""
        if not line:
            raise RuntimeError(f"{COMMAND} did not start: its message is above")
        started: dict[str, Any] = json.loads(line)
        self.url, self.ca_file = started["url"], started["ca_file"]
        self.control_url = started["control_url"]
        self._first = {**started, "account_id": 0}
        trust = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.ca_file))
        self._opener = urllib.request.build_opener(trust, urllib.request.ProxyHandler({}))
        self.account = Account(self, self._first)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the sandbox."""
        # The sandbox exits when its standard input is closed.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.communicate(timeout=10)
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    @property
    def api_key(self) -> str:
        """The key of the first account's valid pair."""
        return self.account.api_key

    @property
    def api_secret(self) -> str:
        """The secret of the first account's valid pair."""
        return self.account.api_secret

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Makes a control call, and returns its result. The guide to the sandbox lists them.

        Args:
            method: The HTTP method.
            path: The path below the control URL.
            body: A value to send as JSON; None for no body.

        """
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control_url + path, data=data, method=method)  # noqa: S310 - the URL of the sandbox
        with self._opener.open(request, timeout=30) as response:
            return json.load(response)

    def clear(self) -> None:
        """Removes faults, recorded requests, webhooks, and every account except the first."""
        self.control("POST", "clear", {})

    def fault(self, kind: str, **members: object) -> None:
        """Makes requests fail: `fault("answer", status=503, times=1)`. The guide lists the kinds.

        Args:
            kind: The kind of the fault.
            members: Its details.

        """
        self.control("POST", "faults", {"fault": kind, **members})

    def clear_faults(self) -> None:
        """Ends all faults."""
        self.control("DELETE", "faults")

    def reset(self, *, overlap: float = 0) -> None:
        """Creates a new pair of the first account.

        Args:
            overlap: How long the old pair stays valid, in seconds. With 0 it ends at once.

        """
        self.account.reset(overlap=overlap)

    def create_account(self, **members: object) -> Account:
        """Creates another account: `create_account(plan="Free", role="Agent")`.

        Args:
            members: The details of the account.

        """
        return Account(self, self.control("POST", "pairs", members))

    def requests(self) -> list[dict[str, Any]]:
        """Returns the requests of this test, as `method`, `path`, `query`, `status` and others."""
        recorded: list[dict[str, Any]] = self.control("GET", "requests")
        return recorded

    def credentials(self) -> Credentials:
        """Returns the valid pair of the first account."""
        return self.account.credentials()

    def client(self, **settings: Any) -> Client:
        """Creates a client of the first account.

        Args:
            settings: The arguments of `justcall_auth.Client`.

        """
        return self.account.client(**settings)


def _command() -> str:
    """Returns the path of the command."""
    named = os.environ.get(VARIABLE)
    found = named or shutil.which(COMMAND, path=sysconfig.get_path("scripts")) or shutil.which(COMMAND)
    if not found:
        raise RuntimeError(f"{COMMAND} is not installed: pip install 'justcall-auth[testing]'")
    return found
