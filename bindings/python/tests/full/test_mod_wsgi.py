"""mod_wsgi of Debian, with Apache: a reset of the pair under load fails no request."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import justcall_auth
from servers import CALLS, EXAMPLES, LIMIT, environment, get, load_with_reset, requested
from support import Account, end_family

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support import Sandbox

USER = pwd.getpwnam("www-data")

CONFIGURATION = """
ServerName localhost
ServerRoot {folder}
PidFile {folder}/pid
ErrorLog {folder}/log
Listen 127.0.0.1:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule wsgi_module {modules}/mod_wsgi.so
WSGISocketPrefix {folder}/wsgi
{application}
<Location />
    Require all granted
</Location>
"""

DAEMON = """
WSGIDaemonProcess app processes=2 threads=4 python-path={paths}
WSGIProcessGroup app
WSGIApplicationGroup %{{GLOBAL}}
WSGIScriptAlias / {examples}/app.py
"""

EMBEDDED = """
WSGIPythonPath {paths}
WSGIApplicationGroup %{{GLOBAL}}
WSGIScriptAlias / {examples}/app.py
"""

TWO = """
WSGIDaemonProcess app processes=1 threads=4 python-path={paths}
WSGIProcessGroup app
WSGIScriptAlias /two {examples}/app.py
WSGIScriptAlias / {examples}/app.py
"""
"""Two applications of one process, each in a separate interpreter, which is mod_wsgi's default."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of Apache's user."""
    made = Path(tempfile.mkdtemp())
    os.chown(made, USER.pw_uid, USER.pw_gid)
    yield made
    shutil.rmtree(made)


def store(file: Path, text: str) -> None:
    """Replaces the file with the pair, which only Apache's user can read."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.chmod(0o600)
    os.chown(new, USER.pw_uid, USER.pw_gid)
    new.replace(file)


@contextlib.contextmanager
def apache(sandbox: Sandbox, folder: Path, file: Path, application: str) -> Iterator[int]:
    """Starts Apache. Yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    paths = f"{Path(justcall_auth.__file__).parents[1]}:{EXAMPLES}"
    application = application.format(paths=paths, examples=EXAMPLES)
    values = {"folder": folder, "port": port, "modules": "/usr/lib/apache2/modules"}
    (folder / "conf").write_text(CONFIGURATION.format(application=application, **values))
    certificate = folder / "ca.pem"
    certificate.write_bytes(Path(sandbox.ca_file).read_bytes())
    user = ["setpriv", f"--reuid={USER.pw_uid}", f"--regid={USER.pw_gid}", "--clear-groups"]
    server = subprocess.Popen(
        [*user, "apache2", "-D", "FOREGROUND", "-f", str(folder / "conf")],
        env={**environment(sandbox, file), "JUSTCALL_CA_FILE": str(certificate)},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + LIMIT
        while not get(port)[0]:
            assert server.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)
        yield port
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(10)
    finally:
        end_family(server)
        server.wait(LIMIT)


@pytest.mark.parametrize("application", [DAEMON, EMBEDDED], ids=["daemon", "embedded"])
def test_a_reset_fails_no_request(
    sandbox: Sandbox,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    application: str,
) -> None:
    account, file = Account(sandbox), folder / "pair"
    store(file, account.line)
    monkeypatch.setattr("servers.put", store)
    with apache(sandbox, folder, file, application) as port:
        outcome = load_with_reset(sandbox, account, file, lambda: requested(port))
    with capsys.disabled():
        print(
            f"\nmod_wsgi: {CALLS} requests in {len(outcome.processes)} processes, "
            f"{outcome.rejected} rejected by the reset, {len(outcome.failed)} failed"
        )
    assert outcome.failed == []
    assert outcome.rejected >= 1


def test_a_second_interpreter_gets_the_remedy(sandbox: Sandbox, folder: Path) -> None:
    account, file = Account(sandbox), folder / "pair"
    store(file, account.line)
    with apache(sandbox, folder, file, TWO) as port:
        assert get(port)[0] == 200
        assert get(port, "/two")[0] == 500
        assert "WSGIApplicationGroup" in (folder / "log").read_text()
