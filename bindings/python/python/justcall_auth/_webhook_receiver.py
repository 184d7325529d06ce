"""What the receivers of all frameworks share: the response to a delivery."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ._error_base import WebhookError
from ._errors import (
    WebhookMalformedError,
    WebhookMismatchError,
    WebhookReplayedError,
    WebhookStaleError,
    WebhookUnsignedError,
    WebhookVersionError,
    WebhookWrongUrlError,
)
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

UNSIGNED: Final = 401
"""The status of the response to an unsigned delivery if `accept_unsigned` is False."""

STATUS: Final = {
    # The probe that JustCall sends when a URL is saved: JustCall saves the URL only after this status.
    WebhookUnsignedError.code: 200,
    WebhookMalformedError.code: 400,
    WebhookVersionError.code: 400,
    WebhookMismatchError.code: 401,
    WebhookStaleError.code: 401,
    WebhookWrongUrlError.code: 403,
    # The delivery was handled before. After another status the service would send it again.
    WebhookReplayedError.code: 200,
}
"""The status of the response to a delivery that is not dispatched, by the number of the error."""

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
        status = STATUS[error.code]
        unsigned = isinstance(error, WebhookUnsignedError)
        if unsigned and not accept_unsigned:
            status = UNSIGNED
        _log.log(
            # Behind a proxy that strips the headers, genuine deliveries are the same as the probe.
            logging.WARNING if unsigned or status != 200 else logging.INFO,
            "a webhook was not dispatched: %s: %s",
            error.name,
            error.message,
        )
        return Refusal(status, error.name)
