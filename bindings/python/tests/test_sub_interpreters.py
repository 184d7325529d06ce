"""The module in more than one interpreter of a process, as under mod_wsgi and uWSGI, and twice in one."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import SILENT, end_family, finish, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support import Sandbox, Start

LIMIT = 60.0
"""How long a program may take, in seconds: far longer than it needs, so that only a hang exceeds it."""

BEGINNING = """
try:
    import _interpreters as interpreters
except ImportError:
    try:
        import _xxinterpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters

def new_interpreter():
    # An interpreter that shares the GIL. Python refuses the module in others.
    try:
        return interpreters.create("legacy")
    except TypeError:
        return interpreters.create(isolated=False)

def run(interpreter, script):
    "Runs it; what it raises is raised here, or returned, as the version of Python has it."
    failure = interpreters.run_string(interpreter, script)
    assert failure is None, failure

SECOND = '''
import sys
for _ in range(2):
    try:
        import justcall_auth
    except ImportError as error:
        print(error, flush=True)
    else:
        print("imported", flush=True)
    assert "justcall_auth" not in sys.modules
'''
"""

MESSAGE = "justcall_auth works in only one interpreter of a process, and another interpreter uses it already."

HAS_SUB_INTERPRETERS = any(
    importlib.util.find_spec(name) for name in ("_interpreters", "_xxinterpreters", "_xxsubinterpreters")
)

needs_sub_interpreters = pytest.mark.skipif(not HAS_SUB_INTERPRETERS, reason="this Python has none")


def lines_of(start: Start, script: str) -> list[str]:
    """Runs the script, which must succeed without errors. Returns its output."""
    code, output, errors = finish(start(BEGINNING + script), LIMIT)
    assert (code, errors) == (0, "")
    return output.splitlines()


@needs_sub_interpreters
def test_a_second_interpreter_is_refused_with_the_remedy(start: Start) -> None:
    lines = lines_of(start, "run(new_interpreter(), SECOND)\nprint(client.verify().verified_by)")
    assert len(lines) == 3
    for line in lines[:2]:
        assert line.startswith(MESSAGE)
        assert "`WSGIApplicationGroup %{GLOBAL}`" in line
        assert "`single-interpreter = true`" in line
    assert lines[2] == "/v2/account"


@needs_sub_interpreters
def test_the_first_interpreter_may_be_any_and_stays_the_first_after_its_end() -> None:
    script = """
first = new_interpreter()
run(first, '''
import justcall_auth
try:
    justcall_auth.Credentials("", "")
except justcall_auth.CredentialsMalformedError:
    print("caught", flush=True)
''')
run(new_interpreter(), SECOND)
interpreters.destroy(first)
for _ in range(20):
    run(new_interpreter(), SECOND)
try:
    import justcall_auth
except ImportError:
    print("refused")
"""
    child = subprocess.run(
        [sys.executable, "-c", BEGINNING + script], capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert (child.returncode, child.stderr) == (0, "")
    lines = child.stdout.splitlines()
    assert (lines[0], lines[-1]) == ("caught", "refused")
    assert len(lines) == 44
    assert all(line.startswith(MESSAGE) for line in lines[1:-1])


def test_one_interpreter_may_import_it_again(start: Start) -> None:
    script = """
import importlib, pickle
first = justcall_auth

def forget():
    for name in [name for name in sys.modules if name.partition(".")[0] == "justcall_auth"]:
        del sys.modules[name]

del sys.modules["justcall_auth"]
import justcall_auth
print(justcall_auth is first, justcall_auth.Client is first.Client)
forget()
import justcall_auth
print(justcall_auth is first)
print(importlib.reload(justcall_auth) is justcall_auth)
importlib.reload(justcall_auth._native)
event = justcall_auth.Event("rotated", "canary")
print(pickle.loads(pickle.dumps(event)) == event, client.verify().verified_by)
"""
    lines = lines_of(start, script)
    assert lines == ["False True", "False", "True", "True /v2/account"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
def test_a_forked_child_may_import_it_again(start: Start) -> None:
    script = """
child = os.fork()
if child == 0:
    for name in [name for name in sys.modules if name.partition(".")[0] == "justcall_auth"]:
        del sys.modules[name]
    import justcall_auth
    os._exit(client.verify().verified_by != "/v2/account")
print(os.waitpid(child, 0)[1])
"""
    assert lines_of(start, script) == ["0"]


def test_a_process_that_multiprocessing_spawned_imports_it(sandbox: Sandbox, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    script = """
import multiprocessing
import os
import justcall_auth

def work(event):
    client = justcall_auth.Client(base_url=os.environ["SANDBOX_URL"], ca_file=os.environ["SANDBOX_CA_FILE"])
    return event.name, client.verify().verified_by

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print(pool.map(work, [justcall_auth.Event("rotated", "canary")] * 2))
"""
    program.write_text(SILENT + script)
    child = subprocess.run(
        [sys.executable, program],
        env=sandbox.environment(), capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    expected = f"{[('rotated', '/v2/account')] * 2}\n"
    assert (child.returncode, child.stdout, child.stderr) == (0, expected, "")


HOST = r"""
#include <Python.h>

