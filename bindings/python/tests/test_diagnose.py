"""`diagnose`: the local check of a pair. Runs `tests/vectors/diagnose/` as the other languages do."""

from __future__ import annotations

import base64
import copy
import dataclasses
import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from justcall_auth import Finding, diagnose, diagnose_environment
from support import ROOT, only_known

if TYPE_CHECKING:
    from pathlib import Path

VECTORS = sorted((ROOT / "tests/vectors/diagnose").glob("*.json"))

MADE_UP = ("1f0e9d8c", "a9b8c7d6", "2e1d0c9b", "b8c9daeb")
"""The prefix of the invented halves in the vectors: no finding contains one."""


def given(vector: dict[str, Any]) -> list[str | bytes | bytearray | None]:
    """Returns the vector's text in every form that Python accepts."""
    if "text_base64" in vector:
        return [base64.b64decode(vector["text_base64"], validate=True)]
    text: str | None = vector["text"]
    return [None] if text is None else [text, text.encode(), bytearray(text.encode())]


def run(vector: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs the check that the vector describes, and compares the findings."""
    text = "text_base64" if "text_base64" in vector else "text"
    only_known(vector, {"about", text, "environment", "files", "expect"}, all_of_them=True)
    for name, file in vector["files"].items():
        only_known(file, {"text", "mode"}, all_of_them=True)
        (folder / name).write_text(file["text"], encoding="utf-8", newline="")
        (folder / name).chmod(int(file["mode"], 8))
    for name, value in vector["environment"].items():
        monkeypatch.setenv(name, value.replace("{dir}", str(folder)))
    for expected in vector["expect"]:
        only_known(expected, {"code", "severity"}, all_of_them=True)
    for form in given(vector):
        found = diagnose_environment() if form is None else diagnose(form)
        reported = [{"code": finding.code, "severity": finding.severity} for finding in found]
        assert reported == vector["expect"], found
        assert not any(half in repr(found) for half in MADE_UP)
        assert all(finding.message and finding.remedy for finding in found)


def test_it_has_vectors_to_run() -> None:
    assert len(VECTORS) >= 50


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_every_vector_has_the_expected_findings(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(json.loads(path.read_text(encoding="utf-8")), tmp_path, monkeypatch)


def test_it_fails_on_a_vector_that_it_does_not_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expect = [{"code": "empty_half", "severity": "error"}]
    good: dict[str, Any] = {"about": "", "text": "", "environment": {}, "files": {}, "expect": expect}
    run(good, tmp_path, monkeypatch)
    wrong: list[dict[str, Any]] = [
        {"weather": "fine"},
        {"text_base64": ""},
        {"files": {"pair": {"text": "", "mode": "0600", "weather": "fine"}}},
        {"expect": [{**expect[0], "message": ""}]},
        {"expect": [{**expect[0], "severity": "note"}]},
        {"expect": []},
    ]
    for change in wrong:
        with pytest.raises(AssertionError):
            run({**good, **change}, tmp_path, monkeypatch)


def test_it_does_not_change_a_bytearray() -> None:
    text = bytearray(b"Bearer abc")
    assert diagnose(text)
    assert text == b"Bearer abc"


def test_the_check_of_text_reads_no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "abc123def456:sec789xyz000"
    surroundings, found = diagnose_environment(), diagnose(text)
    monkeypatch.setenv("JUSTCALL_CREDENTIALS", "file:/nonexistent/pair")
    assert diagnose_environment() != surroundings
    assert diagnose(text) == found


def test_it_accepts_text_without_an_encoding_and_of_any_length() -> None:
    assert "not_ascii" in [finding.code for finding in diagnose("abc:\ud800")]
    for text in ("a" * 1_000_000, b"a" * 20_000_000):
        assert "too_long" in [finding.code for finding in diagnose(text)]


@pytest.mark.parametrize("wrong", [None, 1, 1.5, ["abc"], object(), memoryview(b"abc")])
def test_it_refuses_other_types_without_showing_them(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"^text must be str, bytes or bytearray, not ") as caught:
        diagnose(wrong)
    assert "abc" not in str(caught.value)


def test_a_finding_is_a_value() -> None:
    finding = diagnose("")[0]
    assert dataclasses.astuple(finding)[:2] == ("empty_half", "error")
    assert finding == diagnose(b"")[0]
    assert pickle.loads(pickle.dumps(finding)) == copy.deepcopy(finding) == finding
    assert len({finding, copy.copy(finding)}) == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        finding.code = "x"  # type: ignore[misc]


def test_the_error_of_a_refused_pair_has_the_findings() -> None:
    with pytest.raises(justcall_auth.CredentialsMalformedError) as caught:
        justcall_auth.Credentials('"abc"', "sec ret")
    codes = [finding.code for finding in caught.value.findings]
    assert codes[0] == caught.value.reason
    assert {"quotes", "inner_whitespace"} <= set(codes)
    assert all(isinstance(finding, Finding) for finding in caught.value.findings)
    assert all(finding.remedy in caught.value.hint for finding in caught.value.findings)
    assert pickle.loads(pickle.dumps(caught.value)).findings == caught.value.findings
