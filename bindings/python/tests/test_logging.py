"""Warnings of the library with the default logging of programs and servers: each is printed once."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support import CLIENT, SILENT, end_family, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from support import Sandbox

LIMIT = 60.0
"""How long a program may take, in seconds: far longer than it needs, so that only a hang exceeds it."""

REJECTED = """
def rejected(client=client):
    try:
        client.get("/v2.1/echo")
    except justcall_auth.InvalidCredentialsError:
        return True
"""


def printed(sandbox: Sandbox, script: str, before: str = "") -> list[str]:
    """Returns the standard error of a program that runs `before` and then the script, and must succeed."""
    done = subprocess.run(
        [sys.executable, "-c", before + CLIENT + REJECTED + script],
        env=sandbox.environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert sandbox.api_secret not in done.stderr
    return done.stderr.splitlines()


def names(lines: list[str]) -> list[str]:
    """Returns the names of the events in the lines."""
    return [line.partition(":")[0] for line in lines]


DJANGO = """
import django, django.conf
django.conf.settings.configure(DEBUG=False)
django.setup()
"""

UVICORN = """
import uvicorn
uvicorn.Config(None)
"""


@pytest.mark.parametrize("is_first", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(
    "set_up",
    ["", "import logging", DJANGO, UVICORN],
    ids=["nothing", "logging", "django", "uvicorn"],
)
def test_a_warning_is_printed_once_without_logging_set_up(
    sandbox: Sandbox, set_up: str, is_first: bool
) -> None:
    sandbox.fault("answer", status=401)
    before, script = (set_up, "") if is_first else ("", set_up)
    assert names(printed(sandbox, script + "\nassert rejected()", before)) == ["pair_rejected"]


@pytest.mark.parametrize(
    ("set_up", "shown"),
    [
        ("logging.basicConfig()", ["WARNING:justcall_auth:pair_rejected"]),
        ("logging.basicConfig(level=logging.ERROR)", []),
        ("logging.getLogger('justcall_auth').setLevel(logging.ERROR)", []),
        ("logging.disable()", []),
        ("logging.lastResort = None; logging.raiseExceptions = False", []),
        (SILENT, []),
    ],
)
def test_the_program_decides_what_is_printed(sandbox: Sandbox, set_up: str, shown: list[str]) -> None:
    sandbox.fault("answer", status=401)
    lines = printed(sandbox, "\nassert rejected()", f"import logging\n{set_up}")
    assert [line.rpartition(": ")[0].partition(": ")[0] for line in lines] == shown


def test_information_is_printed_only_if_the_program_enables_it(sandbox: Sandbox) -> None:
    script = "\nassert client.get('/v2.1/echo').http_status == 200"
    wanted = "import logging\nlogging.basicConfig(level=logging.INFO, format='%(message)s')"
    for before, shown in (("", []), (wanted, ["retrying"])):
        sandbox.fault("answer", status=503, times=1)
        # Other tests use the same account: this test does not count their use of its rate limit.
        lines = [name for name in names(printed(sandbox, script, before)) if name != "rate_limit_low"]
        assert lines == shown


def test_an_event_is_logged_even_if_a_handler_is_called(sandbox: Sandbox) -> None:
    sandbox.fault("answer", status=401)
    script = """
events = []
heard = justcall_auth.Client(
    base_url=os.environ["SANDBOX_URL"], ca_file=os.environ["SANDBOX_CA_FILE"], on_event=events.append)
assert rejected(heard)
assert [event.name for event in events] == ["pair_rejected"]
"""
    assert names(printed(sandbox, script)) == ["pair_rejected"]


def test_every_warning_of_a_reset_is_printed_once_from_any_thread(sandbox: Sandbox) -> None:
    sandbox.fault("answer", status=401)
    script = """
waiting = justcall_auth.Client(
    base_url=os.environ["SANDBOX_URL"], ca_file=os.environ["SANDBOX_CA_FILE"], rotation_wait=0.3)
