"""Webhooks in Starlette and FastAPI: verifies a delivery and gives the event to a handler.

The body of a delivery is not signed (see `WebhookEvent`): before you act on what it says, fetch the object
again through the API. ::

    client = justcall_auth.Client()
    verifier = justcall_auth.WebhookVerifier(client, url="https://example.com/hooks/justcall")

    @app.post("/hooks/justcall")  # FastAPI
    @justcall_auth.starlette.webhook(verifier)
    def justcall(event):
        if event.type == "call.completed":
            call = event.confirm(client).json()["data"]

In Starlette what the decorator gives is the endpoint of a `Route` with `methods=["POST"]`. In FastAPI a
dependency does the same::

    Verified = Annotated[WebhookEvent, Depends(justcall_auth.starlette.webhook_event(verifier))]

    @app.post("/hooks/justcall")
    def justcall(event: Verified): ...

`confirm` blocks: call it in a function, which runs in a thread. A coroutine function writes
`await run_in_threadpool(event.confirm, client)`.
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
from ._webhook_receiver import LIMIT, Answer, receive

__all__ = ["webhook", "webhook_event"]

_Handler = Callable[..., Any]
_Endpoint = Callable[..., Coroutine[Any, Any, Any]]


def webhook(verifier: WebhookVerifier, *, accept_unsigned: bool = True) -> Callable[[_Handler], _Endpoint]:
    """A decorator for a handler: it is called with the `WebhookEvent`.

    The handler may be a coroutine function; another is run in a thread, where it may wait. It returns a
    `Response`, `None` for an empty answer of status 200, or what is to be answered in JSON. It is called
    for verified deliveries only.

    The event is the parameter annotated so, else the first one. In FastAPI the others are those of any
    handler: path parameters, `Depends`, `BackgroundTasks`, `Request`; FastAPI finds the values of all of
    them for refused deliveries too, so take `webhook_event` where that must not be. In Starlette a parameter
    may have the name of a path parameter, or be annotated as the `Request`.

    The probe that JustCall sends when a URL is saved is answered 200, as is what the verifier's
    `replay_check` has seen; a body longer than 1 MiB 413, a delivery that cannot be read 400, one with a
    wrong or stale signature 401, one for another URL 403. The answer's body is the name of the error; its
    message goes to the logger `justcall_auth.webhook`. What is no fault of the delivery is raised, such as
    a source that cannot be read.

    `accept_unsigned` is whether what is not signed is answered 200, as the probe must be: JustCall saves a
    URL only then. With False it is answered 401. Switch it off once the URL is saved: behind a proxy that
    strips the signature's headers, JustCall would take each lost delivery for handled. Either way it is
    logged as a warning and counted, in `verifier.usage`, as the result `webhook_unsigned`.

    The body is read once, before the handler: it is the event's `body`. Deliveries are verified in a
    thread: a client may have to read its source first, and a `replay_check` may wait.
    """

    def decorate(handler: _Handler) -> _Endpoint:
        signature = _signature(handler)
        name = _event_name(signature)

        @functools.wraps(handler)
        async def endpoint(*args: Any, **kwargs: Any) -> Any:
            if not args:
                # FastAPI, which has called `received` for the event.
                event = kwargs.pop(name)
                if isinstance(event, Answer):
                    return _refusal(event)
                answer = await _call(handler, event, name, kwargs)
                return Response() if answer is None else answer
            # Starlette, whose endpoint may be a method.
            *owner, request = args
            event = await _receive(verifier, request, accept_unsigned)
            if isinstance(event, Answer):
                return _refusal(event)
            others = _others(signature, name, request)
            answer = await _call(functools.partial(handler, *owner), event, name, others)
            if isinstance(answer, Response):
                return answer
            return Response() if answer is None else JSONResponse(answer)

        async def received(request: Request) -> Any:
            return await _receive(verifier, request, accept_unsigned)

        # FastAPI gives an endpoint what its signature asks for.
        vars(endpoint)["__signature__"] = _depending(signature, name, received)
        return endpoint

    return decorate


def webhook_event(
    verifier: WebhookVerifier, *, accept_unsigned: bool = True
) -> Callable[[Request], Coroutine[Any, Any, WebhookEvent]]:
    """A dependency for FastAPI that gives the `WebhookEvent`: `Depends(webhook_event(verifier))`.

    What the decorator `webhook` answers, this raises as an `HTTPException` of the same status, before the
    handler and the dependencies after this one are called. Its `detail` is the name of the error. The status
    of a probe is 200 there too, unless `accept_unsigned` is False as of `webhook`. The handler is called for
    verified deliveries only.

    The body is read once, before the handler: it is the event's `body`.
    """
    return _Dependency(verifier, accept_unsigned)


@dataclass(frozen=True)
class _Dependency:
    """FastAPI asks equal dependencies once for each request; asked twice, this would find no body."""

    verifier: WebhookVerifier
    accept_unsigned: bool

    async def __call__(self, request: Request) -> WebhookEvent:
        event = await _receive(self.verifier, request, self.accept_unsigned)
        if isinstance(event, Answer):
            raise HTTPException(event.status, event.text)
        return event


async def _receive(
    verifier: WebhookVerifier, request: Request, accept_unsigned: bool
) -> Union[WebhookEvent, Answer]:
    """The event, or the answer to what is none."""
    body = await _body(request)
    return await run_in_threadpool(receive, verifier, request.headers.raw, body, accept_unsigned)


async def _body(request: Request) -> Optional[bytes]:
    """The body of the request; `None` if it is too long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LIMIT:
            return None
    return bytes(body)


