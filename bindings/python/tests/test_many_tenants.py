"""Many tenants in one process, at a reduced size: `tests/full` has ten thousand."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

from many_tenants import Plan, assert_kept, is_flat, run
from support import ROOT, Account

if TYPE_CHECKING:
    from pathlib import Path

    from support import Sandbox

TENANTS, CALLS, SEED = 300, 6000, 20261130


def test_no_request_of_many_tenants_has_the_pair_of_another(sandbox: Sandbox, tmp_path: Path) -> None:
    plan = Plan(TENANTS, CALLS, SEED, pause=0.05)
    result = run(sandbox, tmp_path, plan)
    print(result.parts, result.resets, result.requests, result.refused, f"{result.seconds:.1f} s")
    assert_kept(result, plan)


def test_the_check_finds_a_source_that_mixes_tenants(sandbox: Sandbox, tmp_path: Path) -> None:
    plan = Plan(TENANTS, 300, SEED, pause=0.05, planted="mixed")
    assert run(sandbox, tmp_path, plan).wrong > 100


def test_the_check_finds_a_leak_of_memory_and_descriptors(sandbox: Sandbox, tmp_path: Path) -> None:
    plan = Plan(TENANTS, 2000, SEED, pause=0.05, planted="leaking")
    _, first, second = run(sandbox, tmp_path, plan).parts
    assert not is_flat(first, second, "memory")
    assert not is_flat(first, second, "descriptors")


def test_the_example_makes_a_call_for_each_tenant(sandbox: Sandbox, tmp_path: Path) -> None:
    database = tmp_path / "pairs.db"
    with sqlite3.connect(database) as rows:
        rows.execute("CREATE TABLE pairs (tenant INTEGER PRIMARY KEY, api_key TEXT, api_secret TEXT)")
        for tenant in (7, 8, 9):
            pair = Account(sandbox).pair
            rows.execute("INSERT INTO pairs VALUES (?, ?, ?)", (tenant, pair["api_key"], pair["api_secret"]))
    command = [sys.executable, str(ROOT / "examples/python/tenants.py"), str(database)]
    done = subprocess.run(
        [*command, sandbox.url, sandbox.ca_file, "2"], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == ["tenant 7", "tenant 8", "tenant 9"]
