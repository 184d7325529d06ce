"""The import of the package is fast: it imports no module of the standard library."""

from __future__ import annotations

import json
import pickle
import pydoc
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from support import Account

if TYPE_CHECKING:
    from support import Sandbox

ALLOWED: set[str] = set()
"""The modules outside the package that an import or a verification may load: none.

`collections`, `dataclasses`, `enum`, `inspect`, `json`, `logging`, `re` and `typing` each take longer than
the import of the package. Import such a module where it is used.
"""


from_3_10 = pytest.mark.skipif(sys.version_info < (3, 10), reason="on Python 3.9 the package imports typing")


def run(script: str, **environment: str) -> str:
    """Returns the output of the script, in an interpreter that ignores the user's settings."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def loaded(statements: str, **environment: str) -> set[str]:
    """Returns the names of the modules that the statements load in a new interpreter."""
    script = f"""
import sys
before = set(sys.modules)
{statements}
print(*(set(sys.modules) - before))
"""
    return set(run(script, **environment).split())


def others(statements: str, **environment: str) -> set[str]:
    """Returns the names of the modules outside the package that the statements load."""
    names = loaded(statements, **environment)
    assert "justcall_auth._native" in names
    return {name for name in names if name.partition(".")[0] != "justcall_auth"}


@from_3_10
def test_the_import_loads_no_other_module() -> None:
    assert others("import justcall_auth") == ALLOWED


@from_3_10
def test_the_import_of_the_usual_names_loads_no_other_module() -> None:
    names = "Cancel, Client, Credentials, JustCallError, RateLimit, Response, ServerError, WebhookVerifier"
    assert others(f"from justcall_auth import {names}") == ALLOWED


@from_3_10
def test_a_verification_loads_no_other_module(sandbox: Sandbox) -> None:
    # The requests of other tests count for the rate limit of the first account, which could cause an event.
    pair = Account(sandbox).pair
    statements = f"""
import justcall_auth
pair = justcall_auth.Credentials({pair["api_key"]!r}, {pair["api_secret"]!r})
client = justcall_auth.Client.from_credentials(pair, base_url={sandbox.url!r}, ca_file={sandbox.ca_file!r})
assert client.verify().verified_by == "/v2/account"
assert client.get("/v2.1/echo").http_status == 200
try:
    client.get("/no-such-page")
except justcall_auth.NotFoundError as error:
    assert error.response.http_status == 404
"""
    assert others(statements) == ALLOWED


def test_a_call_loads_no_module(sandbox: Sandbox) -> None:
    """A process that can open no more files makes its first call too, and never loses a response."""
    pair = Account(sandbox).pair
    script = f"""
import sys
import justcall_auth
pair = justcall_auth.Credentials({pair["api_key"]!r}, {pair["api_secret"]!r})
client = justcall_auth.Client.from_credentials(pair, base_url={sandbox.url!r}, ca_file={sandbox.ca_file!r})
before = set(sys.modules)
client.verify()
client.post("/v2.1/echo", data=b"")
try:
    client.get("/no-such-page")
except justcall_auth.NotFoundError:
    pass
print(*(set(sys.modules) - before))
"""
    assert run(script) == "\n"


@from_3_10
def test_a_verifier_loads_no_other_module() -> None:
    statements = (
        "import justcall_auth; justcall_auth.WebhookVerifier('s' * 40, url='https://example.com/hooks')"
    )
    assert others(statements) == ALLOWED


@from_3_10
def test_the_check_finds_other_modules() -> None:
    """Positive control: the tests above would pass if it found none."""
    assert others("import justcall_auth, colorsys") == {"colorsys"}
    assert others("import justcall_auth; justcall_auth.Event") > {"logging", "typing"}
    assert others("import justcall_auth; justcall_auth.Action") > {"enum"}


@pytest.mark.parametrize("name", [*justcall_auth.__all__, "testing"])
def test_every_public_name_is_found_first(name: str) -> None:
    script = f"""
import justcall_auth
assert {name!r} in dir(justcall_auth)
first = justcall_auth.{name}
from justcall_auth import {name}
assert {name} is first is justcall_auth.{name} is vars(justcall_auth)[{name!r}]
"""
    assert run(script) == ""


def test_a_star_import_has_every_public_name_and_no_other() -> None:
    script = """
import json
names = {}
exec("from justcall_auth import *", names)
del names["__builtins__"]
print(json.dumps(sorted(names)))
"""
    assert json.loads(run(script)) == sorted(justcall_auth.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    name: Any = "Clients"
    with pytest.raises(AttributeError, match=r"^module 'justcall_auth' has no attribute 'Clients'"):
        getattr(justcall_auth, name)
    assert not hasattr(justcall_auth, "_no_such_module")
    with pytest.raises(ImportError, match="cannot import name 'Clients'"):
        exec("from justcall_auth import Clients")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_read_by_a_process_that_has_loaded_no_class(protocol: int) -> None:
    values = [
        justcall_auth.Account(7, "a@b.c", None, "/v2/account"),
        justcall_auth.Action.SEND,
        justcall_auth.Response(200, {"Name": "value"}, b"{}", justcall_auth.RateLimit(100, 9, 1.5)),
        justcall_auth.ServerError("canary"),
    ]
    script = f"""
import pickle
values = pickle.loads({pickle.dumps(values, protocol)!r})
print([*map(repr, values[:3]), str(values[3])])
"""
    expected = [*map(repr, values[:3]), str(values[3])]
    assert run(script) == f"{expected}\n"


def test_help_shows_every_public_class() -> None:
    text = pydoc.plain(pydoc.render_doc(justcall_auth))
    classes = [name for name in justcall_auth.__all__ if isinstance(getattr(justcall_auth, name), type)]
    assert len(classes) > 40
    assert [
        name for name in classes if f"\n    class {name}(" not in text and f"    class {name}\n" not in text
    ] == []
