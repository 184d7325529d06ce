"""The exceptions: a class for each row of the table, with the texts and attributes of the row."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from justcall_auth import Finding, JustCallError, Response, WebhookError, _native
from justcall_auth._errors import BY_CODE

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = {row[0]: row for row in _native.error_table() if row[1] != "buffer_too_small"}
CLASSES = sorted(BY_CODE.values(), key=lambda kind: kind.code)

every_class = pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)

DETAILS: dict[str, Any] = {
    "hint": "Do that.",
    "http_status": 429,
    "service_message": "Slow 'down'.",
    "retry_after": 1.5,
    "request_sent": True,
    "reason": "word",
    "findings": [Finding("quotes", "error", "The API key is in quotes.", "Leave them out.")],
}


def test_it_has_one_class_for_each_row_and_no_other() -> None:
    assert {code: (kind.code, kind.name, kind.retryable) for code, kind in BY_CODE.items()} == {
        code: (code, name, retryable) for code, name, _, _, retryable in ROWS.values()
    }
    public = {value for value in vars(justcall_auth).values() if isinstance(value, type)}
    bases = {JustCallError, WebhookError}
    assert {kind for kind in public if issubclass(kind, JustCallError)} == {*CLASSES, *bases}
    of_webhooks = {kind for kind in CLASSES if kind.name.startswith("webhook_")}
    assert of_webhooks == {kind for kind in CLASSES if issubclass(kind, WebhookError)} != set()


@every_class
def test_its_texts_are_those_of_the_table(kind: type[JustCallError]) -> None:
    _, name, message, remedy, _ = ROWS[kind.code]
    error = kind()
    assert (error.message, error.hint) == (message, remedy)
    assert str(error) == f"{name}: {message}\nhint: {remedy}"
    assert kind.__doc__ is not None
    assert " ".join(kind.__doc__.split()) == f"{message} {remedy}"
    assert kind.__module__ == "justcall_auth"
    assert getattr(justcall_auth, kind.__name__) is kind
    own_status = kind.code if kind.code >= 400 else 0
    assert (error.http_status, error.service_message, error.retry_after) == (own_status, None, None)
    assert (error.request_sent, error.reason) == (False, None)
    assert (error.findings, error.response) == ([], None)


def test_it_is_a_subclass_of_the_usual_python_exception() -> None:
    built_in = {
        kind: next(base for base in kind.__mro__ if base.__module__ == "builtins") for kind in CLASSES
    }
    assert {kind: base for kind, base in built_in.items() if base is not Exception} == {
        justcall_auth.InvalidArgumentError: ValueError,
        justcall_auth.OutOfMemoryError: MemoryError,
        justcall_auth.RequestTimeoutError: TimeoutError,
        justcall_auth.ConnectionFailedError: ConnectionError,
    }


def test_its_text_is_the_message_then_that_of_the_service_then_the_hint() -> None:
    error = justcall_auth.RateLimitedError(
        "Too many.", hint="Wait.", service_message="Retry after 3 'seconds'."
    )
    assert str(error) == (
        "rate_limited: Too many. The service answered: \"Retry after 3 'seconds'.\"\nhint: Wait."
    )


@every_class
@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy]
    + [
        lambda error, protocol=protocol: pickle.loads(pickle.dumps(error, protocol))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ],
)
def test_pickling_keeps_every_attribute(
    kind: type[JustCallError], duplicate: Callable[[JustCallError], JustCallError]
) -> None:
    for error in (kind(), kind("What happened.", **DETAILS)):
        again = duplicate(error)
        assert type(again) is kind
        assert vars(again) == vars(error)
        assert again.args == error.args == (error.message,)
        assert str(again) == str(error)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_leaves_out_the_response(protocol: int) -> None:
    error = justcall_auth.UnprocessableError("No.", http_status=422, response=Response(422, body=b"canary"))
    pickled = pickle.dumps(error, protocol)
    assert b"canary" not in pickled
    again = pickle.loads(pickled)
    assert again.response is None
    assert vars(again) == {**vars(error), "response": None}
    assert error.response == Response(422, body=b"canary")


def test_no_text_of_it_shows_the_body_of_the_response() -> None:
    error = justcall_auth.UnprocessableError("No.", response=Response(422, body=b"canary"))
    assert "canary" not in f"{error} {error!r} {vars(error)}"


def test_it_keeps_notes_and_the_cause() -> None:
    error = justcall_auth.ServerError()
    vars(error)["__notes__"] = ["while testing"]
    assert vars(pickle.loads(pickle.dumps(error)))["__notes__"] == ["while testing"]
    with pytest.raises(RuntimeError) as caught:
        try:
            raise error
        except JustCallError as cause:
            raise RuntimeError from cause
    assert caught.value.__cause__ is error


def test_the_base_class_cannot_be_created() -> None:
    for base in (JustCallError, WebhookError):
        with pytest.raises(TypeError, match=f"{base.__name__} .*raise one of its subclasses"):
            base("What happened.")


def test_a_program_may_define_subclasses() -> None:
    class TenantError(justcall_auth.ForbiddenError):
        pass

    assert (TenantError().code, TenantError().name) == (403, "forbidden")


@pytest.mark.parametrize("wrong", [{"hint": 1, "weather": "fine"}, {"name": "x"}, {"code": 1}])
def test_it_refuses_attributes_that_it_does_not_know(wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        justcall_auth.ServerError(**wrong)
