"""The special URL of `WebhookVerifier`."""

import enum
from typing import Final


class AnyUrl(enum.Enum):
    """The type of `ANY_URL`."""

    __module__ = "justcall_auth"

    ANY_URL = "any_url"
    """Accepts deliveries for any URL."""


ANY_URL: Final = AnyUrl.ANY_URL
"""The `url` of a `WebhookVerifier` that accepts deliveries signed for any URL of the account."""
