"""What the receivers of all frameworks have in common: how a delivery is answered."""

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
"""The longest body that is read, in bytes."""

TOO_LARGE: Final = 413
"""The status for a longer one."""

_LONGER: Final = bytes(LIMIT + 1)
"""Stands for a longer one, of which the verifier looks at the length alone."""

UNSIGNED: Final = 401
"""The status for what is not signed, where the probe of a URL is not to be answered."""

STATUS: Final = {
    # The probe of a URL that is being saved: the service saves it only when this is the answer.
    WebhookUnsignedError.code: 200,
    WebhookMalformedError.code: 400,
    WebhookVersionError.code: 400,
    WebhookMismatchError.code: 401,
    WebhookStaleError.code: 401,
    WebhookWrongUrlError.code: 403,
    # It was handled: anything else would have the service send it again.
    WebhookReplayedError.code: 200,
}
"""The status of the answer to a delivery that is not dispatched, by the number of the error."""

_log = logging.getLogger("justcall_auth.webhook")


@dataclass(frozen=True)
class Answer:
    """What is answered in place of the handler: a status, and the kind of failure as the body."""

    status: int
    text: str


def receive(
    verifier: WebhookVerifier,
    headers: _HasWebhookHeaders | Iterable[tuple[str | bytes, object]],
    body: bytes | None,
    accept_unsigned: bool,
) -> WebhookEvent | Answer:
    """The event to handle, or the answer to what is none. The body is `None` if it is too long.

    Every delivery goes through the verifier, which counts its result. What is no fault of the delivery is
    raised: the framework answers 500 then, and the service tries again.
    """
    try:
        return verifier.verify(headers, _LONGER if body is None else body)
    except WebhookError as error:
        if body is None or len(body) > LIMIT:
            _log.warning("a webhook's body is longer than %d bytes: %s", LIMIT, error.name)
            return Answer(TOO_LARGE, error.name)
        status = STATUS[error.code]
        unsigned = isinstance(error, WebhookUnsignedError)
        if unsigned and not accept_unsigned:
            status = UNSIGNED
        _log.log(
            # Behind a proxy that strips the headers, genuine deliveries look as the probe does.
            logging.WARNING if unsigned or status != 200 else logging.INFO,
            "a webhook was not dispatched: %s: %s",
            error.name,
            error.message,
        )
        return Answer(status, error.name)