/* One application in the main interpreter and one in a second, as a server that embeds Python makes them. */
int main(int count, char **arguments)
{
    Py_Initialize();
    int first = PyRun_SimpleString("import justcall_auth\nprint('first', flush=True)");
    PyThreadState *main_state = PyThreadState_Get();
    PyThreadState *second_state = Py_NewInterpreter();
    if (count != 2 || second_state == NULL) return 3;
    int second = PyRun_SimpleString(arguments[1]);
    Py_EndInterpreter(second_state);
    PyThreadState_Swap(main_state);
    int last = PyRun_SimpleString("import justcall_auth\njustcall_auth.diagnose('canary')");
    return Py_FinalizeEx() != 0 ? 4 : first || second || last ? 5 : 0;
}
"""
"""A program that embeds Python."""


def embedding() -> list[str] | None:
    """Returns the linker arguments for a program with this Python; None if it cannot be linked here."""
    library, folder = sysconfig.get_config_var("LDLIBRARY"), sysconfig.get_config_var("LIBDIR")
    if sys.platform != "linux" or shutil.which("cc") is None or not library or not folder:
        return None
    if not (Path(folder) / library).exists():
        return None
    others = f"{sysconfig.get_config_var('LIBS')} {sysconfig.get_config_var('SYSLIBS')}".split()
    exported = sysconfig.get_config_var("LINKFORSHARED").split()
    return [str(Path(folder) / library), f"-Wl,-rpath,{folder}", *others, *exported]


@pytest.mark.skipif(embedding() is None, reason="no program can be linked with this Python")
def test_a_host_with_two_interpreters_can_use_it_in_the_first(tmp_path: Path) -> None:
    libraries = embedding()
    assert libraries is not None
    source, program = tmp_path / "host.c", tmp_path / "host"
    source.write_text(HOST)
    include = sysconfig.get_path("include")
    subprocess.run(["cc", "-o", program, source, f"-I{include}", *libraries], check=True, timeout=LIMIT)
    script = """
try:
    import justcall_auth
except ImportError as error:
    print(error, flush=True)
"""
    home = sysconfig.get_config_var("prefix")
    environment = {**os.environ, "PYTHONHOME": home, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    child = subprocess.run(
        [program, script], env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert (child.returncode, child.stderr) == (0, "")
    first, second = child.stdout.splitlines()
    assert first == "first"
    assert second.startswith(MESSAGE)


APPLICATION = """
import justcall_auth

def application(environ, start_response):
    try:
        justcall_auth.Credentials("", "")
    except justcall_auth.CredentialsMalformedError:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"caught"]
"""
"""An application that responds whether it catches the module's exceptions."""

UWSGI = Path(sysconfig.get_path("scripts")) / "uwsgi"


@contextlib.contextmanager
def uwsgi(folder: Path, *options: str) -> Iterator[tuple[int, Path]]:
    """A server with two applications. Yields its port and its log."""
    (folder / "program.py").write_text(APPLICATION)
    log = folder / "log"
    with socket.create_server(("127.0.0.1", 0)) as listening, log.open("w") as output:
        child = subprocess.Popen(
            [UWSGI, "--http-socket", f"fd://{listening.fileno()}", "--manage-script-name", "--enable-threads",
             "--mount", "/one=program.py", "--mount", "/two=program.py", *options],
            cwd=folder, stdout=output, stderr=output, text=True, pass_fds=[listening.fileno()],
            start_new_session=True,
        )  # fmt: skip
        try:
            yield listening.getsockname()[1], log
        finally:
            end_family(child)
            child.wait(LIMIT)


def response(port: int, path: str) -> bytes:
    """Returns the response of the server."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read()


@pytest.mark.skipif(not UWSGI.exists(), reason="uWSGI is not installed")
def test_uwsgi_prints_the_remedy_for_a_second_application(tmp_path: Path) -> None:
    # uWSGI serves nothing after an application failed to load. The test checks that it prints the reason.
    with uwsgi(tmp_path) as (_, log):
        wait_until(lambda: f"ImportError: {MESSAGE}" in log.read_text(), LIMIT)
        assert "mountpoint='/one') ready" in log.read_text()


@pytest.mark.skipif(not UWSGI.exists(), reason="uWSGI is not installed")
def test_uwsgi_serves_two_applications_in_a_single_interpreter(tmp_path: Path) -> None:
    with uwsgi(tmp_path, "--single-interpreter") as (port, log):
        assert [response(port, "/one"), response(port, "/two")] == [b"caught"] * 2
        assert MESSAGE not in log.read_text()
