"""Runs `tests/vectors/webhook/`, as the runners of the other languages do."""

from __future__ import annotations

import base64
import copy
import json
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from justcall_auth import ANY_URL, WebhookError, WebhookEvent, WebhookVerifier
from support import ROOT, only_known
from webhooks import results

if TYPE_CHECKING:
    from collections.abc import Callable

VECTORS = sorted((ROOT / "tests/vectors/webhook").glob("*.json"))

KEYS = {"about", "secrets", "urls", "tolerance", "replay_check", "now", "headers", "expect"}
EVENT_KEYS = {"url", "type", "timestamp", "secret_index", "signature"}
ERROR_KEYS = {"name", "code", "message_contains"}
REPLAY_CHECKS: dict[str | None, Callable[[WebhookEvent], bool] | None] = {
    None: None,
    "seen": lambda _: True,
    "new": lambda _: False,
}


def body_of(vector: dict[str, Any]) -> bytes:
    """Removes the body from the vector and returns it."""
    if "body_base64" in vector:
        return base64.b64decode(vector.pop("body_base64"), validate=True)
    if "body_parts" in vector:
        return b"".join(text.encode() * times for text, times in vector.pop("body_parts"))
    text: str = vector.pop("body")
    return text.encode()


def run(vector: dict[str, Any]) -> None:
    """Verifies the delivery that the vector describes, and compares the result."""
    vector = dict(vector)
    body = body_of(vector)
    only_known(vector, KEYS, all_of_them=True)
    expect = only_known(vector["expect"], {"event", "error"})
    assert len(expect) == 1, "either an event or an error is expected"
    verifier = WebhookVerifier(
        vector["secrets"],
        url=ANY_URL if vector["urls"] is None else vector["urls"],
        tolerance=vector["tolerance"],
        replay_check=REPLAY_CHECKS[vector["replay_check"]],
    )
    try:
        event = verifier.verify(vector["headers"], body, vector["now"])
    except WebhookError as error:
        assert results(verifier.usage) == {error.name: 1}
        assert "error" in expect, str(error)
        compare_error(error, only_known(expect["error"], ERROR_KEYS, all_of_them=True), vector)
    else:
        assert results(verifier.usage) == {"ok": 1}
        assert "event" in expect, repr(event)
        found = {name: getattr(event, name) for name in EVENT_KEYS}
        assert found == only_known(expect["event"], EVENT_KEYS, all_of_them=True)
        assert event.body == body


def compare_error(error: WebhookError, expect: dict[str, Any], vector: dict[str, Any]) -> None:
    """Compares the kind and the message, and searches the texts for secrets."""
    assert (error.name, error.code) == (expect["name"], expect["code"]), str(error)
    for part in expect["message_contains"]:
        assert part in error.message
    shown = "".join([str(error), repr(error), *traceback.format_exception(None, error, error.__traceback__)])
    signatures = [value for _, value in vector["headers"] if len(value) == 64]
    assert not [text for text in vector["secrets"] + signatures if str(text) in shown]


def test_it_has_vectors_to_run() -> None:
    assert len(VECTORS) >= 80


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_every_vector_has_its_result(path: Any) -> None:
    vector = json.loads(path.read_text(encoding="utf-8"))
    run({**vector, "headers": [(name, value) for name, value in vector["headers"]]})
    with_bytes = [(name.encode(), value.encode()) for name, value in vector["headers"]]
    run({**vector, "headers": with_bytes})


@pytest.mark.parametrize(
    ("name", "where", "value"),
    [
        ("ok-published", ["weather"], ""),
        ("ok-published", ["expect", "event", "weather"], ""),
        ("ok-published", ["secrets"], ["5bd3a95c1b0f4e7f2a8890d1c6b7e3f402149a6d"]),
        ("ok-published", ["expect", "event", "type"], "call.missed"),
        ("ok-published", ["expect", "event", "timestamp"], 0),
        ("ok-published", ["expect", "event", "secret_index"], 1),
        ("ok-published", ["expect", "event", "signature"], ""),
        ("wrong-url", ["expect", "error", "name"], "webhook_stale"),
        ("wrong-url", ["expect", "error", "code"], 33),
        ("wrong-url", ["expect", "error", "message_contains"], ["weather"]),
    ],
)
def test_the_runner_fails_on_a_difference(name: str, where: list[str], value: object) -> None:
    vector = json.loads((ROOT / f"tests/vectors/webhook/{name}.json").read_text(encoding="utf-8"))
    vector["headers"] = [tuple(pair) for pair in vector["headers"]]
    run(vector)
    changed = copy.deepcopy(vector)
    place = changed
    for key in where[:-1]:
        place = place[key]
    place[where[-1]] = value
    with pytest.raises(AssertionError):
        run(changed)
