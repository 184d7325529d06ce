"""The items of a list that the service returns in pages."""

import time

from ._errors import InvalidArgumentError, InvalidResponseError
from ._native import Cancel, Client
from ._response import RateLimit, Response
from ._typing import TYPE_CHECKING, Any, Final, Iterator, Optional

if TYPE_CHECKING:
    from types import EllipsisType

    from ._native import _Headers, _Params

_LONGEST_WAIT: Final = 60.0
"""The longest time that the next request waits for a reset of the rate limit, in seconds.

The window for bursts has a minute. The other one may have an hour.
"""


def pages(
    client: Client,
    path: str,
    *,
    params: "Optional[_Params]" = None,
    headers: "Optional[_Headers]" = None,
    timeout: "float | EllipsisType | None" = ...,
    cancel: Optional[Cancel] = None,
) -> Iterator[Any]:
    """Yields the items. `Client.pages` describes the arguments."""
    if isinstance(headers, Iterator):
        # Every request needs the headers.
        headers = list(headers)
    options: dict[str, Any] = {"headers": headers, "timeout": timeout, "cancel": cancel}
    links: set[str] = set()
    response = client.get(path, params=params, **options)
    while True:
        items, link = page(response, links)
        yield from items
        if link is None:
            return
        client._wait(pause(response.rate_limit), cancel=cancel)
        try:
            response = client.get(link, **options)
        except InvalidArgumentError as error:
            raise refused(response) from error


def page(response: Response, links: set[str]) -> tuple[list[Any], Optional[str]]:
    """Returns the items of a page and the link to the next one. Adds the link to the `links` so far."""
    body = response.json()
    items, link = (body.get("data"), body.get("next_page_link")) if isinstance(body, dict) else (None, None)
    if not isinstance(items, list):
        raise _invalid(response, "The response is not a page of a list: it has no list `data`.")
    if not link:
        return items, None
    if not isinstance(link, str) or link in links:
        raise _invalid(response, "The next_page_link of the response is not a text, or appeared before.")
    links.add(link)
    return items, link


def pause(limit: RateLimit) -> float:
    """Returns how long the next request waits, in seconds."""
    windows = [(limit.remaining, limit.reset), (limit.burst_remaining, limit.burst_reset)]
    resets = [reset for remaining, reset in windows if remaining == 0 and reset is not None]
    waits = [reset - time.time() for reset in resets]
    return max((wait for wait in waits if 0 < wait <= _LONGEST_WAIT), default=0.0)


def refused(response: Response) -> InvalidResponseError:
    """Returns the error for a link that `get` refuses."""
    return _invalid(response, "The next_page_link of the response is not under the base URL.")


def _invalid(response: Response, message: str) -> InvalidResponseError:
    return InvalidResponseError(
        message, http_status=response.http_status, request_sent=True, response=response
    )
