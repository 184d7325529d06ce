"""The usage counters, read with the OpenMetrics parser of the Prometheus client."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

import justcall_auth
from justcall_auth import Client, Credentials
from support import Account, client_of, command

if TYPE_CHECKING:
    from pathlib import Path

    from prometheus_client import Metric

    from support import Sandbox


def families(client: Client) -> dict[str, Metric]:
    parsed = text_string_to_metric_families(client.usage)  # type: ignore[no-untyped-call]
    found = {family.name.removeprefix("justcall_auth_"): family for family in parsed}
    assert all(family.name.startswith("justcall_auth_") for family in found.values())
    return found


def value(families: dict[str, Metric], family: str, **labels: str) -> float:
    """Returns the sample of `family` with these labels; for a histogram, its count."""
    samples = families[family].samples
    if families[family].type == "histogram":
        samples = [sample for sample in samples if sample.name.endswith("_count")]
    [sample] = [sample for sample in samples if labels.items() <= sample.labels.items()]
    return sample.value


def test_a_real_parser_reads_it(sandbox: Sandbox) -> None:
    with sandbox.client(max_retries=0) as client:
        assert "pair_generation" not in families(client)
        client.get("/v2.1/calls")
        client.post("/v2.1/echo", json={})
        with pytest.raises(justcall_auth.NotFoundError):
            client.get("/v2.1/nothing")
        found = families(client)
    types = {name: family.type for name, family in found.items()}
    assert types["build"] == "info"
    assert types["calls"] == types["requests"] == types["retries"] == types["events"] == "counter"
    assert types["pair_age_seconds"] == "gauge"
    assert found["request_duration_seconds"].unit == "seconds"
    assert value(found, "calls", outcome="ok") == 2
    assert value(found, "calls", outcome="not_found") == 1
    assert value(found, "calls", outcome="invalid_credentials") == 0
    assert value(found, "requests", method="POST", status="200") == 1
    assert value(found, "request_duration_seconds") == 3
    assert value(found, "pair_generation") == 1
    assert value(found, "pair_rejected") == 0
    assert value(found, "rate_limit", window="main") > value(found, "rate_limit_remaining", window="main")
    assert all(family.documentation.endswith(".") for family in found.values())


def test_clients_of_one_pair_are_counted_together(sandbox: Sandbox) -> None:
    pair = Credentials(sandbox.api_key, sandbox.api_secret)
    with sandbox.client(pair) as one, sandbox.client(pair) as other:
        one.verify()
        assert value(families(other), "calls", outcome="ok") == 1


def test_usage_shows_no_pair_and_fails_after_the_client_is_closed(sandbox: Sandbox) -> None:
    client = sandbox.client()
    client.verify()
    text = client.usage
    assert sandbox.api_key not in text
    assert sandbox.api_secret not in text
    client.close()
    with pytest.raises(justcall_auth.CallCancelledError):
        client.usage  # noqa: B018 - it checks whether the client is open


def test_it_records_the_use_of_the_pair_in_the_state_file(sandbox: Sandbox, tmp_path: Path) -> None:
    pair = tmp_path / "pair"
    pair.write_text(f"{sandbox.api_key}:{sandbox.api_secret}")
    state = tmp_path / "state" / "pairs.json"
    with sandbox.client(state_file=state) as client:
        assert not state.exists()
        client.verify()
    arguments = ["status", "--json", "--source", f"file:{pair}", "--state-file", str(state)]
    status = [str(command("justcall-auth")), *arguments]
    status_report = json.loads(subprocess.run(status, check=True, capture_output=True, env={}).stdout)
    assert status_report["unused_seconds"] < 60
    assert status_report["last_used"] is not None
    assert sandbox.api_secret not in state.read_text()


def test_a_client_reports_the_generation_and_the_key_of_its_pair(sandbox: Sandbox) -> None:
    account = Account(sandbox)
    pairs = [account.credentials()]
    with client_of(sandbox, lambda: pairs[-1]) as client:
        assert (client.generation, client.key_hint) == (0, None)
        assert sandbox.requests() == []
        client.verify()
        assert (client.generation, client.key_hint) == (1, pairs[0].key_hint)
        account.reset()
        pairs.append(account.credentials())
        client.verify()
        assert (client.generation, client.key_hint) == (2, pairs[1].key_hint)
    for read in (lambda: client.generation, lambda: client.key_hint):
        with pytest.raises(justcall_auth.CallCancelledError):
            read()
