"""What the receivers of all frameworks share: the response to a delivery."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ._error_base import WebhookError
from ._errors import WebhookReplayedError, WebhookUnsignedError
from ._native import MAX_WEBHOOK_BODY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._native import WebhookEvent, WebhookVerifier, _HasWebhookHeaders

LIMIT: Final = MAX_WEBHOOK_BODY
"""The largest body that is read, in bytes."""

TOO_LARGE: Final = 413
"""The status of the response to a larger body."""

_LONGER: Final = bytes(LIMIT + 1)
"""Stands for a body that is too large. The verifier reads only its length."""

REFUSED: Final = 401
"""The status of the response to a delivery that failed verification."""

ACKNOWLEDGED: Final = 200
"""The status of the response to a probe, and to a delivery that was handled before.

JustCall saves a URL only after this status, and sends a delivery again after every other status.
"""

_log = logging.getLogger("justcall_auth.webhook")


@dataclass(frozen=True)
class Refusal:
    """The response if the handler is not called: a status, and the name of the error as the body."""

    status: int
    text: str


def receive(
    verifier: WebhookVerifier,
    headers: _HasWebhookHeaders | Iterable[tuple[str | bytes, object]],
    body: bytes | None,
    accept_unsigned: bool,
) -> WebhookEvent | Refusal:
    """Returns the event to handle, or the response to a refused delivery.

    `body` is None if it is too large. The verifier verifies every delivery and counts its result.

    Raises the errors that are not a fault of the delivery. The framework then responds with 500, and the
    service retries.
    """
    try:
        return verifier.verify(headers, _LONGER if body is None else body)
    except WebhookError as error:
        if body is None or len(body) > LIMIT:
            _log.warning("a webhook's body is longer than %d bytes: %s", LIMIT, error.name)
            return Refusal(TOO_LARGE, error.name)
        unsigned = isinstance(error, WebhookUnsignedError)
        acknowledged = accept_unsigned if unsigned else isinstance(error, WebhookReplayedError)
        status = ACKNOWLEDGED if acknowledged else REFUSED
        _log.log(
            # Behind a proxy that strips the headers, genuine deliveries are the same as the probe.
            logging.WARNING if unsigned or not acknowledged else logging.INFO,
            "a webhook was not dispatched: %s: %s",
            error.name,
            error.message,
        )
        return Refusal(status, error.name)
