"""Runs `tests/vectors/source/`, as the runners of the other languages do."""

from __future__ import annotations

import json
import traceback
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from justcall_auth import Client, Credentials
from support import ROOT, only_known

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Load = Callable[[str], str]

VECTORS = sorted((ROOT / "tests/vectors/source").glob("*/case.json"))

SECRET = "sec789xyz000"
"""The invented secret of the vectors: no text of an error contains it."""


def loaded(source: str) -> str:
    """Returns the pair that `Credentials` loads."""
    return Client.from_credentials(Credentials.load(source)).authorization()


def used(source: str) -> str:
    """Returns the pair that a client with this source uses."""
    return Client(source).authorization()


def run(vector: dict[str, Any], files: Path, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loads from the source that the vector describes, and compares the result."""
    only_known(vector, {"about", "source", "environment", "expect"}, all_of_them=True)
    # The Python API does not report the place of a pair.
    expect = only_known(vector["expect"], {"pair", "place_contains", "error"})
    for name, value in vector["environment"].items():
        monkeypatch.setenv(name, value.replace("{dir}", str(files)))
    try:
        pair = load(vector["source"].replace("{dir}", str(files)))
    except justcall_auth.JustCallError as error:
        assert "error" in expect, str(error)
        compare(error, expect["error"])
    else:
        assert pair == expect["pair"]


def compare(error: justcall_auth.JustCallError, expect: dict[str, Any]) -> None:
    """Compares the error with the expected one."""
    only_known(expect, {"name", "reason", "message_contains", "hint_contains"}, all_of_them=True)
    assert (error.name, error.reason) == (expect["name"], expect["reason"]), str(error)
    for wanted in expect["message_contains"]:
        assert wanted in error.message
    for wanted in expect["hint_contains"]:
        assert wanted in error.hint
    shown = traceback.format_exception(type(error), error, error.__traceback__)
    assert SECRET not in "".join([*shown, repr(error), repr(vars(error))])


def test_it_has_vectors_to_run() -> None:
    assert len(VECTORS) >= 40


@pytest.mark.parametrize("load", [loaded, used], ids=lambda load: load.__name__)
@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.parent.name)
def test_every_source_has_its_pair_or_its_error(
    path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(json.loads(path.read_text(encoding="utf-8")), path.parent / "files", load, monkeypatch)


def test_it_fails_on_a_vector_that_it_does_not_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error: dict[str, Any] = {
        "name": "credentials_missing",
        "reason": None,
        "message_contains": [],
        "hint_contains": [],
    }
    good: dict[str, Any] = {"about": "", "source": "env:", "environment": {}, "expect": {"error": error}}
    run(good, tmp_path, used, monkeypatch)
    wrong: list[dict[str, Any]] = [
        {"weather": "fine"},
        {"expect": {"weather": "fine", "error": error}},
        {"expect": {"pair": "abc123def456:sec789xyz000"}},
        {"expect": {"error": {**error, "weather": "fine"}}},
        {"expect": {"error": {**error, "reason": "fine"}}},
        {"expect": {"error": {**error, "hint_contains": ["fine weather"]}}},
    ]
    for change in wrong:
        with pytest.raises(AssertionError):
            run({**good, **change}, tmp_path, used, monkeypatch)
