"""Tests a program with responses of your own, from pytest-httpserver: pytest test_httpserver.py."""

# ruff: noqa: D103, S101

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import justcall_auth

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer


# [snippet]
@pytest.fixture
def client(httpserver: HTTPServer) -> justcall_auth.Client:
    """A client of the server, with a pair that only this test knows."""
    pair = justcall_auth.Credentials("test-key", "test-secret")
    # A loopback address may be plain HTTP.
    return justcall_auth.Client.from_credentials(pair, base_url=httpserver.url_for(""))


def test_it_sends_the_pair(client: justcall_auth.Client, httpserver: HTTPServer) -> None:
    request = httpserver.expect_request("/v2.1/calls", headers={"Authorization": "test-key:test-secret"})
    request.respond_with_json({"count": 3})
    assert client.get("/v2.1/calls").json() == {"count": 3}


def test_it_raises_the_error_of_a_response(client: justcall_auth.Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v2.1/calls/7").respond_with_json({"message": "No such call."}, status=404)
    with pytest.raises(justcall_auth.NotFoundError, match=r"No such call\."):
        client.get("/v2.1/calls/7")


# [/snippet]
