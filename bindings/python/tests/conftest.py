"""The fixtures of all tests."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support import CLIENT, SANDBOX_VARIABLE, SILENT, Sandbox, end_family

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters import Session
    from support import Start

_VAULT_VARIABLES = {
    f"{prefix}_{name}"
    for prefix in ("BAO", "VAULT")
    for name in ("ADDR", "CACERT", "NAMESPACE", "ROLE", "ROLE_ID", "SECRET_ID", "TOKEN")
}
FOREIGN_VARIABLES = {
    "CREDENTIALS_DIRECTORY",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
} | _VAULT_VARIABLES
"""The variables without the prefix `JUSTCALL_` that the library reads."""


@pytest.fixture(scope="session")
def _running_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def _running_measured_sandbox() -> Iterator[Sandbox]:
    with Sandbox("--dialect", "measured") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_running_sandbox: Sandbox) -> Sandbox:
    """The sandbox of the session, reset to be without the faults, requests and accounts of other tests."""
    _running_sandbox.control("POST", "clear", {})
    return _running_sandbox


@pytest.fixture
def measured_sandbox(_running_measured_sandbox: Sandbox) -> Sandbox:
    """Another sandbox, which responds as measured on the live service."""
    _running_measured_sandbox.control("POST", "clear", {})
    return _running_measured_sandbox


@pytest.fixture(scope="session")
def sandboxes() -> Iterator[dict[type[Session], Sandbox]]:
    """A sandbox for each adapter, so that tests use all adapters at the same time."""
    from adapters import ADAPTERS

    with contextlib.ExitStack() as stack:
        yield {adapter: stack.enter_context(Sandbox()) for adapter in ADAPTERS}


@pytest.fixture
def start(sandbox: Sandbox) -> Iterator[Start]:
    """Starts child processes that have the sandbox's `client` and log nothing. They end with the test."""
    with contextlib.ExitStack() as children:

        def run(script: str) -> subprocess.Popen[str]:
            child = subprocess.Popen(
                [sys.executable, "-c", SILENT + CLIENT + script],
                env=sandbox.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            children.enter_context(child)
            children.callback(end_family, child)
            return child

        yield run


@pytest.fixture(autouse=True)
def _nothing_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes pairs, sources and proxies from the environment, so that tests do not depend on it."""
    for name in list(os.environ):
        if (name.startswith("JUSTCALL_") and name != SANDBOX_VARIABLE) or name in FOREIGN_VARIABLES:
            monkeypatch.delenv(name)
