"""What `Credentials` accepts, refuses, wipes and shows."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from justcall_auth import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEY = "abc123def456"
SECRET = "sec789xyz000"


def header(credentials: Credentials) -> str:
    """Returns the header that would be sent."""
    return justcall_auth.Client.from_credentials(credentials).authorization()


@pytest.mark.parametrize("secret", [str, str.encode, lambda text: bytearray(text.encode())])
@pytest.mark.parametrize("key", [str, str.encode, lambda text: bytearray(text.encode())])
def test_it_accepts_str_bytes_and_bytearray(key: Callable[[str], Any], secret: Callable[[str], Any]) -> None:
    assert header(Credentials(key(KEY), secret(SECRET))) == f"{KEY}:{SECRET}"


def test_it_accepts_subclasses_and_keywords() -> None:
    class Text(str):
        __slots__ = ()

    class Bytes(bytearray):
        pass

    assert header(Credentials(secret=Bytes(SECRET.encode()), key=Text(KEY))) == f"{KEY}:{SECRET}"


def test_it_wipes_a_bytearray_after_the_copy() -> None:
    key, secret = bytearray(KEY.encode()), bytearray(SECRET.encode())
    # A view prevents the memory from moving, so the wiped memory is that of the secret.
    with memoryview(secret) as view:
        credentials = Credentials(key, secret)
        assert bytes(view) == bytes(len(SECRET))
    assert key == bytes(len(KEY))
    assert header(credentials) == f"{KEY}:{SECRET}"


def test_it_wipes_a_bytearray_even_if_the_pair_is_refused() -> None:
    key, secret = bytearray(b"with:colon"), bytearray(SECRET.encode())
    with pytest.raises(justcall_auth.CredentialsMalformedError):
        Credentials(key, secret)
    assert not any(key)
    assert not any(secret)


def test_it_wipes_a_bytearray_even_if_the_other_half_has_a_wrong_type() -> None:
    wrong: Any = None
    for halves in ([bytearray(b"canary"), wrong], [wrong, bytearray(b"canary")]):
        with pytest.raises(TypeError):
            Credentials(*halves)
        assert not any(next(half for half in halves if half is not None))


def test_it_wipes_a_bytearray_that_is_passed_for_both_halves() -> None:
    both = bytearray(SECRET.encode())
    with pytest.raises(justcall_auth.CredentialsMalformedError) as caught:
        Credentials(both, both)
    assert caught.value.reason == "halves_equal"
    assert both == bytes(len(SECRET))


@pytest.mark.parametrize(
    ("key", "secret", "reason"),
    [
        ("", SECRET, "empty_half"),
        (KEY, "", "empty_half"),
        (KEY, SECRET + " ", "trailing_whitespace"),
        (KEY, "\n" + SECRET, "leading_whitespace"),
        (KEY, "sec 789", "inner_whitespace"),
        (KEY, "sec\0789", "control_character"),
        (KEY, "sec789é", "not_ascii"),
        (KEY, "sec\ud800789", "not_ascii"),
        (KEY, "789\udcff", "not_ascii"),
        (KEY, "\U0001f511" * 9, "not_ascii"),
        (KEY, b"sec\xff789", "not_ascii"),
        ("k:y", SECRET, "colon_in_key"),
        (KEY, "Bearer " + SECRET, "scheme_prefix"),
        (KEY, f'"{SECRET}"', "quotes"),
        (KEY, "{api_secret}", "placeholder"),
        (KEY, KEY, "halves_equal"),
        (KEY, "s" * 513, "too_long"),
        (KEY, "s" * 10_000_000, "too_long"),
        (KEY, b"s" * 10_000_000, "too_long"),
    ],
)
def test_it_refuses_invalid_halves_and_reports_why(
    key: str | bytes, secret: str | bytes, reason: str
) -> None:
    with pytest.raises(justcall_auth.CredentialsMalformedError) as caught:
        Credentials(key, secret)
    assert caught.value.reason == reason
    assert caught.value.request_sent is False
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_it_accepts_halves_of_512_characters() -> None:
    assert header(Credentials("k" * 512, "s" * 512)) == "k" * 512 + ":" + "s" * 512


@pytest.mark.parametrize("wrong", [None, 40, 1.5, [SECRET], (SECRET,), memoryview(b"sec789xyz000"), object()])
def test_it_refuses_other_types_without_showing_them(wrong: Any) -> None:
    for halves, name in (((wrong, SECRET), "key"), ((KEY, wrong), "secret")):
        with pytest.raises(TypeError, match=rf"^{name} must be str, bytes or bytearray, not ") as caught:
            Credentials(*halves)
        assert SECRET not in str(caught.value)


def test_it_shows_the_hint_and_nothing_else() -> None:
    credentials = Credentials(KEY, SECRET)
    assert credentials.key_hint == "abc1…f456"
    for text in (repr(credentials), str(credentials), f"{credentials}", f"{credentials!a:>5}"):
        assert SECRET not in text
    assert repr(credentials) == str(credentials) == "<Credentials abc1…f456>"
    assert Credentials("short", SECRET).key_hint == "s…"


def test_it_equals_only_itself() -> None:
    credentials, same = Credentials(KEY, SECRET), Credentials(KEY, SECRET)
    assert credentials == credentials
    assert credentials != same
    assert len({credentials, same}) == 2


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_cannot_be_pickled_and_reports_why(protocol: int) -> None:
    with pytest.raises(TypeError, match="would contain the secret in plain text"):
        pickle.dumps(Credentials(KEY, SECRET), protocol)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_it_cannot_be_copied(duplicate: Callable[[Credentials], Credentials]) -> None:
    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        duplicate(Credentials(KEY, SECRET))


def test_it_cannot_be_changed_or_subclassed() -> None:
    credentials: Any = Credentials(KEY, SECRET)
    for change in (
        lambda: setattr(credentials, "key_hint", "x"),
        lambda: setattr(credentials, "other", "x"),
        lambda: type("Own", (Credentials,), {}),
    ):
        with pytest.raises((AttributeError, TypeError)):
            change()


def test_it_loads_from_a_file_and_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pair with ünusual name"
    file.write_text(f"{KEY}:{SECRET}\n")
    file.chmod(0o600)
    monkeypatch.setenv("OUR_KEY", KEY)
    monkeypatch.setenv("OUR_SECRET", SECRET)
    monkeypatch.setenv("JUSTCALL_API_KEY", KEY)
    monkeypatch.setenv("JUSTCALL_API_SECRET", SECRET)
    for source in (f"file:{file}", "env:OUR_KEY,OUR_SECRET", "env:", "default:"):
        assert header(Credentials.load(source)) == f"{KEY}:{SECRET}"


def test_scrub_wipes_the_environment_of_the_process_but_not_the_copy_of_python() -> None:
    script = """
