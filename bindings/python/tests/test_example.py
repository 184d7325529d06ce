"""The example does what it says."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from support import Sandbox

EXAMPLE = ROOT / "examples/python/verify.py"


def run(*arguments: str, environment: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, EXAMPLE, *arguments], env=environment, capture_output=True, text=True, timeout=30
    )
    return done.returncode, done.stdout, done.stderr


def test_it_says_whose_the_pair_is(sandbox: Sandbox, tmp_path: Path) -> None:
    made = sandbox.control("POST", "pairs", {"account_id": 67890, "email": "a@b.example", "plan": "Pro"})
    pair = tmp_path / "pair"
    pair.write_text(f"{made['api_key']}:{made['api_secret']}\n")
    code, output, errors = run(f"file:{pair}", sandbox.url, sandbox.ca_file)
    assert (code, errors) == (0, "")
    assert output == "account: 67890\nemail:   a@b.example\nplan:    Pro\n"


def test_it_reads_the_environment_unless_told_otherwise(sandbox: Sandbox) -> None:
    code, _, errors = run("default:", sandbox.url, sandbox.ca_file, environment=sandbox.environment())
    assert (code, errors) == (0, "")
    code, output, errors = run()
    assert (code, output) == (1, "")
    assert errors.startswith("credentials_missing: ")


def test_it_says_what_to_do_about_a_wrong_secret(sandbox: Sandbox, tmp_path: Path) -> None:
    pair = tmp_path / "pair"
    pair.write_text(f"{sandbox.api_key}:{'0' * 40}\n")
    code, output, errors = run(f"file:{pair}", sandbox.url, sandbox.ca_file)
    assert (code, output) == (1, "")
    lines = errors.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("invalid_credentials: ")
    assert lines[1].startswith("hint: ")
