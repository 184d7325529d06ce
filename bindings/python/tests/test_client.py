"""The arguments, results and errors of `Client`."""

from __future__ import annotations

import copy
import dataclasses
import decimal
import inspect
import pickle
import sys
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from justcall_auth import Account, Client, Credentials

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support import Sandbox

PAIR = Credentials("abc123def456", "sec789xyz000")


def test_it_returns_the_account_of_the_pair(sandbox: Sandbox) -> None:
    made = sandbox.control("POST", "pairs", {"email": "admin@yourcompany.com", "plan": "Business"})
    with sandbox.client(Credentials(made["api_key"], made["api_secret"])) as client:
        account = client.verify()
    assert account == Account(made["account_id"], "admin@yourcompany.com", "Business", "/v2/account")


def test_it_reads_the_source_at_the_first_call_and_once(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Client(base_url=sandbox.url, ca_file=sandbox.ca_file) as client:
        with pytest.raises(justcall_auth.CredentialsMissingError):
            client.verify()
        monkeypatch.setenv("JUSTCALL_API_KEY", sandbox.api_key)
        monkeypatch.setenv("JUSTCALL_API_SECRET", sandbox.api_secret)
        client.verify()
        monkeypatch.delenv("JUSTCALL_API_KEY")
        assert client.authorization() == f"{sandbox.api_key}:{sandbox.api_secret}"


def test_it_returns_the_raw_header(tmp_path: Path) -> None:
    (tmp_path / "pair").write_text("abc123def456:sec789xyz000\n")
    assert Client(f"file:{tmp_path / 'pair'}").authorization() == "abc123def456:sec789xyz000"
    assert Client.from_credentials(PAIR).authorization() == "abc123def456:sec789xyz000"


def test_it_reports_why_the_source_has_no_pair() -> None:
    with pytest.raises(justcall_auth.CredentialsMissingError):
        Client().authorization()


def test_it_applies_its_settings(sandbox: Sandbox) -> None:
    sandbox.fault("answer", status=503)
    with sandbox.client(max_retries=0) as client, pytest.raises(justcall_auth.UnavailableError):
        client.verify()
    assert len(sandbox.requests()) == 1
    sandbox.control("POST", "clear", {})
    with sandbox.client(verify_path="/v2.1/users?per_page=1") as client:
        assert client.verify() == Account(None, None, None, "/v2.1/users?per_page=1")
    sandbox.fault("hang")
    with sandbox.client(timeout=0.2) as client, pytest.raises(justcall_auth.RequestTimeoutError):
        client.verify()
    with Client.from_credentials(PAIR, base_url=sandbox.url) as client:  # not the sandbox's CA
        with pytest.raises(justcall_auth.TlsFailedError, match="ca_file"):
            client.verify()


def test_it_accepts_a_path_object_as_the_ca_file(sandbox: Sandbox, tmp_path: Path) -> None:
    copied = tmp_path / "ünusual.pem"
    with open(sandbox.ca_file, "rb") as file:
        copied.write_bytes(file.read())
    with Client.from_credentials(sandbox.credentials(), base_url=sandbox.url, ca_file=copied) as client:
        client.verify()


@pytest.mark.parametrize("timeout", [None, 0, 0.0, -0.0, 30, 1.5, True, decimal.Decimal("2.5"), 1e9, 1e18])
def test_it_accepts_any_number_of_seconds_and_none_for_no_limit(sandbox: Sandbox, timeout: Any) -> None:
    with sandbox.client(timeout=timeout) as client:
        client.verify()


@pytest.mark.parametrize("timeout", [1e-12, 5e-324])
def test_the_shortest_timeout_is_not_rounded_to_no_limit(sandbox: Sandbox, timeout: float) -> None:
    sandbox.fault("hang")
    with sandbox.client(timeout=timeout) as client, pytest.raises(justcall_auth.RequestTimeoutError):
        client.verify()


IMPOSSIBLE: list[dict[str, Any]] = [
    {"timeout": float("nan")},
    {"timeout": float("inf")},
    {"timeout": float("-inf")},
    {"timeout": -1},
    {"timeout": -1e-9},
    {"timeout": 1e300},
    {"timeout": 10**400},
    {"rotation_wait": float("nan")},
    {"rotation_wait": -1},
    {"rotation_wait": 10**400},
    {"max_retries": -1},
    {"max_retries": 2**32},
    {"max_retries": 10**400},
    {"base_url": ""},
    {"base_url": "api.justcall.io"},
    {"base_url": "ftp://api.justcall.io"},
    {"base_url": "http://192.0.2.1"},
    {"base_url": "https://user:pass@api.justcall.io"},
    {"base_url": "https://api.justcall.io\0"},
    {"base_url": "https://\ud800"},
    {"base_url": "https://" + "a" * 1_000_000},
    {"verify_path": ""},
    {"verify_path": "v2/account"},
    {"verify_path": "//evil.example"},
    {"verify_path": "/\r\nX: y"},
    {"verify_path": "/\udcff"},
    {"verify_path": "/" + "a" * 1_000_000},
    {"ca_file": ""},
    {"state_file": ""},
    {"state_file": "\ud800"},
    {"ca_file": "/nowhere/at/all.pem"},
    {"ca_file": "/nowhere\0"},
    {"ca_file": "\ud800"},
    {"ca_file": "/"},
    {"ca_file": "/dev/zero"},
    {"ca_file": __file__},
    {"proxy": "https://127.0.0.1:1"},
    {"proxy": "socks5://127.0.0.1:1"},
    {"proxy": "http://"},
    {"proxy": "http://a b"},
    {"proxy": "\udcff"},
    {"expected_account": -1},
    {"expected_account": 0},
    {"expected_account": 2**64},
    {"memory_protection": ""},
    {"memory_protection": "locked"},
    {"memory_protection": "Auto"},
    {"memory_protection": "auto\0"},
    {"memory_protection": "\ud800"},
    {"memory_protection": "a" * 1_000_000},
    {"ca_pem": ""},
    {"ca_pem": b"a" * 9_000_000},
    {"ca_pem": "", "ca_file": "/etc/ssl/certs/ca-certificates.crt"},
    {"local_address": "localhost"},
    {"local_address": "127.0.0.1:80"},
    {"max_response_length": -1},
    {"max_response_length": 2**64},
]

each = pytest.mark.parametrize("settings", IMPOSSIBLE, ids=lambda settings: repr(settings)[:40])


@each
def test_it_refuses_invalid_values(settings: dict[str, Any]) -> None:
    for make in (Client, lambda **settings: Client.from_credentials(PAIR, **settings)):
        with pytest.raises(justcall_auth.InvalidArgumentError) as caught:
            make(**settings)
        assert isinstance(caught.value, ValueError)
        assert caught.value.__context__ is None
        assert len(str(caught.value)) < 1000


WRONG_TYPES: list[dict[str, Any]] = [
    {"timeout": "30"},
    {"timeout": [30]},
    {"rotation_wait": "10"},
    {"rotation_wait": None},
    {"on_event": 1},
    {"on_event": "print"},
    {"max_retries": 2.0},
    {"max_retries": "2"},
    {"max_retries": None},
    {"base_url": b"https://api.justcall.io"},
    {"base_url": 1},
    {"verify_path": 1},
    {"ca_file": 1},
    {"state_file": 1},
    {"ca_file": object()},
    {"proxy": 1},
    {"ca_pem": 1},
    {"local_address": 1},
    {"local_address": b"127.0.0.1"},
    {"max_response_length": 1.0},
    {"max_response_length": None},
    {"proxy": b""},
    {"expected_account": "1"},
    {"expected_account": 1.0},
    {"memory_protection": None},
    {"memory_protection": 1},
    {"memory_protection": b"auto"},
]


@pytest.mark.parametrize("settings", WRONG_TYPES, ids=repr)
def test_it_names_the_argument_of_a_wrong_type(settings: dict[str, Any]) -> None:
    for make in (Client, lambda **settings: Client.from_credentials(PAIR, **settings)):
        with pytest.raises(TypeError, match=rf"^{next(iter(settings))} must be .+, not \w+"):
            make(**settings)


@pytest.mark.parametrize("wrong", [None, 1, b"env:", ["env:"]])
def test_it_refuses_a_source_that_is_neither_text_nor_callable(wrong: Any) -> None:
    kinds = "str, os.PathLike, Credentials or a callable that returns Credentials"
    with pytest.raises(TypeError, match=rf"^source must be {kinds}, not "):
        Client(wrong)


def test_it_takes_all_arguments_but_the_source_by_name() -> None:
    arguments: Any = ("env:", "https://a.example")
    with pytest.raises(TypeError):
        Client(*arguments)


@pytest.mark.parametrize(
    "wrong", [None, "abc123def456:sec789xyz000", ("abc123def456", "sec789xyz000"), Client]
)
def test_it_refuses_objects_other_than_credentials(wrong: Any) -> None:
    with pytest.raises(TypeError) as caught:
        Client.from_credentials(wrong)
    assert "sec789" not in str(caught.value)


def test_it_refuses_names_that_do_not_exist() -> None:
    wrong: Any = {"retries": 1}
    with pytest.raises(TypeError, match="retries"):
        Client(**wrong)


def test_its_defaults_are_those_of_the_design() -> None:
    same: dict[str, object] = {
        "base_url": None,
        "verify_path": None,
        "timeout": 30.0,
        "max_retries": 2,
        "rotation_wait": 0.0,
        "ca_file": None,
        "ca_pem": None,
        "proxy": None,
        "local_address": None,
        "max_response_length": 32 * 1024 * 1024,
        "expected_account": None,
        "memory_protection": "auto",
        "state_file": None,
        "on_event": None,
        "on_request": None,
        "on_response": None,
    }
    functions: list[tuple[Any, dict[str, object]]] = [(Client.from_credentials, same)]
    if sys.version_info >= (3, 10):  # Older versions do not have the signature of such a class.
        functions.append((Client, {"source": "default:", **same}))
    for function, expected in functions:
        parameters = inspect.signature(function).parameters
        defaults = {name: parameter.default for name, parameter in parameters.items()}
        defaults.pop("credentials", None)
        assert defaults == expected


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_it_cannot_be_copied_or_pickled_and_reports_why(duplicate: Callable[[Client], object]) -> None:
    with pytest.raises(TypeError, match="contains the secret"):
        duplicate(Client())


def test_an_account_is_a_value() -> None:
    account = Account(12345, "admin@yourcompany.com", None, "/v2/account")
    assert account == Account(12345, "admin@yourcompany.com", None, "/v2/account")
    assert account != Account(12346, "admin@yourcompany.com", None, "/v2/account")
    assert pickle.loads(pickle.dumps(account)) == copy.deepcopy(account) == account
    assert len({account, copy.copy(account)}) == 1
    assert repr(account) == (
        "Account(id=12345, email='admin@yourcompany.com', plan=None, verified_by='/v2/account')"
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        account.id = 1  # type: ignore[misc]


def test_it_reads_account_numbers_of_64_bits(sandbox: Sandbox) -> None:
    body = {"status": "success", "data": {"account_id": 2**64 - 1}}
    sandbox.fault("answer", status=200, body=body)
    with sandbox.client() as client:
        assert client.verify() == Account(2**64 - 1, None, None, "/v2/account")
