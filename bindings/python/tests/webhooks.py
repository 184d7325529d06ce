"""Deliveries that are created with Python's `hmac` and `urllib`."""

from __future__ import annotations

import hashlib
import hmac
import json
from urllib.parse import quote

from prometheus_client.openmetrics.parser import text_string_to_metric_families

SECRET = "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb"
"""The secret of the documentation's example."""

URL = "https://example.com/hooks/justcall"

NOW = 1_711_040_902
"""The time of the documentation's example."""

TIMESTAMP = "2024-03-21 17:08:22"
"""The same time, in the form of the header."""


def encoded(url: str, *, javascript: bool = True) -> str:
    """Returns the URL, encoded as by `encodeURIComponent` or by `quote`."""
    return quote(url, safe="!*'()" if javascript else "", errors="strict")


def signature(
    secret: str = SECRET,
    url: str = URL,
    event: str = "call.completed",
    timestamp: str = TIMESTAMP,
    *,
    javascript: bool = True,
) -> str:
    """Returns the signature, as the service's documentation defines it."""
    message = f"{secret}|{encoded(url, javascript=javascript)}|{event}|{timestamp}"
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()


def headers(signed: str | None = None, timestamp: str = TIMESTAMP) -> dict[str, str]:
    """Returns the three headers."""
    return {
        "x-justcall-signature": signature() if signed is None else signed,
        "x-justcall-signature-version": "v1",
        "x-justcall-request-timestamp": timestamp,
    }


def body(url: str = URL, event: str = "call.completed", **data: object) -> bytes:
    """Returns the body of the documentation's example."""
    members = {"request_id": "01HSGT6KXV4W0QF4N0FZQJ4M2R", "webhook_url": url, "url_id": "65d5a5ed"}
    return json.dumps({**members, "type": event, "data": {"id": 100042, **data}}).encode()


def results(usage: str) -> dict[str, int]:
    """Returns how often a verifier or client counted each result, without those that are zero."""
    families = text_string_to_metric_families(usage)  # type: ignore[no-untyped-call]
    (family,) = [family for family in families if family.name == "justcall_auth_webhooks"]
    assert family.type == "counter"
    return {sample.labels["result"]: int(sample.value) for sample in family.samples if sample.value}