import os, subprocess
import justcall_auth
justcall_auth.Credentials.load("env:?scrub")
inherited = subprocess.run(["env"], capture_output=True, check=True, text=True).stdout
print("JUSTCALL_API_" in inherited, os.environ["JUSTCALL_API_SECRET"])
"""
    environment = {**os.environ, "JUSTCALL_API_KEY": KEY, "JUSTCALL_API_SECRET": SECRET}
    child = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=30
    )
    assert (child.returncode, child.stdout, child.stderr) == (0, f"False {SECRET}\n", "")


def test_it_reports_why_no_pair_was_loaded(tmp_path: Path) -> None:
    with pytest.raises(justcall_auth.CredentialsMissingError, match="NO_SUCH_KEY and NO_SUCH_SECRET"):
        Credentials.load("env:NO_SUCH_KEY,NO_SUCH_SECRET")
    with pytest.raises(justcall_auth.SourceUnavailableError, match="absent"):
        Credentials.load(f"file:{tmp_path / 'absent'}")
    (tmp_path / "torn").write_text("canary-of-a-key\n")
    with pytest.raises(justcall_auth.CredentialsMalformedError, match="torn") as caught:
        Credentials.load(f"file:{tmp_path / 'torn'}")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "source", ["", "canary:sec789xyz000", "file:", "file:\0", "file:\ud800", "ENV:", "env:A"]
)
def test_it_refuses_an_unknown_source_and_does_not_repeat_it(source: str) -> None:
    with pytest.raises(justcall_auth.InvalidArgumentError) as caught:
        Credentials.load(source)
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("source", [None, 1, b"env:", object()])
def test_it_refuses_a_source_of_another_type(source: Any) -> None:
    with pytest.raises(TypeError, match=r"^source must be str, not "):
        Credentials.load(source)
