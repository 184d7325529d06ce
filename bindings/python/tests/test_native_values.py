"""Objects that the native module creates without `__init__` equal those that `__init__` creates."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import threading
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from justcall_auth import Account, Event, Headers, RateLimit, Response

if TYPE_CHECKING:
    from support import Sandbox

ECHO = "/v2.1/echo"


def values(sandbox: Sandbox) -> list[Any]:
    """Returns one object of each class, from a success and from a failure. The client is closed."""
    with sandbox.client() as client:
        response = client.get(ECHO)
        with pytest.raises(justcall_auth.NotFoundError) as caught:
            client.get("/no-such-page")
        failure = caught.value.response
        assert failure is not None
        account = client.verify()
        limit = client.rate_limit
    happened: list[Event] = []
    sandbox.fault("answer", status=503, times=1)
    with sandbox.client(on_event=happened.append) as client:
        client.get(ECHO)
    retry = next(event for event in happened if event.name == "retrying")
    return [account, response, response.rate_limit, failure, failure.rate_limit, limit, retry]


def test_each_value_equals_one_created_from_its_fields(sandbox: Sandbox) -> None:
    found = values(sandbox)
    assert [type(value) for value in found] == [
        Account,
        Response,
        RateLimit,
        Response,
        RateLimit,
        RateLimit,
        Event,
    ]
    for value in found:
        names = [field.name for field in dataclasses.fields(value)]
        again = type(value)(*(getattr(value, name) for name in names))
        assert again == value
        assert hash(again) == hash(value)
        assert repr(again) == repr(value)
        # The object has all fields itself, in their order, and no others: none is a default of the class.
        assert list(vars(value)) == names
        for duplicate in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
            assert duplicate == value
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, names[0], None)


def test_the_headers_equal_those_created_from_their_pairs(sandbox: Sandbox) -> None:
    for value in values(sandbox):
        if isinstance(value, Response):
            pairs = value.headers.multi_items()
            assert value.headers == Headers(pairs) == dict(pairs)
            assert value.headers["CONTENT-TYPE"] == dict(pairs)["content-type"] == "application/json"
            assert all(type(name) is type(text) is str for name, text in pairs)


def test_the_types_are_those_of_the_annotations(sandbox: Sandbox) -> None:
    account, response, limit, *_, retry = values(sandbox)
    assert [type(field) for field in dataclasses.astuple(account)] == [int, str, str, str]
    assert [type(field) for field in vars(response).values()] == [int, Headers, bytes, RateLimit]
    assert [type(limit.limit), type(limit.remaining), type(limit.reset)] == [int, int, float]
    assert [type(field) for field in vars(retry).values()] == [str, str, int, int, float]


def test_threads_that_read_a_header_first_get_the_same_value(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        responses = [client.get(ECHO) for _ in range(50)]
    start = threading.Barrier(4)
    found: list[list[str]] = []

    def look() -> None:
        start.wait()
        found.append([response.headers["content-type"] for response in responses])

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [["application/json"] * len(responses)] * 4
