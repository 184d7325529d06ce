"""Webhooks in Django: a decorator that verifies a delivery and passes the event to the view.

The body of a delivery is not signed (see `WebhookEvent`). Before you act on the body, fetch the object
through the API. ::

    client = justcall_auth.Client()
    verifier = justcall_auth.WebhookVerifier(client, url="https://example.com/hooks/justcall")

    @justcall_auth.django.webhook(verifier)
    def justcall(request, event):
        if event.type == "call.completed":
            call = event.confirm(client).json()["data"]
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any, Optional, Union

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed  # type: ignore[import-untyped]
from django.views.decorators.csrf import csrf_exempt  # type: ignore[import-untyped]

from ._native import WebhookEvent, WebhookVerifier
from ._webhook_receiver import LIMIT, Refusal, receive

__all__ = ["webhook"]


def webhook(
    verifier: WebhookVerifier, *, accept_unsigned: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Returns a decorator for a view. The view receives the request, the event and the URL's arguments.

    The view may be a coroutine function, and may return None for an empty response with status 200. It is
    called only for verified deliveries, and without a CSRF token: the signature replaces it.

    The decorator responds to other deliveries:

    - 200: the probe that JustCall sends when a URL is saved, and a delivery that `replay_check` has seen
    - 401: any other delivery that failed verification
    - 405: a method other than POST
    - 413: a body larger than 1 MiB

    The response body is the name of the error. Its message goes to the logger `justcall_auth.webhook`. An
    error that is not a fault of the delivery is raised, for example if a source cannot be read.

    The body is read once, before the view is called: it is the event's `body`, and `request.body` cannot be
    read again. Under WSGI Django reads a body without `Content-Length` as empty.

    Args:
        verifier: It verifies the deliveries.
        accept_unsigned: Whether unsigned deliveries get the status 200, which the probe needs: JustCall saves
            a URL only then. With False they get 401. Set it to False after the URL is saved: if a proxy
            strips the signature's headers, JustCall would otherwise take each lost delivery for handled.
            Unsigned deliveries are always logged as a warning and counted, in `verifier.usage`, as the result
            `webhook_unsigned`.

    """

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(view):

            @functools.wraps(view)
            async def receiver(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                event = await sync_to_async(_receive)(verifier, request, accept_unsigned)
                if isinstance(event, HttpResponse):
                    return event
                return _response(await view(request, event, *args, **kwargs))

        else:

            @functools.wraps(view)
            def receiver(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                event = _receive(verifier, request, accept_unsigned)
                if isinstance(event, HttpResponse):
                    return event
                return _response(view(request, event, *args, **kwargs))

        exempt: Callable[..., Any] = csrf_exempt(receiver)
        return exempt

    return decorate


def _receive(
    verifier: WebhookVerifier, request: HttpRequest, accept_unsigned: bool
) -> Union[WebhookEvent, HttpResponse]:
    """Returns the event, or the response to a refused delivery."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    event = receive(verifier, request.headers, _body(request), accept_unsigned)
    if isinstance(event, Refusal):
        return HttpResponse(event.text, status=event.status, content_type="text/plain")
    return event


def _body(request: HttpRequest) -> Optional[bytes]:
    """Returns the body of the request; None if it is too large."""
    body = bytearray()
    while len(body) <= LIMIT:
        piece = request.read(LIMIT + 1 - len(body))
        if not piece:
            return bytes(body)
        body += piece
    return None


def _response(result: Any) -> Any:
    return HttpResponse() if result is None else result
