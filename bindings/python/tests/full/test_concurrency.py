"""Concurrent calls through a reset: none fails, with `AsyncClient` and with each adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrency import ADAPTERS, LOOPS, Service, measure

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from support import Sandbox


def test_no_call_fails_in_a_reset_during_many_calls(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        rows = measure(Service(sandbox, tmp_path), 1, 2000, [*LOOPS[1:], *ADAPTERS])
    assert [row.name for row in rows if row.failed] == []
    assert all(run.was_reset for row in rows for run in row.runs), "the runs are too short for the reset"
