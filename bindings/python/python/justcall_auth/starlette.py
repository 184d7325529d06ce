"""Webhooks in Starlette and FastAPI: a decorator that verifies a delivery and passes the event to a handler.

The body of a delivery is not signed (see `WebhookEvent`). Before you act on the body, fetch the object
through the API. ::

    client = justcall_auth.Client()
    verifier = justcall_auth.WebhookVerifier(client, url="https://example.com/hooks/justcall")

    @app.post("/hooks/justcall")  # FastAPI
    @justcall_auth.starlette.webhook(verifier)
    def justcall(event):
        if event.type == "call.completed":
            call = event.confirm(client).json()["data"]

In Starlette the decorated handler is the endpoint of a `Route` with `methods=["POST"]`. In FastAPI a
dependency does the same::

    Verified = Annotated[WebhookEvent, Depends(justcall_auth.starlette.webhook_event(verifier))]

    @app.post("/hooks/justcall")
    def justcall(event: Verified): ...

`confirm` blocks: call it in a handler that is a plain function, which runs in a thread. In a coroutine
function write `await run_in_threadpool(event.confirm, client)`.
"""

import functools
import inspect
import typing
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Optional, Union

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from ._native import WebhookEvent, WebhookVerifier
from ._webhook_receiver import LIMIT, Refusal, receive

__all__ = ["webhook", "webhook_event"]

_Handler = Callable[..., Any]
_Endpoint = Callable[..., Coroutine[Any, Any, Any]]


def webhook(verifier: WebhookVerifier, *, accept_unsigned: bool = True) -> Callable[[_Handler], _Endpoint]:
    """Returns a decorator for a handler, which receives the `WebhookEvent`.

    A coroutine function runs in the event loop. A plain function runs in a thread, where it may block. The
    handler returns a `Response`, None for an empty response with status 200, or a value to send as JSON. It
    is called only for verified deliveries.

    The event is passed as the parameter with the annotation `WebhookEvent`, otherwise as the first one. In
    FastAPI the other parameters are those of any handler: path parameters, `Depends`, `BackgroundTasks`,
    `Request`. FastAPI resolves all of them for refused deliveries too; use `webhook_event` to prevent that.
    In Starlette a parameter may have the name of a path parameter, or the annotation `Request`.

    The decorator responds to other deliveries:

    - 200: the probe that JustCall sends when a URL is saved, and a delivery that `replay_check` has seen
    - 401: any other delivery that failed verification
    - 413: a body larger than 1 MiB

    The response body is the name of the error. Its message goes to the logger `justcall_auth.webhook`. An
    error that is not a fault of the delivery is raised, for example if a source cannot be read.

    The body is read once, before the handler is called: it is the event's `body`. Deliveries are verified in
    a thread, because a client may have to read its source first and a `replay_check` may block.

    Args:
        verifier: It verifies the deliveries.
        accept_unsigned: Whether unsigned deliveries get the status 200, which the probe needs: JustCall saves
            a URL only then. With False they get 401. Set it to False after the URL is saved: if a proxy
            strips the signature's headers, JustCall would otherwise take each lost delivery for handled.
            Unsigned deliveries are always logged as a warning and counted, in `verifier.usage`, as the result
            `webhook_unsigned`.

    """

    def decorate(handler: _Handler) -> _Endpoint:
        signature = _signature(handler)
        name = _event_name(signature)

        @functools.wraps(handler)
        async def endpoint(*args: Any, **kwargs: Any) -> Any:
            if not args:
                # FastAPI called `received` for the event before.
                event = kwargs.pop(name)
                if isinstance(event, Refusal):
                    return _refusal(event)
                result = await _call(handler, event, name, kwargs)
                return Response() if result is None else result
            # Starlette passes the request. The endpoint may be a method, whose first argument is its object.
            *owner, request = args
            event = await _receive(verifier, request, accept_unsigned)
            if isinstance(event, Refusal):
                return _refusal(event)
            others = _others(signature, name, request)
            result = await _call(functools.partial(handler, *owner), event, name, others)
            if isinstance(result, Response):
                return result
            return Response() if result is None else JSONResponse(result)

        async def received(request: Request) -> Any:
            return await _receive(verifier, request, accept_unsigned)

        # FastAPI passes the arguments that the signature of an endpoint lists.
        vars(endpoint)["__signature__"] = _depending(signature, name, received)
        return endpoint

    return decorate


