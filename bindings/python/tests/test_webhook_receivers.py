"""The helpers for web frameworks, under common servers, with real deliveries of the sandbox."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from support import ROOT, Sandbox, command, end_family, wait_until
from webhooks import results

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URL = "https://example.com/hooks/justcall"
"""The URL that the receivers are registered with."""

MIB = 1024 * 1024

GUNICORN = ["gunicorn", "--threads", "4", "--no-control-socket", "--bind", "fd://{fd}"]
UVICORN = ["uvicorn", "--log-level", "info", "--fd", "{fd}"]

RECEIVERS = {
    "flask": ([*GUNICORN, "flask_receiver"], "hooks/justcall"),
    "flask-async": ([*GUNICORN, "flask_receiver"], "async/justcall"),
    "django-wsgi": ([*GUNICORN, "django_wsgi_receiver"], "hooks/justcall"),
    "fastapi": ([*UVICORN, "fastapi_receiver:application"], "hooks/justcall"),
    "starlette": ([*UVICORN, "starlette_receiver:application"], "hooks/justcall"),
    "django-asgi": ([*UVICORN, "django_asgi_receiver:application"], "async/justcall"),
}


@dataclasses.dataclass
class Receiver:
    """A running receiver."""

    name: str
    url: str
    log: str
    sandbox: Sandbox

    def deliver(self, **order: Any) -> list[Any]:
        """Makes the sandbox deliver. Returns its report of each attempt."""
        path = RECEIVERS[self.name][1]
        order = {"url": f"{self.url}/{path}", "webhook_url": URL, **order}
        deliveries: list[Any] = self.sandbox.control("POST", "webhooks", order)["deliveries"]
        return deliveries

    def status(self, **order: Any) -> int:
        """Returns the response to one delivery."""
        (delivery,) = self.deliver(**order)
        assert delivery["error"] is None, delivery
        status: int = delivery["status"]
        return status

    def report(self) -> Any:
        """Returns the dispatched events, and how many bytes were read."""
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"{self.url}/report", timeout=20
        ) as response:
            return json.load(response)

    def dispatched(self) -> list[Any]:
        """Returns type, URL, `request_id` and length of the body of each event that the handler got."""
        events: list[Any] = self.report()["dispatched"]
        return events

    def results(self) -> collections.Counter[str]:
        """Returns how often each result was counted. Checks that client and verifier agree."""
        of_client, of_verifier = (results(usage) for usage in self.report()["usage"])
        assert of_client == of_verifier
        return collections.Counter(of_client)

    def logged(self) -> str:
        """Returns the output of the server and the application."""
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def logs(self, text: str) -> None:
        """Waits until that was written, because some servers write it after the response."""
        wait_until(lambda: text in self.logged())


@pytest.fixture(scope="module")
def own_sandbox() -> Iterator[Sandbox]:
    """A sandbox for these tests: the accounts of the common one are reset for each test."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module", params=RECEIVERS)
def receiver(
    request: pytest.FixtureRequest, own_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Receiver]:
    """A receiver with one process, so that its records are complete."""
    name: str = request.param
    with running(name, own_sandbox, str(tmp_path_factory.mktemp(name) / "log")) as started:
        yield started


@contextlib.contextmanager
def running(name: str, sandbox: Sandbox, log: str) -> Iterator[Receiver]:
    """Starts a receiver on a socket that already listens, so that no delivery is too early."""
    with socket.create_server(("127.0.0.1", 0)) as listening, open(log, "w", encoding="utf-8") as file:
        fd = listening.fileno()
        command = [part.format(fd=fd) for part in RECEIVERS[name][0]]
        with subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT / "bindings/python/tests/receivers",
            env=sandbox.environment(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=[fd],
            start_new_session=True,
        ) as server:
            try:
                host, port = listening.getsockname()
                yield Receiver(name, f"http://{host}:{port}", log, sandbox)
            finally:
                end_family(server)


def test_it_dispatches_every_event_with_the_received_body(receiver: Receiver) -> None:
    known = [event["type"] for event in receiver.sandbox.control("GET", "webhooks")]
    types = [name for name in known if name not in {"call.missed", "call.updated"}]
    before = len(receiver.dispatched())
    deliveries = receiver.deliver(type=types)
    assert [delivery["status"] for delivery in deliveries] == [200] * len(types), receiver.logged()
    assert {delivery["body"] for delivery in deliveries} == {""}
    assert [event[:3] for event in receiver.dispatched()[before:]] == [
        [delivery["type"], URL, delivery["request_id"]] for delivery in deliveries
    ]


def test_it_responds_to_the_probe_and_never_dispatches_it(receiver: Receiver) -> None:
    before = receiver.dispatched()
    for order in ({}, {"body": ""}, {"body": "{}"}, {"type": "call.missed"}):
        assert receiver.status(probe=True, **order) == 200
    assert receiver.dispatched() == before


