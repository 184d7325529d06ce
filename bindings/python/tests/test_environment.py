"""A pair in the environment: which one a client uses after the environment changes."""

from __future__ import annotations

import pytest

import justcall_auth
import webhooks
from support import Account, Sandbox


def _client(sandbox: Sandbox, source: str) -> justcall_auth.Client:
    return justcall_auth.Client(source, base_url=sandbox.url, ca_file=sandbox.ca_file)


SOURCES = [
    ("default:", "JUSTCALL_API_KEY", "JUSTCALL_API_SECRET"),
    ("env:", "JUSTCALL_API_KEY", "JUSTCALL_API_SECRET"),
    ("env:OUR_KEY,OUR_SECRET", "OUR_KEY", "OUR_SECRET"),
    ("env:OUR_KEY,OUR_SECRET?scrub", "OUR_KEY", "OUR_SECRET"),
]


class Environment:
    """The two variables of a pair."""

    def __init__(self, patch: pytest.MonkeyPatch, key: str, secret: str) -> None:
        self._patch, self._names = patch, (key, secret)

    def hold(self, pair: str) -> None:
        """Sets both variables."""
        for name, half in zip(self._names, pair.strip("\n").split(":"), strict=True):
            self._patch.setenv(name, half)

    def clear(self) -> None:
        """Removes both variables."""
        for name in self._names:
            self._patch.delenv(name, raising=False)


@pytest.mark.parametrize(("source", "key", "secret"), SOURCES)
def test_a_new_client_uses_the_pair_of_the_environment_and_an_open_one_keeps_its_pair(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, source: str, key: str, secret: str
) -> None:
    environment = Environment(monkeypatch, key, secret)
    accounts = [Account(sandbox), Account(sandbox)]
    environment.hold(accounts[0].line)
    with _client(sandbox, source) as first:
        assert first.verify().id == accounts[0].pair["account_id"]
        environment.hold(accounts[1].line)
        with _client(sandbox, source) as second:
            assert second.verify().id == accounts[1].pair["account_id"]
            for _ in range(2):
                assert first.verify().id == accounts[0].pair["account_id"]
            environment.clear()
            with _client(sandbox, source) as third:
                assert third.verify().id == accounts[1].pair["account_id"]
        environment.hold(accounts[0].line)
        with _client(sandbox, source) as fourth:
            assert fourth.verify().id == accounts[0].pair["account_id"]


@pytest.mark.parametrize(("source", "key", "secret"), SOURCES)
def test_an_open_client_reads_the_environment_again_after_its_pair_was_rejected(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, source: str, key: str, secret: str
) -> None:
    environment = Environment(monkeypatch, key, secret)
    account = Account(sandbox)
    environment.hold(account.line)
    with _client(sandbox, source) as client:
        assert client.verify().id == account.pair["account_id"]
        account.reset()
        environment.hold(account.line)
        assert client.verify().id == account.pair["account_id"]
        with _client(sandbox, source) as second:
            assert "justcall_auth_pair_generation 2\n" in second.usage, "the clients do not share the pair"


@pytest.mark.parametrize(("source", "key", "secret"), SOURCES)
def test_a_forged_delivery_does_not_make_an_open_client_read_the_environment_again(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, source: str, key: str, secret: str
) -> None:
    environment = Environment(monkeypatch, key, secret)
    accounts = [Account(sandbox), Account(sandbox)]

    def deliver(verifier: justcall_auth.WebhookVerifier, signed_with: str) -> justcall_auth.WebhookEvent:
        signed = webhooks.signature(signed_with)
        return verifier.verify(webhooks.headers(signed), webhooks.body(), now=webhooks.NOW)

    environment.hold(accounts[0].line)
    with _client(sandbox, source) as client:
        verifier = justcall_auth.WebhookVerifier(client, url=webhooks.URL)
        assert client.verify().id == accounts[0].pair["account_id"]
        environment.hold(accounts[1].line)
        for forged in ("forged", accounts[1].pair["api_secret"]):
            with pytest.raises(justcall_auth.WebhookMismatchError):
                deliver(verifier, forged)
        assert client.verify().id == accounts[0].pair["account_id"]
        deliver(verifier, accounts[0].pair["api_secret"])
        with _client(sandbox, source) as second:
            other = justcall_auth.WebhookVerifier(second, url=webhooks.URL)
            deliver(other, accounts[1].pair["api_secret"])


@pytest.mark.parametrize(("source", "key", "secret"), SOURCES)
def test_the_first_call_reports_what_is_wrong_in_the_environment(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, source: str, key: str, secret: str
) -> None:
    environment = Environment(monkeypatch, key, secret)
    account = Account(sandbox)
    environment.hold(account.line)
    with _client(sandbox, source) as first:
        first.verify()
        environment.hold(account.line.strip() + " ")
        with _client(sandbox, source) as second:
            with pytest.raises(justcall_auth.CredentialsMalformedError) as caught:
                second.verify()
            assert caught.value.reason == "trailing_whitespace"
        environment.hold("half:")
        with _client(sandbox, source) as third, pytest.raises(justcall_auth.CredentialsMalformedError):
            third.verify()
        first.verify()
    environment.clear()
    with _client(sandbox, source) as alone, pytest.raises(justcall_auth.CredentialsMissingError):
        alone.verify()
