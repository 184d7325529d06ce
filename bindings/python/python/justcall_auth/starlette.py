"""Webhooks in Starlette and FastAPI: a decorator that verifies a delivery and gives the event to a handler.

The body of a delivery is not signed (see `WebhookEvent`): before you act on what it says, fetch the object
again through the API. ::

    client = justcall_auth.Client()
    verifier = justcall_auth.WebhookVerifier(client, url="https://example.com/hooks/justcall")

    @app.post("/hooks/justcall")  # FastAPI
    @justcall_auth.starlette.webhook(verifier)
    def justcall(event):
        if event.type == "call.completed":
            call = event.confirm(client).json()["data"]

In Starlette what the decorator gives is the endpoint of a `Route` with `methods=["POST"]`.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Optional, Union

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from ._native import WebhookEvent, WebhookVerifier
from ._webhook_receiver import LIMIT, Answer, receive, too_large

__all__ = ["webhook"]


def webhook(
    verifier: WebhookVerifier,
) -> Callable[[Callable[[WebhookEvent], Any]], Callable[[Request], Awaitable[Response]]]:
    """A decorator for a handler: it is called with the `WebhookEvent`.

    The handler may be a coroutine function; another is run in a thread, where it may wait. It returns a
    `Response`, `None` for an empty answer of status 200, or what is to be answered in JSON. It is called
    for verified deliveries only.

    The probe that JustCall sends when a URL is saved is answered 200, as is what the verifier's
    `replay_check` has seen; a body longer than 1 MiB 413, a delivery that cannot be read 400, one with a
    wrong or stale signature 401, one for another URL 403. The answer's body is the name of the error; its
    message goes to the logger `justcall_auth.webhook`. What is no fault of the delivery is raised, such as
    a source that cannot be read.

    The body is read once, before the handler: it is the event's `body`. Deliveries are verified in a
    thread: a client may have to read its source first, and a `replay_check` may wait.
    """

    def decorate(handler: Callable[[WebhookEvent], Any]) -> Callable[[Request], Awaitable[Response]]:
        # FastAPI gives an endpoint what its signature asks for: that must be this one's, not the handler's.
        async def endpoint(request: Request) -> Response:
            body = await _body(request)
            if body is None:
                event: Union[WebhookEvent, Answer] = too_large()
            else:
                event = await run_in_threadpool(receive, verifier, request.headers.raw, body)
            if isinstance(event, Answer):
                return PlainTextResponse(event.text, event.status)
            if inspect.iscoroutinefunction(handler):
                answer = await handler(event)
            else:
                answer = await run_in_threadpool(handler, event)
            if isinstance(answer, Response):
                return answer
            return Response() if answer is None else JSONResponse(answer)

        endpoint.__name__ = getattr(handler, "__name__", "webhook")
        endpoint.__doc__ = handler.__doc__
        return endpoint

    return decorate


async def _body(request: Request) -> Optional[bytes]:
    """The body of the request; `None` if it is too long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LIMIT:
            return None
    return bytes(body)