def webhook_event(
    verifier: WebhookVerifier, *, accept_unsigned: bool = True
) -> Callable[[Request], Coroutine[Any, Any, WebhookEvent]]:
    """Returns a FastAPI dependency whose value is the `WebhookEvent`: `Depends(webhook_event(verifier))`.

    For a refused delivery the dependency raises an `HTTPException` with the status of the decorator
    `webhook`, before later dependencies and the handler are called. Its `detail` is the name of the error.
    The handler is called only for verified deliveries.

    The body is read once, before the handler is called: it is the event's `body`.

    Args:
        verifier: It verifies the deliveries.
        accept_unsigned: As for `webhook`, so the status for a probe is 200 by default.

    """
    return _Dependency(verifier, accept_unsigned)


@dataclass(frozen=True)
class _Dependency:
    """A comparable dependency: FastAPI calls equal ones once for each request. A second call has no body."""

    verifier: WebhookVerifier
    accept_unsigned: bool

    async def __call__(self, request: Request) -> WebhookEvent:
        event = await _receive(self.verifier, request, self.accept_unsigned)
        if isinstance(event, Refusal):
            raise HTTPException(event.status, event.text)
        return event


async def _receive(
    verifier: WebhookVerifier, request: Request, accept_unsigned: bool
) -> Union[WebhookEvent, Refusal]:
    """Returns the event, or the response to a refused delivery."""
    body = await _body(request)
    return await run_in_threadpool(receive, verifier, request.headers.raw, body, accept_unsigned)


async def _body(request: Request) -> Optional[bytes]:
    """Returns the body of the request; None if it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LIMIT:
            return None
    return bytes(body)


def _refusal(refusal: Refusal) -> Response:
    return PlainTextResponse(refusal.text, refusal.status)


async def _call(handler: _Handler, event: WebhookEvent, name: str, others: dict[str, Any]) -> Any:
    """Calls the handler with the event, as the parameter `name`, and the others. Returns its result."""
    first = next(iter(inspect.signature(handler).parameters.values()))
    if first.name == name and first.kind is not inspect.Parameter.KEYWORD_ONLY:
        call = functools.partial(handler, event, **others)
    else:
        call = functools.partial(handler, **{name: event}, **others)
    if inspect.iscoroutinefunction(handler):
        return await call()
    result = await run_in_threadpool(call)
    # The handler may be an object whose `__call__` is a coroutine function.
    return await result if inspect.isawaitable(result) else result


def _signature(handler: _Handler) -> inspect.Signature:
    """Returns the signature of the handler. Annotations are resolved as far as its module knows them."""
    signature = inspect.signature(handler)
    known = getattr(inspect.unwrap(handler), "__globals__", {})

    def found(parameter: inspect.Parameter) -> inspect.Parameter:
        annotations = SimpleNamespace(__annotations__={"it": parameter.annotation})
        try:
            hints = typing.get_type_hints(annotations, known, include_extras=True)
        except (NameError, TypeError):
            # The annotation exists only for type checkers, or is newer than this Python.
            return parameter
        return parameter.replace(annotation=hints["it"])

    return signature.replace(parameters=[found(parameter) for parameter in signature.parameters.values()])


def _event_name(signature: inspect.Signature) -> str:
    """Returns the name of the parameter for the event."""
    parameters = signature.parameters.values()
    annotated = [one.name for one in parameters if one.annotation in (WebhookEvent, "WebhookEvent")]
    named = [*annotated, *(one.name for one in parameters if one.name != "self")]
    if not named:
        raise TypeError("a webhook handler must have a parameter for the event")
    return named[0]


def _depending(signature: inspect.Signature, name: str, dependency: Callable[..., Any]) -> inspect.Signature:
    """Returns the signature with the event as a FastAPI dependency; unchanged without FastAPI."""
    try:
        from fastapi import Depends
    except ImportError:
        return signature
    event = inspect.Parameter(
        name,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        annotation=typing.Annotated[WebhookEvent, Depends(dependency)],
    )
    # The event comes first, because FastAPI calls dependencies in their order.
    others = [
        one
        for one in signature.parameters.values()
        if one.name != name and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]
    return signature.replace(parameters=[event, *others])


def _others(signature: inspect.Signature, name: str, request: Request) -> dict[str, Any]:
    """Returns the handler's other arguments by name, which Starlette does not resolve."""
    others = {}
    for parameter in signature.parameters.values():
        if parameter.name == name:
            continue
        if parameter.name in request.path_params:
            others[parameter.name] = request.path_params[parameter.name]
        elif parameter.annotation in (Request, "Request"):
            others[parameter.name] = request
    return others
