"""The adapters for requests, httpx, httpx2 and aiohttp: each follows the rules of a call."""

from __future__ import annotations

import base64
import json
import socket
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import justcall_auth
from adapters import ADAPTERS, Reply, Session, at_once
from support import Account, Sandbox, client_of, only_known, put, wait_until
from test_verify_vectors import CONFIG_KEYS, KEYS, VECTORS, assert_not_shown, compare_error, pair_of

if TYPE_CHECKING:
    from pathlib import Path

# aiohttp and httpx leave connections and generators to the garbage collector after some failures.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

ECHO = "/v2.1/echo"
USERS = "/v2.1/users?per_page=1"

CONTENT = {
    "200-bad-json",
    "200-data-is-list",
    "200-empty",
    "200-gzip-without-body",
    "200-html",
    "200-huge-body",
    "200-huge-body-chunked",
    "200-id-fraction",
    "200-no-data",
    "200-status-error",
    "200-users-not-json",
    "204-no-content",
}
"""The vectors about the content of an account page. An adapter returns such a page like any response."""

NETWORK = {"connection_failed", "timeout", "tls_failed", "invalid_response"}
"""The errors whose details the built-in HTTP client knows better."""

NETWORK_FAULTS = {
    "close_after_request",
    "hang",
    "hang_body",
    "hang_handshake",
    "huge_headers",
    "raw",
    "reset_after_request",
    "reset_before_request",
    "tls",
    "truncated_body",
}
"""The faults after which an auth class is not called again: the library raises its own exception."""


each = pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.__name__)


def verified(session: Session, path: str | None) -> tuple[str, Reply]:
    """Requests the pages that `Client.verify` requests. Returns the last page and its response."""
    try:
        page = path or "/v2/account"
        return page, session.call("GET", page)
    except justcall_auth.NotFoundError:
        if path:
            raise
    return USERS, session.call("GET", USERS)


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_each_has_the_result_of_every_vector(sandboxes: dict[type[Session], Sandbox], path: Path) -> None:
    vector = only_known(json.loads(path.read_text(encoding="utf-8")), KEYS, all_of_them=True)
    is_network = any(fault["fault"] in NETWORK_FAULTS for fault in vector["faults"])
    adapters = [adapter for adapter in ADAPTERS if not (adapter.is_auth and is_network)]
    assert len(adapters) >= 8
    justcall_auth.testing.forget_rejections()
    at_once(adapters, lambda adapter: run(adapter, sandboxes[adapter], path.stem, vector))


def run(adapter: type[Session], sandbox: Sandbox, name: str, vector: dict[str, Any]) -> None:
    """Makes the calls that the vector describes, and compares the result."""
    config, expect = only_known(vector["config"], CONFIG_KEYS), vector["expect"]
    sandbox.control("POST", "clear", {})
    key, secret = pair_of(vector, sandbox.control("POST", "pairs", vector["pair"]))
    for fault in vector["faults"]:
        sandbox.control("POST", "faults", fault)
    try:
        credentials = justcall_auth.Credentials(key, secret)
        timeout = config["timeout_ms"] / 1000 if "timeout_ms" in config else 30
        with sandbox.client(credentials, max_retries=config["max_retries"], timeout=timeout) as client:
            page, reply = verified(adapter(sandbox, client), config.get("verify_path"))
    except justcall_auth.JustCallError as error:
        assert "error" in expect, str(error)
        compare_error(error, expected_of(error, expect["error"]))
        assert_not_shown(secret, error)
        assert name not in CONTENT
        assert error.__context__ is None
    else:
        assert "account" in expect or name in CONTENT or name == "huge-headers", reply
        if "account" in expect:
            assert page == expect["account"]["verified_by"]
            if expect["account"]["email"] is not None:
                assert json.loads(reply.body)["data"]["email"] == expect["account"]["email"]
    if vector["requests"] is not None:
        assert len(sandbox.requests()) == vector["requests"]


def expected_of(error: justcall_auth.JustCallError, expect: dict[str, Any]) -> dict[str, Any]:
    """Returns what is expected, without what only the built-in HTTP client knows."""
    expected = dict(expect)
    if error.name in NETWORK:
        expected.update(message_contains=[], hint_contains=[], reason=error.reason)
    shown, masked, _ = (expected["service_message"] or "").partition("*")
    if masked:
        # The built-in HTTP client replaces an echoed secret by as many asterisks.
        assert str(error.service_message).startswith(shown)
        expected["service_message"] = error.service_message
    return expected


# --- Resets ---


LOAD = 300
"""How many calls each adapter makes while the pair is reset."""