def _refusal(answer: Answer) -> Response:
    return PlainTextResponse(answer.text, answer.status)


async def _call(handler: _Handler, event: WebhookEvent, name: str, others: dict[str, Any]) -> Any:
    """What the handler returns for the event, whose parameter has this name, and the others."""
    first = next(iter(inspect.signature(handler).parameters.values()))
    if first.name == name and first.kind is not inspect.Parameter.KEYWORD_ONLY:
        call = functools.partial(handler, event, **others)
    else:
        call = functools.partial(handler, **{name: event}, **others)
    if inspect.iscoroutinefunction(handler):
        return await call()
    answer = await run_in_threadpool(call)
    # An object whose `__call__` is a coroutine function, for one.
    return await answer if inspect.isawaitable(answer) else answer


def _signature(handler: _Handler) -> inspect.Signature:
    """The signature of the handler, with its annotations looked up as far as they are known where it is."""
    signature = inspect.signature(handler)
    known = getattr(inspect.unwrap(handler), "__globals__", {})

    def found(parameter: inspect.Parameter) -> inspect.Parameter:
        annotations = SimpleNamespace(__annotations__={"it": parameter.annotation})
        try:
            hints = typing.get_type_hints(annotations, known, include_extras=True)
        except (NameError, TypeError):
            # For type checkers alone, or newer than this Python.
            return parameter
        return parameter.replace(annotation=hints["it"])

    return signature.replace(parameters=[found(parameter) for parameter in signature.parameters.values()])


def _event_name(signature: inspect.Signature) -> str:
    """The name of the parameter that takes the event."""
    parameters = signature.parameters.values()
    annotated = [one.name for one in parameters if one.annotation in (WebhookEvent, "WebhookEvent")]
    named = [*annotated, *(one.name for one in parameters if one.name != "self")]
    if not named:
        raise TypeError("the handler of a webhook takes the event")
    return named[0]


def _depending(signature: inspect.Signature, name: str, dependency: Callable[..., Any]) -> inspect.Signature:
    """The signature in which the event is what `dependency` gives, for FastAPI, if it is there."""
    try:
        from fastapi import Depends
    except ImportError:
        return signature
    event = inspect.Parameter(
        name,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        annotation=typing.Annotated[WebhookEvent, Depends(dependency)],
    )
    # The event comes first, for FastAPI calls dependencies in their order.
    others = [
        one
        for one in signature.parameters.values()
        if one.name != name and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]
    return signature.replace(parameters=[event, *others])


def _others(signature: inspect.Signature, name: str, request: Request) -> dict[str, Any]:
    """What the handler takes beside the event, by name: in Starlette nothing else finds it."""
    others = {}
    for parameter in signature.parameters.values():
        if parameter.name == name:
            continue
        if parameter.name in request.path_params:
            others[parameter.name] = request.path_params[parameter.name]
        elif parameter.annotation in (Request, "Request"):
            others[parameter.name] = request
    return others
