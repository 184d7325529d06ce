"""Signed webhooks for tests of receivers."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True)
class Webhook:
    """A delivery: pass `headers` and `body` to the test client of the web framework, as a POST."""

    headers: dict[str, str]
    """The headers, with the signature."""

    body: bytes
    """The body. It is not signed."""


def sign(
    secret: str, url: str, kind: str, data: dict[str, object] | None, timestamp: float | None
) -> Webhook:
    """Returns a delivery that is signed as JustCall signs it."""
    now = time.gmtime(time.time() if timestamp is None else timestamp)
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", now)
    message = f"{secret}|{quote(url, safe=_UNRESERVED)}|{kind}|{stamp}"
    headers = {
        "content-type": "application/json",
        "x-justcall-signature": hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest(),
        "x-justcall-signature-version": "v1",
        "x-justcall-request-timestamp": stamp,
    }
    members = {"request_id": "test", "webhook_url": url, "url_id": "test", "type": kind, "data": data or {}}
    return Webhook(headers, json.dumps(members).encode())


_UNRESERVED = "!*'()"
"""What `encodeURIComponent` leaves unchanged, besides what `quote` does."""
