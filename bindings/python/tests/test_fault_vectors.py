"""Runs `tests/faults/matrix/` against the sandbox, as the runners of the other languages do."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from support import ROOT, only_known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support import Sandbox

FAULTS = [
    pytest.param(fault, id=f"{path.stem}: {fault['about']}")
    for path in sorted((ROOT / "tests/faults/matrix").glob("*.json"))
    for fault in json.loads(path.read_text(encoding="utf-8"))
]
KEYS = {"about", "call", "base_url", "fault", "each", "timeout_ms", "expect"}
EXPECT_KEYS = {"name", "http_status", "request_sent", "retry_after_ms"}
GRACE = 30
"""How much longer than its timeout a call may take on a loaded machine, in seconds."""


def each(vector: dict[str, Any]) -> Iterator[dict[str, Any] | None]:
    """Returns the fault, or one for each value that a member of it takes."""
    if vector["each"] is None:
        yield vector["fault"]
        return
    values = only_known(vector["each"], {"member", "from", "to", "step"}, all_of_them=True)
    for value in range(values["from"], values["to"] + 1, values["step"]):
        yield {**vector["fault"], values["member"]: value}


def call(client: justcall_auth.Client, name: str) -> dict[str, Any]:
    """Makes the call. Returns its row."""
    try:
        if name == "verify":
            client.verify()
            status = 200
        else:
            assert name == "get"
            status = client.get("/v2.1/calls").http_status
    except justcall_auth.JustCallError as error:
        wait = None if error.retry_after is None else round(error.retry_after * 1000)
        return {
            "name": error.name,
            "http_status": error.http_status,
            "request_sent": error.request_sent,
            "retry_after_ms": wait,
            "shown": f"{error} {error!r} {error.hint} {error.service_message}",
        }
    return {"name": "ok", "http_status": status, "request_sent": True, "retry_after_ms": None, "shown": ""}


def run(sandbox: Sandbox, vector: dict[str, Any]) -> None:
    """Makes the calls that the vector describes, and compares the results."""
    only_known(vector, KEYS, all_of_them=True)
    expect = only_known(vector["expect"], EXPECT_KEYS, all_of_them=True)
    pair = sandbox.control("POST", "pairs", {})
    timeout = vector["timeout_ms"] / 1000
    client = justcall_auth.Client.from_credentials(
        justcall_auth.Credentials(pair["api_key"], pair["api_secret"]),
        base_url=vector["base_url"] or sandbox.url,
        ca_file=sandbox.ca_file,
        proxy="",
        max_retries=0,
        timeout=timeout,
    )
    with client:
        for fault in each(vector):
            sandbox.control("DELETE", "faults")
            sandbox.control("DELETE", "requests")
            if fault is not None:
                sandbox.control("POST", "faults", fault)
            begun = time.monotonic()
            row = call(client, vector["call"])
            took = time.monotonic() - begun
            is_received = bool(sandbox.requests())
            status = fault["status"] if fault and expect["http_status"] == "status" else expect["http_status"]
            shown = row.pop("shown")
            sent = row["request_sent"] if expect["request_sent"] is None else expect["request_sent"]
            assert row == {**expect, "http_status": status, "request_sent": sent}, (fault, shown)
            assert row["request_sent"] or not is_received
            assert is_received or row["name"] != "ok"
            assert pair["api_secret"] not in shown
            assert took < timeout + GRACE


def test_it_has_faults_to_run() -> None:
    assert len(FAULTS) >= 60


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_ends_in_its_row_of_the_table(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    run(sandbox, fault)


def test_it_notices_a_fault_that_ends_in_another_row(sandbox: Sandbox) -> None:
    good: dict[str, Any] = {
        "about": "",
        "call": "get",
        "base_url": None,
        "fault": {"fault": "answer", "status": 503, "headers": {"Retry-After": "7"}},
        "each": None,
        "timeout_ms": 20000,
        "expect": {"name": "unavailable", "http_status": 503, "request_sent": True, "retry_after_ms": 7000},
    }
    run(sandbox, good)
    wrong: list[dict[str, Any]] = [
        {"weather": ""},
        {"call": "sing"},
        {"each": {"member": "status", "from": 503, "to": 504, "step": 1}},
        *(
            {"expect": {**good["expect"], name: value}}
            for name, value in [
                ("weather", ""),
                ("name", "ok"),
                ("http_status", 500),
                ("request_sent", False),
                ("retry_after_ms", None),
            ]
        ),
    ]
    for change in wrong:
        with pytest.raises(AssertionError):
            run(sandbox, {**good, **change})
