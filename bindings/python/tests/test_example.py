"""The examples do what their texts describe."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support import ROOT, Account, Sandbox, end_family, put, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLES = ROOT / "examples/python"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A new sandbox. Other tests use up the rate limit of the first account of the shared sandbox."""
    with Sandbox() as sandbox:
        yield sandbox


def run(example: str, *arguments: str, environment: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Runs the example. Returns its exit code and its output."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / example, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.returncode, done.stdout, done.stderr


def test_it_prints_the_account_of_the_pair(sandbox: Sandbox, tmp_path: Path) -> None:
    made = sandbox.control("POST", "pairs", {"account_id": 67890, "email": "a@b.example", "plan": "Pro"})
    pair = tmp_path / "pair"
    pair.write_text(f"{made['api_key']}:{made['api_secret']}\n")
    code, output, errors = run("verify.py", f"file:{pair}", sandbox.url, sandbox.ca_file)
    assert (code, errors) == (0, "")
    assert output == "account: 67890\nemail:   a@b.example\nplan:    Pro\n"


def test_the_first_call_prints_the_account_and_counts_calls(sandbox: Sandbox) -> None:
    program = f"""
import functools, runpy, justcall_auth
justcall_auth.Client = functools.partial(
    justcall_auth.Client, base_url={sandbox.url!r}, ca_file={sandbox.ca_file!r})
runpy.run_path({str(EXAMPLES / "first.py")!r})
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=sandbox.environment(),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.stdout, done.stderr) == ("admin@yourcompany.com 5\n", "")


def test_it_reads_the_environment_by_default(sandbox: Sandbox) -> None:
    code, _, errors = run(
        "verify.py", "default:", sandbox.url, sandbox.ca_file, environment=sandbox.environment()
    )
    assert (code, errors) == (0, "")
    code, output, errors = run("verify.py")
    assert (code, output) == (1, "")
    assert errors.startswith("credentials_missing: ")


def test_it_prints_the_remedy_for_a_wrong_secret(sandbox: Sandbox, tmp_path: Path) -> None:
    pair = tmp_path / "pair"
    pair.write_text(f"{sandbox.api_key}:{'0' * 40}\n")
    code, output, errors = run("verify.py", f"file:{pair}", sandbox.url, sandbox.ca_file)
    assert (code, output) == (1, "")
    lines = errors.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("invalid_credentials: ")
    assert lines[1].startswith("hint: ")


def request(sandbox: Sandbox) -> tuple[int, str, str]:
    """Runs `request.py` with the pair of the first account."""
    return run("request.py", "default:", sandbox.url, sandbox.ca_file, environment=sandbox.environment())


def test_it_lists_the_latest_calls(sandbox: Sandbox) -> None:
    code, output, errors = request(sandbox)
    assert (code, errors) == (0, "")
    assert output.splitlines()[0] == "2026-03-01 14155550100 Incoming"
    assert len(output.splitlines()) == 5
    assert sandbox.requests()[0]["query"] == "per_page=5&order=desc"


def test_it_prints_when_to_retry_after_a_rate_limit(sandbox: Sandbox) -> None:
    sandbox.fault("answer", status=429, headers={"Retry-After": "45"})
    assert request(sandbox) == (1, "", "try again in 45 s\n")


def test_it_prints_the_objections_of_the_service(sandbox: Sandbox) -> None:
    body = {"status": "error", "message": "Invalid.", "errors": {"order": ["is unknown"]}}
    sandbox.fault("answer", status=422, body=body)
    code, output, errors = request(sandbox)
    assert (code, output) == (1, "")
    first, hint, shown = errors.splitlines()
    assert first.startswith("unprocessable: ")
    assert hint.startswith("hint: ")
    assert json.loads(shown) == body


def test_it_counts_the_calls_of_all_pages(sandbox: Sandbox) -> None:
    arguments = ("default:", sandbox.url, sandbox.ca_file)
    code, output, errors = run("pages.py", *arguments, environment=sandbox.environment())
    assert (code, errors) == (0, "")
    assert sum(int(line.split()[1]) for line in output.splitlines()) == 57
    assert len(sandbox.requests()) == 3


def test_it_requests_several_lists_at_once(sandbox: Sandbox) -> None:
    arguments = ("default:", sandbox.url, sandbox.ca_file)
    code, output, errors = run("async_client.py", *arguments, environment=sandbox.environment())
    assert (code, errors) == (0, "")
    assert [int(line) for line in output.splitlines()][-1] == 57
    assert {request["path"] for request in sandbox.requests()} >= {"/v2.1/users", "/v2.1/user_groups"}


def test_it_continues_through_a_reset_and_prints_that(sandbox: Sandbox, tmp_path: Path) -> None:
    account, file = Account(sandbox), tmp_path / "pair"
    put(file, account.line)
    arguments = [str(EXAMPLES / "rotation.py"), f"file:{file}", sandbox.url, sandbox.ca_file, "0.01"]
    with subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stderr is not None
            assert child.stdout.readline() == "5 calls\n"
            account.reset()
            printed = [child.stderr.readline() for _ in range(2)]
            put(file, account.line)
            printed += [child.stderr.readline() for _ in range(2)]
            assert child.stdout.readline() == "5 calls\n"
        finally:
            child.kill()
    expected = ["pair_rejected", "waiting_for_source", "source_changed", "rotated"]
    assert [line.partition(":")[0] for line in printed] == expected


@pytest.mark.parametrize(
    ("example", "printed"),
    [
        ("exchange.py", ["5 calls"]),
        ("adapter_requests.py", ["5 calls"]),
        ("adapter_httpx.py", ["5 calls, 5 calls"]),
        ("adapter_aiohttp.py", ["5 calls"]),
        (
            "exchange_asyncio.py",
            [f"200 /v2.1/calls?per_page=5&page={page}" for page in range(3)],
        ),
    ],
)
def test_its_own_http_client_works_through_a_reset(
    sandbox: Sandbox, tmp_path: Path, example: str, printed: list[str]
) -> None:
    account, file = Account(sandbox), tmp_path / "pair"
    put(file, account.line)
    account.reset()
    arguments = [str(EXAMPLES / example), f"file:{file}", sandbox.url, sandbox.ca_file]
    with subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        wait_until(lambda: any(request["status"] == 401 for request in sandbox.requests()))
        put(file, account.line)
        output, errors = child.communicate(timeout=30)
    assert (child.returncode, errors) == (0, "")
    assert output.splitlines() == printed
    # A server that never accepts the pair.
    put(file, f"{account.pair['api_key']}:{'0' * 40}\n")
    sandbox.fault("answer", status=403)
    code, output, errors = run(example, f"file:{file}", sandbox.url, sandbox.ca_file)
    assert (code, output) == (1, "")
    assert errors.startswith("forbidden: ")
    # The message and the hint, and no second error of another call.
    assert [line.partition(": ")[0] for line in errors.splitlines()] == ["forbidden", "hint"]


@pytest.mark.parametrize("example", ["exchange.py", "exchange_asyncio.py"])
def test_it_ends_at_its_deadline_if_the_server_never_responds(
    sandbox: Sandbox, tmp_path: Path, example: str
) -> None:
    file = tmp_path / "pair"
    put(file, Account(sandbox).line)
    sandbox.fault("hang")
    code, output, errors = run(example, f"file:{file}", sandbox.url, sandbox.ca_file, "2")
    assert (code, output) == (1, "")
    assert errors.startswith("timeout: ")


@pytest.mark.parametrize("example", ["exchange.py", "exchange_asyncio.py"])
def test_it_reports_a_certificate_that_is_not_trusted(sandbox: Sandbox, tmp_path: Path, example: str) -> None:
    file = tmp_path / "pair"
    put(file, Account(sandbox).line)
    sandbox.fault("tls", certificate="unknown_ca")
    code, output, errors = run(example, f"file:{file}", sandbox.url, sandbox.ca_file)
    assert (code, output) == (1, "")
    assert errors.startswith("tls_failed: ")


def test_it_raises_other_failures(sandbox: Sandbox) -> None:
    sandbox.fault("answer", status=403)
    code, output, errors = request(sandbox)
    assert (code, output) == (1, "")
    assert "justcall_auth.ForbiddenError: forbidden: " in errors


def test_it_receives_webhooks_and_confirms_them(sandbox: Sandbox, tmp_path: Path) -> None:
    url = "https://example.com/hooks/justcall"
    create = f"webhook_flask:create_app({url!r}, 'default:', {sandbox.url!r}, {sandbox.ca_file!r})"
    log = tmp_path / "log"
    with socket.create_server(("127.0.0.1", 0)) as listening, log.open("w") as file:
        fd = listening.fileno()
        with subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--no-control-socket", "--bind", f"fd://{fd}", create],
            cwd=EXAMPLES,
            env=sandbox.environment(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=[fd],
            start_new_session=True,
        ) as server:
            try:
                to = f"http://127.0.0.1:{listening.getsockname()[1]}/hooks/justcall"

                def status(**order: object) -> int:
                    order = {"url": to, "webhook_url": url, **order}
                    response = sandbox.control("POST", "webhooks", order)["deliveries"][0]
                    return int(response["status"])

                assert status(probe=True) == 200
                assert status(headers={"x-justcall-signature": "0" * 64}) == 401
                assert status(type="call.missed") == 200
                assert "completed" not in log.read_text()
                # The body is forged: the number must be that of the API.
                assert status(data={"id": 100042, "contact_number": "1900"}) == 200
                wait_until(lambda: "completed: 14155550142 324 s\n" in log.read_text())
                assert status(data={"id": 7}) == 500
            finally:
                end_family(server)


def test_it_creates_a_span_for_each_call(sandbox: Sandbox) -> None:
    environment = sandbox.environment()
    code, output, errors = run(
        "opentelemetry_spans.py", "default:", sandbox.url, sandbox.ca_file, environment=environment
    )
    assert (code, errors) == (0, "")
    decoder, spans, at = json.JSONDecoder(), [], 0
    while at < len(output.rstrip()):
        span, at = decoder.raw_decode(output, at)
        spans.append(
            (span["name"], span["attributes"]["http.response.status_code"], span["status"]["status_code"])
        )
        at += len(output[at:]) - len(output[at:].lstrip())
    assert spans == [("GET /v2.1/calls/#", 200, "UNSET"), ("GET /v2.1/calls/#", 404, "ERROR")]
