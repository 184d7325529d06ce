"""The wheel of the sandbox, which the pytest plugin finds. Its build takes longer than a minute."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from support import ROOT, sandbox_binary

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the sandbox, from the debug build."""
    folder = tmp_path_factory.mktemp("wheel")
    target = sandbox_binary().resolve().parents[1]
    maturin = [sys.executable, "-m", "maturin", "build", "--quiet", "--profile", "dev", "--out", str(folder)]
    subprocess.run(
        maturin,
        cwd=ROOT / "bindings/python-sandbox",
        env={**os.environ, "CARGO_TARGET_DIR": str(target)},
        check=True,
        timeout=900,
    )
    (built,) = folder.iterdir()
    return built


def test_the_wheel_of_the_sandbox_has_the_command(wheel: Path, tmp_path: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if name.endswith("scripts/justcall-auth-sandbox")]
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", environment], check=True)
    python = str(environment / "bin/python")
    install = [python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True)
    # The plugin finds the command beside the interpreter, without the variable and without PATH.
    script = (
        "import os, sys; sys.path[:0] = sys.argv[1:]; os.environ.pop('JUSTCALL_SANDBOX_BIN', None)\n"
        "os.environ['PATH'] = ''\n"
        "from justcall_auth_pytest import Sandbox\n"
        "with Sandbox() as sandbox:\n"
        "    with sandbox.client() as client:\n"
        "        print(client.verify().verified_by)\n"
    )
    paths = [path for path in sys.path if path]
    done = subprocess.run([python, "-c", script, *paths], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "/v2/account\n"), done.stderr
