"""`pages`: the items of all pages of a list."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from justcall_auth import Cancel, Client, RateLimit, _pages
from support import SOON, Account, within

if TYPE_CHECKING:
    from support import Sandbox

CALLS = "/v2.1/calls"


def all_calls(client: Client) -> list[Any]:
    """Returns the calls of the sandbox, from one page."""
    calls: list[Any] = client.get(CALLS, params={"per_page": 100}).json()["data"]
    assert len(calls) > 20
    return calls


def test_it_yields_the_items_of_all_pages_in_their_order(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        expected = all_calls(client)
        sandbox.control("POST", "clear", {})
        assert list(client.pages(CALLS, params={"per_page": 10})) == expected
    assert {request["path"] for request in sandbox.requests()} == {CALLS}
    queries = [request["query"] for request in sandbox.requests()]
    pages = -(-len(expected) // 10)
    assert queries == ["per_page=10", *(f"page={number}&per_page=10" for number in range(1, pages))]


def test_one_page_is_one_request(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        assert len(list(client.pages("/v2.1/user_groups"))) == 1
    assert len(sandbox.requests()) == 1


def test_a_page_is_requested_when_its_first_item_is_needed(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        items = client.pages(CALLS, params={"per_page": 2})
        assert sandbox.requests() == []
        for count, requests in ((1, 1), (2, 1), (3, 2)):
            next(items)
            assert len(sandbox.requests()) == requests, count


def test_every_request_has_the_headers(sandbox: Sandbox) -> None:
    pairs = [("X-Canary", "value")]
    for headers in (dict(pairs), pairs, iter(pairs)):
        sandbox.control("POST", "clear", {})
        with sandbox.client() as client:
            assert len(list(client.pages(CALLS, params={"per_page": 20}, headers=headers))) > 20
        heads = [request["raw_head"] for request in sandbox.requests()]
        assert ["x-canary: value\r\n" in head for head in heads] == [True] * 3


def page(**members: object) -> dict[str, object]:
    """Returns the body of a page."""
    return {"status": "success", "count": 1, "data": [1], **members}


@pytest.mark.parametrize("link", [None, ""])
def test_an_empty_link_ends_the_list(sandbox: Sandbox, link: str | None) -> None:
    sandbox.fault("answer", status=200, body=page(next_page_link=link))
    with sandbox.client() as client:
        assert list(client.pages(CALLS)) == [1]


def test_a_link_to_another_host_is_not_requested(sandbox: Sandbox) -> None:
    for link in ("https://example.com/v2.1/calls?page=1", "https://localhost.example/", "//example.com/"):
        sandbox.control("POST", "clear", {})
        sandbox.fault("answer", status=200, body=page(next_page_link=link), times=1)
        with sandbox.client() as client:
            items = client.pages(CALLS)
            assert next(items) == 1
            with pytest.raises(justcall_auth.InvalidResponseError, match="not under the base URL") as caught:
                next(items)
        assert caught.value.response is not None
        assert link not in str(caught.value)
        assert len(sandbox.requests()) == 1


def test_a_link_that_appears_twice_ends_with_an_error(sandbox: Sandbox) -> None:
    link = f"{sandbox.url}{CALLS}?page=1"
    sandbox.fault("answer", status=200, body=page(next_page_link=link), times=3)
    with sandbox.client() as client:
        items = client.pages(CALLS)
        assert next(items) == 1
        with pytest.raises(justcall_auth.InvalidResponseError, match="appeared before"):
            list(items)
    assert len(sandbox.requests()) == 2


@pytest.mark.parametrize("body", [{"data": {}}, {"data": None}, {"status": "success"}, [1], 1])
def test_a_response_that_is_not_a_page_is_an_error(sandbox: Sandbox, body: object) -> None:
    sandbox.fault("answer", status=200, body=body)
    with sandbox.client() as client:
        with pytest.raises(justcall_auth.InvalidResponseError, match="is not a page of a list"):
            next(client.pages(CALLS))


def test_the_failure_of_a_page_is_raised_after_the_items_before_it(sandbox: Sandbox) -> None:
    sandbox.fault("answer", status=404, skip=1)
    with sandbox.client() as client:
        items = client.pages(CALLS, params={"per_page": 3})
        for _ in range(3):
            next(items)
        with pytest.raises(justcall_auth.NotFoundError):
            next(items)
        assert list(items) == []


def test_it_waits_for_the_reset_of_a_used_up_rate_limit(sandbox: Sandbox, measured_sandbox: Sandbox) -> None:
    for service in (sandbox, measured_sandbox):
        account = Account(service, rate_limit={"limit": 2, "window_s": 2})
        with service.client(account.credentials(), max_retries=0) as client:
            assert len(list(client.pages(CALLS, params={"per_page": 12}))) == 57
        assert [request["status"] for request in service.requests()] == [200] * 5
        with service.client(account.credentials(), max_retries=0) as client:
            # Positive control: the service enforces the limit.
            with pytest.raises(justcall_auth.RateLimitedError):
                for _ in range(4):
                    client.get(CALLS)


def test_the_wait_is_that_of_the_latest_reset_within_a_minute() -> None:
    now = time.time()
    for limit, wait in (
        (RateLimit(), 0),
        (RateLimit(100, 1, now + 9, 30, 1, now + 5), 0),
        (RateLimit(100, 0, now + 9, 30, 0, now + 5), 9),
        (RateLimit(100, 0, now + 3600, 30, 0, now + 5), 5),
        (RateLimit(100, 0, now - 1), 0),
        (RateLimit(100, 0, None, 30, 0, None), 0),
    ):
        assert _pages.pause(limit) == pytest.approx(wait, abs=1)


@pytest.mark.parametrize("end", ["cancel", "close"])
def test_the_wait_can_be_cancelled(sandbox: Sandbox, end: str) -> None:
    account = Account(sandbox, rate_limit={"limit": 1, "window_s": 50})
    cancel = Cancel()
    client = sandbox.client(account.credentials(), max_retries=0)
    items = client.pages(CALLS, params={"per_page": 1}, cancel=cancel)
    next(items)
    timer = threading.Timer(0.3, cancel.fire if end == "cancel" else client.close)
    timer.start()
    with within(0.3 + 20 * SOON), pytest.raises(justcall_auth.CallCancelledError):
        next(items)
    timer.join()
    assert len(sandbox.requests()) == 1


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"timeout": -1}, justcall_auth.InvalidArgumentError),
        ({"cancel": 1}, TypeError),
        ({"params": 1}, TypeError),
        ({"headers": 1}, TypeError),
        ({"headers": {"Authorization": "x"}}, justcall_auth.InvalidArgumentError),
    ],
)
def test_invalid_arguments_are_refused_at_the_first_item(
    sandbox: Sandbox, options: dict[str, Any], error: type[Exception]
) -> None:
    with sandbox.client() as client:
        with pytest.raises(error):
            next(client.pages(CALLS, **options))
        with pytest.raises(TypeError, match="unexpected keyword argument 'data'"):
            client.pages(CALLS, data=b"")  # type: ignore[call-arg]
    assert sandbox.requests() == []


@pytest.mark.parametrize("method", ["head", "patch"])
def test_it_sends_the_other_methods(sandbox: Sandbox, method: str) -> None:
    with sandbox.client() as client:
        if method == "head":
            response = client.head("/v2.1/echo")
            assert response.body == b""
            assert int(response.headers["content-length"]) > 0
        else:
            call = next(client.pages(CALLS))
            response = client.patch(f"{CALLS}/{call['id']}", json={"notes": "canary"})
            assert response.json()["data"]["notes"] == "canary"
        assert response.http_status == 200
    assert sandbox.requests()[-1]["method"] == method.upper()
