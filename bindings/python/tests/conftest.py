"""The fixtures of all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def _running_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_running_sandbox: Sandbox) -> Sandbox:
    """The one sandbox of the session, without the faults, requests and accounts of other tests."""
    _running_sandbox.control("POST", "clear", {})
    return _running_sandbox


@pytest.fixture(autouse=True)
def _no_pair_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test meets a pair, or a place of a pair, that the developer's own environment names."""
    for name in ("JUSTCALL_API_KEY", "JUSTCALL_API_SECRET", "JUSTCALL_CREDENTIALS", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