@pytest.mark.parametrize(
    ("status", "name", "order"),
    [
        (401, "webhook_mismatch", {"headers": {"x-justcall-signature": "0" * 64}}),
        (401, "webhook_stale", {"age_s": 700}),
        (401, "webhook_stale", {"age_s": -700}),
        (401, "webhook_wrong_url", {"webhook_url": "https://example.com/hooks/other"}),
        (401, "webhook_version", {"headers": {"x-justcall-signature-version": None}}),
        (401, "webhook_version", {"headers": {"x-justcall-signature-version": "v2"}}),
        (401, "webhook_malformed", {"headers": {"x-justcall-request-timestamp": None}}),
        (401, "webhook_malformed", {"headers": {"x-justcall-signature": "\u00e4"}}),
        (401, "webhook_malformed", {"body": "{"}),
        (401, "webhook_malformed", {"body": ""}),
    ],
)
def test_it_refuses_forged_deliveries(receiver: Receiver, status: int, name: str, order: Any) -> None:
    before = receiver.dispatched()
    (delivery,) = receiver.deliver(**order)
    assert (delivery["status"], delivery["body"]) == (status, name)
    assert receiver.dispatched() == before
    receiver.logs(f"a webhook was not dispatched: {name}: ")


@pytest.mark.parametrize(
    ("counted", "order"),
    [
        ({"ok": 1}, {}),
        # The probe, and a delivery whose headers a proxy removed: the status of both is 200.
        ({"webhook_unsigned": 1}, {"probe": True}),
        ({"webhook_unsigned": 1}, {"headers": {"x-justcall-signature": None}}),
        ({"webhook_mismatch": 1}, {"headers": {"x-justcall-signature": "0" * 64}}),
        ({"webhook_stale": 1}, {"age_s": -700}),
        ({"webhook_wrong_url": 1}, {"webhook_url": "https://example.com/hooks/other"}),
        ({"webhook_version": 1}, {"headers": {"x-justcall-signature-version": "v2"}}),
        ({"webhook_malformed": 1}, {"body": "{"}),
        # Genuine deliveries, and one repetition of each. The handler fails, but the verification succeeds.
        ({"ok": 1, "webhook_replayed": 2}, {"type": "call.initiated", "duplicates": 2}),
        ({"ok": 2}, {"type": "call.missed", "retries": 1}),
        # The content type is ignored.
        ({"ok": 1}, {"headers": {"content-type": "text/plain"}}),
    ],
)
def test_it_counts_every_delivery_by_its_result(
    receiver: Receiver, counted: dict[str, int], order: Any
) -> None:
    before = receiver.results()
    receiver.deliver(**order)
    assert receiver.results() - before == collections.Counter(counted)


def test_it_accepts_both_encodings_of_the_url_and_every_form_of_the_time(receiver: Receiver) -> None:
    url = "https://example.com/!*'()"
    for encoding in ("javascript", "python"):
        assert receiver.status(encoding=encoding, webhook_url=url) == 200
    for form in ("datetime", "epoch_s", "epoch_ms"):
        assert receiver.status(timestamp_form=form, age_s=300) == 200


def test_it_acknowledges_a_repetition_without_dispatching_it(receiver: Receiver) -> None:
    before = len(receiver.dispatched())
    deliveries = receiver.deliver(type="call.initiated", duplicates=3)
    assert [delivery["status"] for delivery in deliveries] == [200] * 4
    assert len(receiver.dispatched()) == before + 1


def test_it_accepts_events_in_any_order(receiver: Receiver) -> None:
    before = len(receiver.dispatched())
    types = ["call.answered", "call.completed", "sms.sent"]
    receiver.deliver(type=types, sequence="reversed")
    assert [event[0] for event in receiver.dispatched()[before:]] == types[::-1]


def test_a_failure_of_the_handler_makes_the_service_retry(receiver: Receiver) -> None:
    before = len(receiver.dispatched())
    deliveries = receiver.deliver(type="call.missed", retries=2)
    assert [delivery["status"] for delivery in deliveries] == [500] * 3
    assert len(receiver.dispatched()) == before + 3
    receiver.logs("RuntimeError: the handler failed")


def test_the_handler_responds_and_confirms_through_the_api(receiver: Receiver) -> None:
    (delivery,) = receiver.deliver(type="call.updated")
    assert delivery["status"] == 200, receiver.logged()
    assert json.loads(delivery["body"]) == {"name": "justcall", "confirmed": 100042}


def padded(length: int) -> str:
    """Returns a body with this number of bytes."""
    members = f'{{"request_id":"{length}","webhook_url":"{URL}","type":"call.completed","data":"'
    return members + "x" * (length - len(members) - 2) + '"}'


def test_it_reads_a_body_once_and_up_to_a_mebibyte(receiver: Receiver) -> None:
    before = receiver.report()
    assert receiver.status(body=padded(MIB)) == 200
    after = receiver.report()
    assert after["dispatched"][len(before["dispatched"]) :] == [["call.completed", URL, str(MIB), MIB]]
    assert after["read"] - before["read"] == MIB


