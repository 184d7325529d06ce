"""Ten thousand tenants in one process, with a report."""

from __future__ import annotations

import datetime
import os
import subprocess
from typing import TYPE_CHECKING

from many_tenants import Plan, Result, assert_kept, run
from support import ROOT, Sandbox, sandbox_binary

if TYPE_CHECKING:
    from pathlib import Path

TENANTS = 10_000
CALLS = int(os.environ.get("JUSTCALL_TENANT_CALLS", "60000"))
SEED = int(os.environ.get("JUSTCALL_TENANT_SEED", "20261130"))
REPORT = ROOT / "docs/evidence/tenants.md"

TEXT = """\
# Ten thousand tenants in one process

Written by `cargo xtask test --full`: change that, not this file.

| what | which |
|---|---|
| command | `pytest tests/full/test_ten_thousand_tenants.py` in `bindings/python` |
| seed | {seed} |
| commit | {commit} |
| date | {date} |
| build | {build} |
| duration | {seconds:.0f} s |

A Python program has a client for each of {tenants:,} tenants. The source of a client is a function
that reads the pair of its tenant from SQLite. 64 threads make one call for each tenant, and then
{calls:,} calls for random tenants, in two halves. After one call in fifty, the program drops the
client and makes it again for the next call. During all calls, pairs of random tenants are reset in
the sandbox, and the database has the new pair a little later. The path of each request names its
tenant. The sandbox records the account of the pair of each request.

| promise | found |
|---|---|
| calls that failed | {failed} of {made:,} |
| requests with the pair of another tenant, or with halves of two pairs | {wrong} of {requests:,} |
| resets | {resets:,} |
| requests that were refused after a reset | {refused:,} |
| memory in KiB, by part | {memory} |
| descriptors, by part | {descriptors} |
| planted bug: requests with the pair of another tenant | {planted:,} of {planted_requests:,} |

The parts are: one call for each tenant, the first half, the second half. The most in each part
counts. The second half may have at most 5 % and 2 MiB more memory than the first half, and at most
16 more descriptors. The planted bug is one client for all tenants, whose source reads the tenant of
the last call.
"""


def figures(result: Result, name: str) -> str:
    """Returns a figure of each part."""
    return ", ".join(f"{part[name]:,}" for part in result.parts)


def test_no_request_of_ten_thousand_tenants_has_the_pair_of_another(tmp_path: Path) -> None:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    plan = Plan(TENANTS, CALLS, SEED, pause=0.02)
    with Sandbox() as sandbox:
        result = run(sandbox, tmp_path, plan)
    assert_kept(result, plan)
    folder = tmp_path / "planted"
    folder.mkdir()
    with Sandbox() as sandbox:
        planted = run(sandbox, folder, Plan(100, 400, SEED, pause=0.02, planted="mixed"))
    assert planted.wrong > 100
    last = result.parts[-1]
    text = TEXT.format(
        seed=SEED,
        commit=commit.stdout.strip(),
        date=datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        build=sandbox_binary().resolve().parent.name,
        seconds=result.seconds,
        tenants=TENANTS,
        calls=CALLS,
        failed=last["failed"],
        made=last["calls"],
        wrong=result.wrong,
        requests=result.requests,
        resets=result.resets,
        refused=result.refused,
        memory=figures(result, "memory"),
        descriptors=figures(result, "descriptors"),
        planted=planted.wrong,
        planted_requests=planted.requests,
    )
    REPORT.write_text(text, encoding="utf-8")