threads = [threading.Thread(target=rejected, args=(waiting,)) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    # The threads print them in any order.
    assert sorted(names(printed(sandbox, script))) == ["pair_rejected", "waiting_for_source"]


def test_a_warning_of_the_webhook_helpers_is_printed_once(sandbox: Sandbox) -> None:
    script = """
import flask
from justcall_auth.flask import webhook
app = flask.Flask("app")
url = "https://example.com/hooks"
app.post("/")(webhook(justcall_auth.WebhookVerifier("s" * 40, url=url))(lambda event: None))
assert app.test_client().post("/", data=b"{}").status_code == 200
"""
    [line] = printed(sandbox, script)
    assert line.startswith("a webhook was not dispatched: webhook_unsigned: ")


def test_a_warning_is_printed_after_logging_was_shut_down(sandbox: Sandbox) -> None:
    sandbox.fault("answer", status=401)
    # The function that is registered first runs last. The library makes no call after this one.
    before = "import atexit\natexit.register(lambda: rejected())"
    assert names(printed(sandbox, "", before)) == ["pair_rejected"]


PROGRAM = """
import os
import justcall_auth

client = justcall_auth.Client(base_url=os.environ["SANDBOX_URL"], ca_file=os.environ["SANDBOX_CA_FILE"])

def answer():
    try:
        return client.get("/v2.1/echo").text
    except justcall_auth.JustCallError as error:
        return error.name
"""

WSGI = """
def application(environ, start_response):
    body = answer().encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""

DJANGO_VIEW = """
import django.conf, django.http, django.urls
django.conf.settings.configure(DEBUG=False, ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="none")
urlpatterns = [django.urls.path("", lambda request: django.http.HttpResponse(answer()))]
"""

DJANGO_WSGI = DJANGO_VIEW + "import django.core.wsgi\napplication = django.core.wsgi.get_wsgi_application()"
DJANGO_ASGI = DJANGO_VIEW + "import django.core.asgi\napplication = django.core.asgi.get_asgi_application()"

FASTAPI = """
import fastapi
application = fastapi.FastAPI()
application.get("/")(answer)
"""

GUNICORN_COMMAND = ["gunicorn", "--no-control-socket", "--bind", "fd://{fd}", "program"]
UVICORN_COMMAND = ["uvicorn", "--fd", "{fd}", "program:application"]


@pytest.mark.parametrize(
    ("command", "program"),
    [
        (GUNICORN_COMMAND, WSGI),
        (GUNICORN_COMMAND, DJANGO_WSGI),
        (UVICORN_COMMAND, DJANGO_ASGI),
        (UVICORN_COMMAND, FASTAPI),
    ],
    ids=["gunicorn", "django under gunicorn", "django under uvicorn", "fastapi under uvicorn"],
)
def test_a_server_prints_a_rejection_in_a_handler_once(
    sandbox: Sandbox, tmp_path: Path, command: list[str], program: str
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM + program)
    log = tmp_path / "log"
    with socket.create_server(("127.0.0.1", 0)) as listening, log.open("w") as file:
        fd, port = listening.fileno(), listening.getsockname()[1]
        with subprocess.Popen(
            [sys.executable, "-m", *(part.format(fd=fd) for part in command)],
            cwd=tmp_path,
            env=sandbox.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=file,
            text=True,
            pass_fds=[fd],
            start_new_session=True,
        ) as server:
            try:

                def ask() -> str:
                    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, LIMIT)) as asking:
                        asking.request("GET", "/")
                        with asking.getresponse() as response:
                            return response.read().decode()

                assert "/v2.1/echo" in ask(), log.read_text()
                assert "pair_rejected" not in log.read_text()
                sandbox.fault("answer", status=401)
                for _ in range(3):
                    assert "invalid_credentials" in ask()
                wait_until(lambda: "pair_rejected: " in log.read_text())
            finally:
                end_family(server)
    assert log.read_text().count("pair_rejected: ") == 1
    assert sandbox.api_secret not in log.read_text()
