"""Annotations at run time, which frameworks read for dependency injection, validation and schemas."""

from __future__ import annotations

import inspect
import types
import typing
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

import justcall_auth
import justcall_auth.aiohttp
import justcall_auth.django
import justcall_auth.flask
import justcall_auth.httpx
import justcall_auth.httpx2
import justcall_auth.requests
import justcall_auth.starlette
from justcall_auth import Account, Action, Event, Finding, ProtectionReport, RateLimit, Wait

MODULES = [
    justcall_auth,
    justcall_auth.aiohttp,
    justcall_auth.django,
    justcall_auth.flask,
    justcall_auth.httpx,
    justcall_auth.httpx2,
    justcall_auth.requests,
    justcall_auth.starlette,
]

PUBLIC = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in MODULES
    for name in module.__all__
    if not isinstance(getattr(module, name), (str, justcall_auth.AnyUrl))
}

VALUES: list[Any] = [
    Account(7, "a@b.c", None, "/v2/account"),
    Event("retrying", "The call is made again.", 0, 503, 1.5),
    Finding("quotes", "error", "The API key is in quotes.", "Leave them out."),
    ProtectionReport("auto", "heap", "The limit is 0."),
    RateLimit(100, 9, 1.5),
    Wait(0.25),
]
"""One object of each public class with plain values."""


def functions(thing: Any) -> list[Any]:
    """Returns the function, or the functions of the class that are written in Python."""
    if not isinstance(thing, type):
        return [thing]
    found = []
    for member in vars(thing).values():
        if isinstance(member, property):
            member = member.fget
        found.append(getattr(member, "__func__", member))
    return [member for member in found if isinstance(member, types.FunctionType)]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_annotation_can_be_resolved(name: str) -> None:
    thing = PUBLIC[name]
    # The annotations of a class that extends one of an HTTP library include those of the library.
    if isinstance(thing, type) and name.split(".")[1] not in {"aiohttp", "httpx", "httpx2", "requests"}:
        assert set(typing.get_type_hints(thing)) >= set(vars(thing).get("__annotations__", {}))
    for function in functions(thing):
        hints = typing.get_type_hints(function)
        assert not any(isinstance(hint, (str, typing.ForwardRef)) for hint in hints.values())
        inspect.signature(function)


def test_the_check_covers_classes_with_annotations_and_functions() -> None:
    """Positive control: the test above would pass if it found no annotations."""
    assert typing.get_type_hints(Event)["wait"] == typing.Optional[float]
    assert (
        typing.get_type_hints(justcall_auth.JustCallError)["response"]
        == typing.Optional[justcall_auth.Response]
    )
    assert typing.get_type_hints(justcall_auth.ServerError)["findings"] == list[Finding]
    assert len([one for thing in PUBLIC.values() for one in functions(thing)]) > 30


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_pydantic_reads_and_writes_every_value(value: Any) -> None:
    adapter = TypeAdapter(type(value))
    assert adapter.validate_python(value) is value
    assert adapter.validate_json(adapter.dump_json(value)) == value
    assert adapter.json_schema()["title"] == type(value).__name__


def test_pydantic_refuses_an_event_that_does_not_exist() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Event).validate_python({"name": "canary", "message": "It sings."})


def test_pydantic_knows_the_actions() -> None:
    assert TypeAdapter(typing.Union[Action, Wait]).validate_python("load") is Action.LOAD
