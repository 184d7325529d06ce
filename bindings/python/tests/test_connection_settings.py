"""The settings of connections: authorities in memory, the local address, the largest response."""

from __future__ import annotations

import http.server
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import justcall_auth
from justcall_auth import Client, Credentials

if TYPE_CHECKING:
    from support import Sandbox

PAIR = Credentials("abc123def456", "sec789xyz000")


def test_it_trusts_authorities_in_memory(sandbox: Sandbox) -> None:
    text = Path(sandbox.ca_file).read_text()
    for pem in (text, text.encode(), bytearray(text.encode()), memoryview(text.encode())):
        with Client(sandbox.credentials(), base_url=sandbox.url, ca_pem=pem) as client:
            client.verify()
    with Client(sandbox.credentials(), base_url=sandbox.url) as client:
        with pytest.raises(justcall_auth.TlsFailedError):
            client.verify()


def test_it_does_not_repeat_a_text_without_a_certificate() -> None:
    pem = "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n"
    with pytest.raises(justcall_auth.InvalidArgumentError, match="private key") as caught:
        Client(PAIR, ca_pem=pem)
    assert "canary" not in str(caught.value)


def test_it_refuses_authorities_from_two_places(sandbox: Sandbox) -> None:
    pem = Path(sandbox.ca_file).read_bytes()
    with pytest.raises(justcall_auth.InvalidArgumentError, match="ca_pem and ca_file cannot be combined"):
        Client(PAIR, ca_file=sandbox.ca_file, ca_pem=pem)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.7 is no address of the machine")
@pytest.mark.parametrize(
    ("address", "seen"), [("127.0.0.7", "127.0.0.7"), ("", "127.0.0.1"), (None, "127.0.0.1")]
)
def test_it_connects_from_the_configured_local_address(address: str | None, seen: str) -> None:
    peers: list[str] = []

    class Answering(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            peers.append(self.client_address[0])
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        with Client(PAIR, base_url=url, local_address=address, max_retries=0) as client:
            with pytest.raises(justcall_auth.NotFoundError):
                client.get("/v2.1/calls")
    assert peers == [seen]


@pytest.mark.parametrize(
    ("address", "why"),
    [("192.0.2.7", "from the local address 192.0.2.7"), ("2001:db8::7", "has no IPv6 address")],
)
def test_it_reports_a_local_address_that_is_not_usable(sandbox: Sandbox, address: str, why: str) -> None:
    with sandbox.client(local_address=address, max_retries=0) as client:
        with pytest.raises(justcall_auth.ConnectionFailedError, match=why) as caught:
            client.verify()
    assert (caught.value.request_sent, caught.value.reason) == (False, "connect")
    assert sandbox.requests() == []


def test_it_refuses_a_response_above_the_largest_length(sandbox: Sandbox) -> None:
    sandbox.fault("huge_body", bytes=100_000, times=3)
    with sandbox.client(max_response_length=99_999) as client:
        with pytest.raises(justcall_auth.InvalidResponseError, match="99999 bytes") as caught:
            client.get("/v2.1/calls")
        assert caught.value.response is not None
        assert len(caught.value.response.body) == 99_999
        assert "max_response_length" in caught.value.hint
    for allowed in (100_000, 0):
        with sandbox.client(max_response_length=allowed) as client:
            assert len(client.get("/v2.1/calls").body) == 100_000
