"""The table for programs that come from requests names only what exists."""

from __future__ import annotations

import inspect
import re

import pytest

import justcall_auth
from support import ROOT

GUIDE = (ROOT / "docs/guide/python.md").read_text(encoding="utf-8")

SECTION = GUIDE.partition("## Coming from requests\n")[2].partition("\n## ")[0]

ROWS = [row.split(" | ") for row in SECTION.splitlines() if row.startswith("| `")]


def test_the_table_has_its_rows() -> None:
    assert len(ROWS) >= 12
    assert all(len(row) == 2 for row in ROWS)


@pytest.mark.parametrize("row", [row[1] for row in ROWS], ids=[row[0].strip("| ") for row in ROWS])
def test_its_names_exist(row: str) -> None:
    for name in re.findall(r"justcall_auth\.(\w+)", row):
        assert hasattr(justcall_auth, name)
    for name in re.findall(r"client\.(\w+)\(", row):
        assert hasattr(justcall_auth.Client, name)
    for name in re.findall(r"response\.(\w+)", row):
        response = justcall_auth.Response(200, {}, b"{}")
        assert hasattr(response, name) or hasattr(justcall_auth.NotFoundError(), name)
    for name in re.findall(r"Client\((\w+)=", row):
        assert name in inspect.signature(justcall_auth.Client).parameters
