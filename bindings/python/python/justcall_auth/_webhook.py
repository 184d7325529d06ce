"""What a verified delivery of a webhook tells."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from ._native import webhook_object_path

_Answer = TypeVar("_Answer", covariant=True)


class _Getter(Protocol[_Answer]):
    """What fetches an object: a client."""

    def get(self, path: str, /) -> _Answer: ...


class AnyUrl(enum.Enum):
    """The type of `ANY_URL`."""

    ANY_URL = "any_url"
    """Deliveries for any URL will do."""


ANY_URL: Final = AnyUrl.ANY_URL
"""Given to `WebhookVerifier` as its `url`: deliveries that were signed for any URL of the account will do."""


@dataclass(frozen=True, repr=False)
class WebhookEvent:
    """A verified delivery. Certain are its `url`, its `type` and its `timestamp`, and nothing else.

    The body is not signed: whoever has one genuine delivery can send it with another body. So before you act
    on what the body says, fetch the object again through the API, with `confirm`.

    `repr` leaves out the body, which is the customer's data; a pickle holds it.

    Programs that test how they handle events may make their own. Immutable, hashable, picklable; equal when
    every part is.
    """

    url: str
    """The URL that the delivery was signed for: one of those that the verifier expects."""

    type: str
    """The event's type, such as `call.completed`."""

    timestamp: float
    """When it was signed, in seconds since the epoch, as `time.time` counts them."""

    body: bytes
    """The body as it came. It is not signed."""

    secret_index: int = 0
    """Which secret signed it, from 0 in the order they were given; of a client, 0 is the current one."""

    signature: str = ""
    """The signature, 64 lower-case hexadecimal digits.

    It is the same for every repetition of a delivery, but also for another event of the type in that second.
    """

    def json(self) -> Any:
        """The body as JSON, which is a `dict`. It is not signed: what its `data` says may be forged.

        Raises `ValueError` for a number that Python does not read, of thousands of digits.
        """
        return json.loads(self.body)

    def object_path(self) -> str:
        """Where the API has the object that the event is about, such as `/v2.1/calls/100042`.

        Raises `WebhookMalformedError` when the body names no object, and `InvalidArgumentError` when it is
        not known where the API has the objects of this type of event.
        """
        return webhook_object_path(self.type, self.body)

    def confirm(self, client: _Getter[_Answer]) -> _Answer:
        """Fetches the object that the event is about again, through the API: `client.get(object_path())`.

        What the answer says is true, where the body may lie.

        Raises `NotFoundError` when the account has no such object, and what else `client.get` and
        `object_path` raise.
        """
        return client.get(self.object_path())

    def __repr__(self) -> str:
        return f"<WebhookEvent {self.type!r} at {self.timestamp:.0f} for {self.url!r}>"
