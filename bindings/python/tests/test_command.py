"""`python -m justcall_auth` is the command that was installed with the package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import justcall_auth
import support

RUN = [sys.executable, "-m", "justcall_auth"]


def test_it_is_the_command_that_stands_where_an_installer_puts_it(tmp_path: Path) -> None:
    (tmp_path / "justcall_auth").symlink_to(Path(justcall_auth.__file__).parent)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/justcall-auth").symlink_to(support.command("justcall-auth"))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([*RUN, "--version"], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"justcall-auth {justcall_auth.__version__}\n"
    refused = subprocess.run([*RUN, "--no-such-option"], env=environment, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "python" not in refused.stderr
    assert "--no-such-option" in refused.stderr


def test_it_names_the_remedy_if_the_package_was_built_without_the_command() -> None:
    done = subprocess.run([*RUN, "--version"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("This installation of justcall-auth has no command")
    assert done.stderr.count("\n") == 2
