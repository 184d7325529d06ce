"""Every example in a docstring runs."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support import Sandbox

BASE_URL = "https://api.justcall.io"
"""What the examples request. The tests replace it by the sandbox."""


class Around(NamedTuple):
    """What is added to an example, to run it and to check its result."""

    before: str
    after: str
    is_coroutine: bool = False


WEBHOOK = """
import os
from justcall_auth_pytest._webhook import sign
url = "https://example.com/hooks/justcall"
genuine = sign(os.environ["JUSTCALL_API_SECRET"], url, "call.completed", {"id": 100042}, None)
forged = {**genuine.headers, "x-justcall-signature": "0" * 64}
assert post(genuine.headers, genuine.body) == 200
assert post(forged, genuine.body) == 401, "the positive control"
"""

FASTAPI = """
import os
from typing import Annotated
import justcall_auth.starlette
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from justcall_auth import WebhookEvent
app = FastAPI()
verifier = justcall_auth.WebhookVerifier(
    os.environ["JUSTCALL_API_SECRET"], url="https://example.com/hooks/justcall")
def post(headers, body):
    return TestClient(app).post("/hooks/justcall", headers=headers, content=body).status_code
"""

HTTPX = "import {0}, justcall_auth.{0}"

AROUND = {
    "justcall_auth": [Around("", 'assert len(calls["data"]) == 20')],
    "Exchange": [
        Around(
            """
import functools, os, time, types
import justcall_auth
import test_exchange
from justcall_auth import Action
client = justcall_auth.Client()
send = functools.partial(
    test_exchange.send, sandbox=types.SimpleNamespace(ca_file=os.environ["SANDBOX_CA_FILE"]))
""",
            "assert response.http_status == 200",
        )
    ],
    "justcall_auth.requests": [
        Around("import requests, justcall_auth.requests", "assert len(calls) == 5; session.close()")
    ],
    "justcall_auth.httpx": [Around(HTTPX.format("httpx"), "assert len(calls) == 5")],
    "justcall_auth.httpx2": [Around(HTTPX.format("httpx2"), "assert len(calls) == 5")],
    "justcall_auth.aiohttp": [
        Around("import aiohttp, justcall_auth.aiohttp", "assert len(calls) == 5", is_coroutine=True)
    ],
    "justcall_auth.flask": [
        Around(
            """
import flask, justcall_auth.flask
app = flask.Flask("app")
def post(headers, body):
    return app.test_client().post("/hooks/justcall", headers=headers, data=body).status_code
""",
            WEBHOOK,
        )
    ],
    "justcall_auth.django": [
        Around(
            """
import django, django.conf
django.conf.settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="none")
django.setup()
import justcall_auth.django
from django.test import RequestFactory
def post(headers, body):
    headers = dict(headers)
    kind = headers.pop("content-type")
    return justcall(RequestFactory(headers=headers).post("/", body, content_type=kind)).status_code
""",
            WEBHOOK,
        )
    ],
    "justcall_auth.starlette": [Around(FASTAPI, WEBHOOK), Around(FASTAPI, WEBHOOK)],
    "justcall_auth.testing": [
        Around(
            """
import sys
import pytest
import justcall_auth.testing
forgotten = []
justcall_auth.testing.forget_rejections = lambda: forgotten.append(1)
def test_it():
    assert forgotten == [1]
""",
            """
if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-c", "/dev/null", "-p", "no:cacheprovider"]))
""",
        )
    ],
}
"""What is added to each example, by the name with the docstring."""


def examples() -> Iterator[tuple[str, list[str]]]:
    """Yields each name whose docstring has examples, with these."""
    for module, text, entries in reference.everything():
        members = [member for entry in entries for member in entry.members]
        for name, docstring in [(module, text), *((one.name, one.text) for one in [*entries, *members])]:
            found = re.findall(r"```python\n(.*?)\n```", reference.markdown(docstring), re.DOTALL)
            if found:
                yield name, found


EXAMPLES = dict(examples())

CASES = [(name, index) for name, found in EXAMPLES.items() for index in range(len(found))]


def test_every_example_has_its_test() -> None:
    assert {name: len(found) for name, found in EXAMPLES.items()} == {
        name: len(around) for name, around in AROUND.items()
    }


@pytest.mark.parametrize(("name", "index"), CASES, ids=[f"{name}-{index}" for name, index in CASES])
def test_it_runs(sandbox: Sandbox, tmp_path: Path, name: str, index: int) -> None:
    url = sandbox.url.rstrip("/")
    code, around = EXAMPLES[name][index], AROUND[name][index]
    if around.is_coroutine:
        inner = textwrap.indent(f"{code}\n{around.after}", "    ")
        program = f"{around.before}\nimport asyncio\nasync def main():\n{inner}\nasyncio.run(main())\n"
    else:
        program = f"{around.before}\n{code}\n{around.after}\n"
    program = program.replace(BASE_URL, url).replace("Client()", f"Client(base_url={url!r})")
    file = tmp_path / "test_example.py"
    file.write_text(program)
    trusted = {"SSL_CERT_FILE": sandbox.ca_file, "REQUESTS_CA_BUNDLE": sandbox.ca_file}
    paths = {"PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", file],
        env={**sandbox.environment(), **trusted, **paths},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"{program}\n{done.stdout}{done.stderr}"