@each
def test_a_reset_under_load_fails_no_call(
    sandbox: Sandbox, adapter: type[Session], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    account, file = Account(sandbox), tmp_path / "pair"
    put(file, account.line)
    answered = threading.Event()

    def reset() -> None:
        while not answered.wait(0.002):
            if sum(request["status"] == 200 for request in sandbox.requests()) > LOAD // 4:
                account.reset()
                wait_until(lambda: any(request["status"] == 401 for request in sandbox.requests()))
                put(file, account.line)
                return

    resetting = threading.Thread(target=reset)
    resetting.start()
    try:
        with client_of(sandbox, f"file:{file}", rotation_wait=20, timeout=60) as client:
            failures = adapter(sandbox, client).many(LOAD, 16, ECHO)
            generation = client.generation
    finally:
        answered.set()
        resetting.join()
    statuses = [request["status"] for request in sandbox.requests()]
    with capsys.disabled():
        rejected = statuses.count(401)
        print(f"\n{adapter.__name__}: {LOAD} calls, {rejected} rejected by the reset, {len(failures)} failed")
    assert failures == []
    assert generation == 2
    assert statuses.count(200) >= LOAD
    assert statuses.count(401) >= 1


# --- What is sent ---


@each
def test_it_sends_the_request_of_the_program_with_the_pair(sandbox: Sandbox, adapter: type[Session]) -> None:
    with sandbox.client(Account(sandbox).credentials()) as client:
        reply = adapter(sandbox, client).call("POST", f"{ECHO}?a=1&b=%C3%A4", data=b'{"to": "+1"}')
    sent = sandbox.requests()[-1]
    assert (sent["method"], sent["query"], sent["body_bytes"]) == ("POST", "a=1&b=%C3%A4", 12)
    assert sent["secret_generation"] == 1
    assert json.loads(reply.body)["body_base64"] == base64.b64encode(b'{"to": "+1"}').decode()
    assert sent["client"] == f"justcall-auth/{justcall_auth.__version__}"


@each
def test_it_sends_a_body_of_pieces_again(sandbox: Sandbox, adapter: type[Session]) -> None:
    sandbox.fault("answer", status=429, headers={"Retry-After": "0"}, times=1)
    if adapter.is_async:

        async def pieces() -> Any:
            yield b"ab"
            yield b"cd"
    else:

        def pieces() -> Any:
            yield b"ab"
            yield b"cd"

    with sandbox.client(Account(sandbox).credentials()) as client:
        adapter(sandbox, client).call("POST", ECHO, data=pieces())
    assert [(sent["status"], sent["body_bytes"]) for sent in sandbox.requests()] == [(429, 4), (200, 4)]


@each
def test_it_refuses_another_host(sandbox: Sandbox, adapter: type[Session]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, sandbox.client() as client:
        session = adapter(sandbox, client)
        session.url = f"http://127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(justcall_auth.InvalidArgumentError, match="not under the client's base URL"):
            session.call("GET", ECHO)
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.accept()


@each
@pytest.mark.parametrize("status", [301, 307])
def test_it_does_not_follow_a_redirect_with_the_pair(
    sandbox: Sandbox, adapter: type[Session], status: int
) -> None:
    follow = {"follow_redirects": True} if "ttpx" in adapter.__name__ else {}
    sandbox.fault("answer", status=status, headers={"Location": "/v2.1/users"}, path=ECHO)
    with sandbox.client(Account(sandbox).credentials()) as client:
        for settings in ({}, {"raise_for_status": False}):
            with pytest.raises(justcall_auth.RedirectRefusedError):
                adapter(sandbox, client, **settings).call("GET", ECHO, **follow)
    paths = [
        (sent["path"], "authorization" in str(sent["header_names"]).lower()) for sent in sandbox.requests()
    ]
    followed = ("/v2.1/users", False)
    assert (ECHO, True) in paths
    assert set(paths) <= {(ECHO, True), followed}
    if not (adapter.is_auth and follow):
        assert followed not in paths


@each
def test_it_returns_an_error_response_if_asked(sandbox: Sandbox, adapter: type[Session]) -> None:
    body = {"message": "No."}
    sandbox.fault("answer", status=422, body=body)
    with sandbox.client(Account(sandbox).credentials()) as client:
        with pytest.raises(justcall_auth.UnprocessableError):
            adapter(sandbox, client).call("GET", ECHO)
        reply = adapter(sandbox, client, raise_for_status=False).call("GET", ECHO)
    assert (reply.status, json.loads(reply.body)) == (422, body)


@each
def test_it_refuses_a_body_that_is_too_long(sandbox: Sandbox, adapter: type[Session]) -> None:
    sandbox.fault("huge_body", bytes=200_000)
    with sandbox.client(Account(sandbox).credentials(), max_response_length=100_000) as client:
        with pytest.raises(justcall_auth.InvalidResponseError, match="longer than 100000 bytes") as caught:
            adapter(sandbox, client).call("GET", ECHO)
    assert (caught.value.http_status, caught.value.request_sent) == (200, True)
    with sandbox.client(Account(sandbox).credentials()) as client:
        assert len(adapter(sandbox, client).call("GET", ECHO).body) == 200_000


@each
def test_it_proves_the_expected_account_first(sandbox: Sandbox, adapter: type[Session]) -> None:
    account = Account(sandbox)
    number = account.pair["account_id"]
    for expected in (number, number + 1):
        with sandbox.client(account.credentials(), expected_account=expected) as client:
            session = adapter(sandbox, client, raise_for_status=False)
            if adapter.__name__ == "RequestsAuth":
                with pytest.raises(TypeError, match="needs the JustCallAdapter"):
                    session.call("POST", ECHO, data=b"1")
            elif expected == number:
                assert session.call("POST", ECHO, data=b"1").status == 200
            else:
                with pytest.raises(justcall_auth.WrongAccountError):
                    session.call("POST", ECHO, data=b"1")
    sent = [(request["method"], request["path"]) for request in sandbox.requests()]
    if adapter.__name__ == "RequestsAuth":
        assert sent == []
    else:
        assert sent == [("GET", "/v2/account"), ("POST", ECHO), ("GET", "/v2/account")]


# --- Failures of the network ---


def nowhere() -> int:
    """Returns a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


class Phase(NamedTuple):
    """A failure, and how the exchange must report it."""

    fault: dict[str, Any] | None
    error: str
    reason: str | None
    request_sent: bool


PHASES = {
    "resolve": Phase(None, "connection_failed", "resolve", False),
    "connect": Phase(None, "connection_failed", "connect", False),
    "tls": Phase({"fault": "tls", "certificate": "unknown_ca"}, "tls_failed", None, False),
    "handshake": Phase({"fault": "hang_handshake"}, "timeout", "connect", False),
    "hang": Phase({"fault": "hang"}, "timeout", "receive", True),
    "body": Phase({"fault": "hang_body"}, "timeout", "receive", True),
    "closed": Phase({"fault": "close_after_request"}, "connection_failed", "receive", True),
    "reset": Phase({"fault": "reset_after_request"}, "connection_failed", "receive", True),
    "truncated": Phase({"fault": "truncated_body"}, "connection_failed", "receive", True),
    "not-http": Phase({"fault": "raw", "bytes": "SSH-2.0\r\n\r\n"}, "invalid_response", None, True),
}


def failing(
    sandbox: Sandbox, adapter: type[Session], phase: str, account: Account, limit: float = 2
) -> BaseException:
    """Makes a POST that fails in this phase. Returns the error. `limit` is the time limit, in seconds."""
    fault = PHASES[phase].fault
    if fault is not None:
        sandbox.control("POST", "faults", fault)
    bases = {"resolve": "https://nowhere.invalid", "connect": f"https://127.0.0.1:{nowhere()}"}
    settings: dict[str, Any] = {
        "timeout": limit if PHASES[phase].error == "timeout" else 30,
        "max_retries": 1,
    }
    with justcall_auth.Client(
        account.credentials(), base_url=bases.get(phase, sandbox.url), **settings
    ) as client:
        session = adapter(sandbox, client)
        session.url = bases.get(phase, session.url)
        # An auth class leaves the exception of its library unchanged.
        kind = Exception if adapter.is_auth else justcall_auth.JustCallError
        with pytest.raises(kind) as caught:
            # The auth class for requests cannot limit the time of the first attempt.
            options = {"timeout": limit} if adapter.__name__ == "RequestsAuth" else {}
            session.call("POST", ECHO, data=b"1", **options)
    return caught.value


@pytest.mark.parametrize("phase", PHASES)
def test_each_reports_the_phase_of_a_failure_and_sends_a_post_once(
    sandboxes: dict[type[Session], Sandbox], phase: str
) -> None:
    def check(adapter: type[Session]) -> None:
        sandbox = sandboxes[adapter]
        sandbox.control("POST", "clear", {})
        error = failing(sandbox, adapter, phase, Account(sandbox))
        assert isinstance(error, justcall_auth.JustCallError)
        assert (error.name, error.reason, error.request_sent) == PHASES[phase][1:]
        assert error.__context__ is None
        # A POST is repeated only if it was surely not sent.
        assert len(sandbox.requests()) <= 1
        assert error.attempts == (1 if error.request_sent or error.name != "connection_failed" else 2)

    at_once([adapter for adapter in ADAPTERS if not adapter.is_auth], check)
