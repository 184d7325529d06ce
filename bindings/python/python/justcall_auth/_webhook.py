"""What a webhook is verified for."""

import enum
from typing import Final


class AnyUrl(enum.Enum):
    """The type of `ANY_URL`."""

    ANY_URL = "any_url"
    """Deliveries for any URL will do."""


ANY_URL: Final = AnyUrl.ANY_URL
"""Given to `WebhookVerifier` as its `url`: deliveries that were signed for any URL of the account will do."""
