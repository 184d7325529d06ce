"""A pair in a real OpenBao: resets with both clients, and both sides of a `fork()`."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from support import Account, client_of, end_family, finish, wait_until
from test_fork import CHILDREN, LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support import Sandbox, Start

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a process group ends the server")

TOKEN = "root-of-the-test"


class Vault:
    """A server of OpenBao with TLS, whose storage is its memory."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"https://127.0.0.1:{port}"
        self.ca_file = folder / "vault-ca.pem"
        command = [
            str(Path(sys.executable).with_name("bao")),
            *("server", "-dev", "-dev-tls", "-dev-no-store-token"),
            *(f"-dev-tls-cert-dir={folder}", f"-dev-listen-address=127.0.0.1:{port}"),
            f"-dev-root-token-id={TOKEN}",
        ]
        with (folder / "log").open("w") as log:
            self.server = subprocess.Popen(
                command,
                env={**os.environ, "HOME": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self.is_ready, LIMIT)

    def is_ready(self) -> bool:
        """Returns true once the server accepts requests."""
        try:
            self.request("sys/mounts")
        except OSError:
            return False
        return True

    def request(self, path: str, body: object = None) -> Any:
        """Sends a request with the token that may do everything. Returns the JSON of the response."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Vault-Token": TOKEN}
        request = urllib.request.Request(f"{self.address}/v1/{path}", data=data, headers=headers)
        context = ssl.create_default_context(cafile=str(self.ca_file))
        https = urllib.request.HTTPSHandler(context=context)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), https)
        with opener.open(request, timeout=LIMIT) as response:
            return json.loads(response.read() or b"null")

    def store(self, account: Account) -> None:
        """Stores the pair of the account."""
        members = {name: account.pair[name] for name in ("api_key", "api_secret")}
        self.request("secret/data/justcall", {"data": members})

    def approle(self, folder: Path) -> str:
        """Creates a login. Returns the source."""
        if "approle/" not in self.request("sys/auth")["data"]:
            self.request("sys/auth/approle", {"type": "approle"})
        rights = 'path "secret/data/justcall" { capabilities = ["read"] }'
        self.request("sys/policies/acl/justcall", {"policy": rights})
        self.request("auth/approle/role/app", {"token_policies": ["justcall"], "token_ttl": "1h"})
        login = {
            "role_id": self.request("auth/approle/role/app/role-id")["data"]["role_id"],
            "secret_id": self.request("auth/approle/role/app/secret-id", {})["data"]["secret_id"],
        }
        for name, value in login.items():
            (folder / name).write_text(value)
        files = "&".join(f"{name}_file={folder / name}" for name in login)
        return f"vault:{self.address}/secret/justcall?ca={self.ca_file}&auth=approle&{files}"


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    running = Vault(tmp_path_factory.mktemp("vault"))
    yield running
    end_family(running.server)
    running.server.wait()


def test_both_clients_find_the_new_pair_after_a_reset(sandbox: Sandbox, vault: Vault, tmp_path: Path) -> None:
    account, source = Account(sandbox), vault.approle(tmp_path)
    vault.store(account)
    client = client_of(sandbox, source)

    def reset() -> None:
        account.reset()
        vault.store(account)

    async def main() -> None:
        async with justcall_auth.AsyncClient(
            source, base_url=sandbox.url, ca_file=sandbox.ca_file
        ) as asynchronous:
            await asynchronous.verify()
            reset()
            await asynchronous.verify()

    client.verify()
    reset()
    client.verify()
    assert client.generation == 2
    asyncio.run(main())
    client.verify()


def test_the_error_of_vault_has_its_reason_and_no_secret(
    sandbox: Sandbox, vault: Vault, tmp_path: Path
) -> None:
    source = vault.approle(tmp_path)
    (tmp_path / "secret_id").write_text("canary-secret-id")
    with pytest.raises(justcall_auth.SourceUnavailableError) as caught:
        client_of(sandbox, source).verify()
    assert (caught.value.reason, caught.value.request_sent) == ("vault_login", False)
    assert "vault write auth/approle/login" in caught.value.hint
    assert "canary" not in f"{caught.value!r} {caught.value} {caught.value.hint}"


def test_parent_and_child_both_read_vault_after_a_fork(
    sandbox: Sandbox, vault: Vault, start: Start, tmp_path: Path
) -> None:
    account, source = Account(sandbox), vault.approle(tmp_path)
    vault.store(account)
    script = f"""
client = justcall_auth.Client(
    {source!r}, base_url=os.environ["SANDBOX_URL"], ca_file=os.environ["SANDBOX_CA_FILE"])
client.verify()
def reload():
    client.reload()
    client.verify()
child = fork(reload)
reload()
print(ended_well(child), client.generation)
"""
    code, output, errors = finish(start(CHILDREN + script), LIMIT)
    assert (code, output, errors) == (0, "True 1\n", "")
