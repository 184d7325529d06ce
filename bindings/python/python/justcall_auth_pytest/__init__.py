"""Fixtures for tests of programs that use justcall_auth. pytest loads this plugin by itself.

- `justcall_sandbox`: a `Sandbox`, a local server that answers like the JustCall API
- `justcall_client`: a `justcall_auth.Client` of the sandbox, whose pair follows resets
- `sign_webhook`: signs a `Webhook`

Each test starts with a sandbox without faults, requests and further accounts. After each test the plugin
forgets which pairs were rejected, so that a test does not wait until a rejected pair may be sent again.

The plugin imports justcall_auth only for a test that uses one of its fixtures. The fixtures need the command
`justcall-auth-sandbox`, which `pip install justcall-auth[testing]` installs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from ._sandbox import Account, Sandbox
from ._webhook import Webhook, sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    import justcall_auth

__all__ = ["Account", "Sandbox", "SignWebhook", "Webhook"]


class SignWebhook:
    """Signs webhooks with the secret of an account of the sandbox.

    Args:
        sandbox: The sandbox.

    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def __call__(
        self,
        url: str,
        type: str = "call.completed",  # noqa: A002 - it is the name in the body
        data: dict[str, object] | None = None,
        *,
        secret: str | None = None,
        timestamp: float | None = None,
    ) -> Webhook:
        """Returns a delivery for a receiver that is registered with `url`.

        Args:
            url: The URL that the receiver is registered with.
            type: The event's type.
            data: The `data` of the body.
            secret: What signs, by default the secret of the sandbox.
            timestamp: The time of the signature in seconds since the epoch, by default now.

        """
        return sign(secret or self._sandbox.api_secret, url, type, data, timestamp)


@pytest.fixture(scope="session")
def _justcall_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def justcall_sandbox(_justcall_sandbox: Sandbox) -> Sandbox:
    """A local server that answers like the JustCall API, without the faults and requests of other tests."""
    _justcall_sandbox.clear()
    return _justcall_sandbox


@pytest.fixture
def justcall_client(justcall_sandbox: Sandbox) -> Iterator[justcall_auth.Client]:
    """A client of the sandbox. It reads the pair again after `justcall_sandbox.reset()`."""
    with justcall_sandbox.client() as client:
        yield client


@pytest.fixture
def sign_webhook(justcall_sandbox: Sandbox) -> SignWebhook:
    """Signs webhooks with the secret of the sandbox: `sign_webhook(url, "call.completed", {"id": 1})`."""
    return SignWebhook(justcall_sandbox)


def pytest_runtest_teardown() -> None:
    """Forgets which pairs were rejected, if the test used justcall_auth."""
    native = sys.modules.get("justcall_auth._native")
    if native is not None:
        native.forget_rejections()