def test_it_refuses_a_larger_body_without_reading_it(receiver: Receiver) -> None:
    before = receiver.report()
    (delivery,) = receiver.deliver(body=padded(4 * MIB))
    # The server may close the connection before the whole body is sent.
    assert delivery["status"] in (413, None), delivery
    receiver.logs("is longer than 1048576 bytes")
    after = receiver.report()
    assert after["dispatched"] == before["dispatched"]
    counted = [results(report["usage"][1]).get("webhook_malformed", 0) for report in (before, after)]
    assert counted[1] == counted[0] + 1
    # Under ASGI Django reads the whole body before it calls a view.
    assert after["read"] - before["read"] <= (4 * MIB if receiver.name == "django-asgi" else 2 * MIB)


def test_it_limits_chunked_bodies_too(receiver: Receiver) -> None:
    before = receiver.dispatched()
    small = receiver.status(chunked=True, body=padded(2000))
    (large,) = receiver.deliver(chunked=True, body=padded(MIB + 1))
    added = receiver.dispatched()[len(before) :]
    if receiver.name == "django-wsgi":
        # Django reads the body as empty. The server then closes the connection with the unread body.
        assert (small, large["status"] in (401, None), added) == (401, True, [])
    else:
        assert (small, large["status"], len(added)) == (200, 413, 1), large


def test_it_accepts_only_post(receiver: Receiver) -> None:
    path = RECEIVERS[receiver.name][1]
    before = receiver.results()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for method in ("GET", "PUT", "DELETE"):
        request = urllib.request.Request(f"{receiver.url}/{path}", method=method)
        with pytest.raises(urllib.error.HTTPError) as caught:
            opener.open(request, timeout=20)
        assert caught.value.code == 405
        caught.value.close()
    assert receiver.results() == before, "none of them is a delivery"


def test_it_logs_no_secret_and_no_body(receiver: Receiver) -> None:
    receiver.deliver(headers={"x-justcall-signature": "5" * 64}, data={"canary": "9f3c7a51e8d2460b"})
    receiver.logs("webhook_mismatch")
    log = receiver.logged()
    for secret in (receiver.sandbox.api_secret, "9f3c7a51e8d2460b", "5" * 64):
        assert secret not in log


def test_an_error_that_is_not_a_fault_of_the_delivery_is_raised(own_sandbox: Sandbox, tmp_path: Any) -> None:
    for name in RECEIVERS:
        environment = own_sandbox.environment()
        own = _Elsewhere(own_sandbox, {**environment, "JUSTCALL_CREDENTIALS": "file:/nonexistent/pair"})
        with running(name, own, str(tmp_path / name)) as receiver:
            assert receiver.status(probe=True) == 200
            assert receiver.status() == 500
            receiver.logs("SourceUnavailableError")
            assert receiver.dispatched() == []


@pytest.mark.parametrize("compromised", [False, True])
def test_deliveries_in_flight_pass_after_a_rotation_unless_the_old_secret_was_compromised(
    own_sandbox: Sandbox, tmp_path: Path, compromised: bool
) -> None:
    made = own_sandbox.control("POST", "pairs", {})
    pair = tmp_path / "pair.json"
    pair.write_text(json.dumps({"api_key": made["api_key"], "api_secret": made["api_secret"]}))
    pair.chmod(0o600)
    source = f"file:{pair}"
    account = {"account_id": made["account_id"]}
    own = _Elsewhere(own_sandbox, {**own_sandbox.environment(), "JUSTCALL_CREDENTIALS": source})
    with running("flask", own, str(tmp_path / "log")) as receiver:

        def status(generation: int) -> int:
            return receiver.status(generation=generation, **account)

        assert status(1) == 200
        new = own_sandbox.control("POST", "reset", account)
        assert status(1) == 200
        # The receiver does not know the new pair yet.
        assert status(2) == 401
        rotated = subprocess.run(
            [
                command("justcall-auth"),
                "rotate",
                *(["--compromised"] if compromised else []),
                *("--expected-account", str(made["account_id"])),
                *("--source", source, "--base-url", own_sandbox.url, "--ca-file", own_sandbox.ca_file),
            ],
            input=f"{new['api_key']}:{new['api_secret']}\n",
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert rotated.returncode == 0, rotated.stderr
        # The receiver refreshes its source once a second.
        wait_until(lambda: status(2) == 200)
        assert status(1) == (401 if compromised else 200)
        assert receiver.status(type="call.updated", generation=2, **account) == 200
        # A call has proven the new pair now.
        assert [status(1), status(2)] == [401 if compromised else 200, 200]


class _Elsewhere(Sandbox):
    """A running sandbox, with another environment for its receivers."""

    def __init__(self, sandbox: Sandbox, environment: dict[str, str]) -> None:
        vars(self).update(vars(sandbox))
        self._environment = environment

    def environment(self) -> dict[str, str]:
        return self._environment


def test_the_package_needs_no_framework() -> None:
    script = """
import sys
import justcall_auth
assert not {"flask", "starlette", "django", "asgiref"} & sys.modules.keys(), sys.modules.keys()
"""
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=60)
