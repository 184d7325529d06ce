"""Webhooks in Django: a decorator that verifies a delivery and gives the event to the view.

The body of a delivery is not signed (see `WebhookEvent`): before you act on what it says, fetch the object
again through the API. ::

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
from ._webhook_receiver import LIMIT, Answer, receive

__all__ = ["webhook"]


def webhook(
    verifier: WebhookVerifier, *, accept_unsigned: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator for a view: it is called with the request, the `WebhookEvent`, and what the URL gives.

    The view may be a coroutine function, and may return `None` for an empty answer of status 200. It is
    called for verified deliveries only, and without a CSRF token: the signature stands in for that.

    The probe that JustCall sends when a URL is saved is answered 200, as is what the verifier's
    `replay_check` has seen; another method than POST 405, a body longer than 1 MiB 413, a delivery that
    cannot be read 400, one with a wrong or stale signature 401, one for another URL 403. The answer's body
    is the name of the error; its message goes to the logger `justcall_auth.webhook`. What is no fault of
    the delivery is raised, such as a source that cannot be read.

    `accept_unsigned` is whether what is not signed is answered 200, as the probe must be: JustCall saves a
    URL only then. With False it is answered 401. Switch it off once the URL is saved: behind a proxy that
    strips the signature's headers, JustCall would take each lost delivery for handled. Either way it is
    logged as a warning and counted, in `verifier.usage`, as the result `webhook_unsigned`.

    The body is read once, before the view: it is the event's `body`, and `request.body` cannot be read
    again. Under WSGI Django takes a body without `Content-Length` for an empty one.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(view):

            @functools.wraps(view)
            async def receiver(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                event = await sync_to_async(_receive)(verifier, request, accept_unsigned)
                if isinstance(event, HttpResponse):
                    return event
                return _answered(await view(request, event, *args, **kwargs))

        else:

            @functools.wraps(view)
            def receiver(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                event = _receive(verifier, request, accept_unsigned)
                if isinstance(event, HttpResponse):
                    return event
                return _answered(view(request, event, *args, **kwargs))

        exempt: Callable[..., Any] = csrf_exempt(receiver)
        return exempt

    return decorate


def _receive(
    verifier: WebhookVerifier, request: HttpRequest, accept_unsigned: bool
) -> Union[WebhookEvent, HttpResponse]:
    """The event, or the answer to what is none."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    event = receive(verifier, request.headers, _body(request), accept_unsigned)
    if isinstance(event, Answer):
        return HttpResponse(event.text, status=event.status, content_type="text/plain")
    return event


def _body(request: HttpRequest) -> Optional[bytes]:
    """The body of the request; `None` if it is too long."""
    body = bytearray()
    while len(body) <= LIMIT:
        piece = request.read(LIMIT + 1 - len(body))
        if not piece:
            return bytes(body)
        body += piece
    return None


def _answered(answer: Any) -> Any:
    return HttpResponse() if answer is None else answer
