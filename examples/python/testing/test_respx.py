"""Tests a program that uses httpx with respx, without a server: pytest test_respx.py."""

# ruff: noqa: D103, S101

from __future__ import annotations

import httpx
import pytest
import respx

import justcall_auth
from justcall_auth.httpx import JustCallTransport

BASE = "https://api.justcall.io"


# [snippet]
@pytest.fixture
def http() -> httpx.Client:
    """A client of httpx with a pair that no service knows."""
    client = justcall_auth.Client.from_credentials(justcall_auth.Credentials("test-key", "test-secret"))
    return httpx.Client(transport=JustCallTransport(client), base_url=BASE)


@respx.mock(base_url=BASE)
def test_it_sends_the_pair(respx_mock: respx.MockRouter, http: httpx.Client) -> None:
    headers = {"Authorization": "test-key:test-secret"}
    route = respx_mock.get("/v2.1/calls", headers=headers).respond(json={"count": 3})
    assert http.get("/v2.1/calls").json() == {"count": 3}
    assert route.call_count == 1


@respx.mock(base_url=BASE)
def test_it_retries(respx_mock: respx.MockRouter, http: httpx.Client) -> None:
    responses = [httpx.Response(503, headers={"Retry-After": "0"}), httpx.Response(200, json={"count": 3})]
    route = respx_mock.get("/v2.1/calls").mock(side_effect=responses)
    assert http.get("/v2.1/calls").json() == {"count": 3}
    assert route.call_count == 2


# [/snippet]
