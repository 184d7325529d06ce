"""Starlette and FastAPI: parameters of handlers, and calls for refused deliveries."""

import ast
import asyncio
import functools
import inspect
import json
import re
import threading
import time
from typing import Annotated, Any, Optional

import pytest
from fastapi import APIRouter, BackgroundTasks, Body, Depends, FastAPI
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import justcall_auth.django
import justcall_auth.flask
import justcall_auth.starlette
from justcall_auth import WebhookEvent, WebhookVerifier
from justcall_auth.starlette import webhook, webhook_event
from support import ROOT
from webhooks import SECRET, URL, body, headers, results, signature

REFUSED = {
    "mismatch": (401, "webhook_mismatch", {"x-justcall-signature": "0" * 64}),
    "stale": (401, "webhook_stale", {"x-justcall-request-timestamp": "1711040902"}),
    "version": (401, "webhook_version", {"x-justcall-signature-version": "v2"}),
    "probe": (200, "webhook_unsigned", dict.fromkeys(headers())),
}
"""Refused deliveries: the status, the name of the error, and the changed headers."""


def verifier(**settings: Any) -> WebhookVerifier:
    return WebhookVerifier(SECRET, **{"url": URL, **settings})


async def delivered(
    app: Any, path: str = "/hooks", changed: Any = (), content: Optional[bytes] = None
) -> tuple[int, str]:
    """Returns status and body of the response to a delivery, which is genuine unless a header is changed."""
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    signed = signature(timestamp=moment)
    if "x-justcall-request-timestamp" in changed:
        signed = signature(timestamp=changed["x-justcall-request-timestamp"])
    sent = {"content-type": "application/json", **headers(signed, moment), **dict(changed)}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items() if value is not None],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    messages = [{"type": "http.request", "body": body() if content is None else content, "more_body": False}]
    response: list[Any] = []

    async def receive() -> Any:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        response.append(message)

    await app(scope, receive, send)
    text = b"".join(message.get("body", b"") for message in response).decode()
    return response[0]["status"], text


def deliver(
    app: Any, path: str = "/hooks", changed: Any = (), content: Optional[bytes] = None
) -> tuple[int, Any]:
    """Does the same in tests that are not coroutines."""
    return asyncio.run(delivered(app, path, changed, content))


def fastapi_with(endpoint: Any, path: str = "/hooks") -> FastAPI:
    app = FastAPI()
    app.add_api_route(path, endpoint, methods=["POST"])
    return app


def connection() -> str:
    """A substitute for a connection to a database."""
    return "connected"


def asked_plainly(
    event: WebhookEvent,
    office: int,
    tasks: BackgroundTasks,
    request: Request,
    database: str = Depends(connection),
    flag: bool = False,
) -> Any:
    tasks.add_task(DONE.append, office)
    return [event.type, office, request.url.path, database, flag]


async def asked_in_a_coroutine(
    event: WebhookEvent,
    office: int,
    tasks: BackgroundTasks,
    request: Request,
    database: Annotated[str, Depends(connection)],
    flag: bool = False,
) -> Any:
    return asked_plainly(event, office, tasks, request, database, flag)


def asked_by_name(
    *,
    office: int,
    tasks: BackgroundTasks,
    request: Request,
    database: str = Depends(connection),
    flag: bool = False,
    event: WebhookEvent,
) -> Any:
    return asked_plainly(event, office, tasks, request, database, flag)


def asked_last(
    office: int,
    tasks: BackgroundTasks,
    request: Request,
    event: WebhookEvent,
    database: str = Depends(connection),
    flag: bool = False,
) -> Any:
    return asked_plainly(event, office, tasks, request, database, flag)


DONE: list[int] = []
"""The background tasks that ran after the response."""

HANDLERS = [asked_plainly, asked_in_a_coroutine, asked_by_name, asked_last]


@pytest.fixture(autouse=True)
def _nothing_is_done() -> None:
    DONE.clear()


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
def test_a_fastapi_handler_may_have_any_parameter_of_fastapi(handler: Any) -> None:
    app = fastapi_with(webhook(verifier())(handler), "/hooks/{office}")
    status, text = deliver(app, "/hooks/7")
    assert (status, json.loads(text)) == (200, ["call.completed", 7, "/hooks/7", "connected", False])
    assert DONE == [7]


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
@pytest.mark.parametrize("refused", REFUSED)
def test_a_refused_delivery_calls_no_fastapi_handler(handler: Any, refused: str) -> None:
    status, name, changed = REFUSED[refused]
    app = fastapi_with(webhook(verifier())(handler), "/hooks/{office}")
    assert deliver(app, "/hooks/7", changed) == (status, name)
    assert DONE == []


def test_a_fastapi_handler_may_take_only_the_event_without_an_annotation() -> None:
    events: list[WebhookEvent] = []

    def handler(event):  # type: ignore[no-untyped-def]
        events.append(event)

    def any_arguments(*args: Any, **kwargs: Any) -> None:
        events.append(*args, **kwargs)

    handlers: list[Any] = [handler, any_arguments, events.append, functools.partial(any_arguments)]
    for one in handlers:
        assert deliver(fastapi_with(webhook(verifier())(one))) == (200, "")
    assert [event.type for event in events] == ["call.completed"] * 4


def test_an_object_with_a_coroutine_function_is_a_handler() -> None:
    class Handler:
        async def __call__(self, event: WebhookEvent) -> str:
            return event.type

    assert deliver(fastapi_with(webhook(verifier())(Handler()))) == (200, '"call.completed"')
    starlette = Starlette(routes=[Route("/hooks", webhook(verifier())(Handler()), methods=["POST"])])
    assert deliver(starlette) == (200, '"call.completed"')


def test_the_validation_of_a_fastapi_handler_still_applies() -> None:
    @webhook(verifier())
    def handler(event: WebhookEvent, office: int) -> Any:
        raise AssertionError(event, office)

    assert deliver(fastapi_with(handler, "/hooks/{office}"), "/hooks/north")[0] == 422


def test_a_fastapi_handler_may_declare_the_body_too() -> None:
    @webhook(verifier())
    def handler(event: WebhookEvent, payload: Annotated[dict[str, Any], Body()]) -> Any:
        return [event.type, payload["data"]["id"]]

    status, text = deliver(fastapi_with(handler))
    assert (status, json.loads(text)) == (200, ["call.completed", 100042])


def test_the_decorator_keeps_the_handlers_name_signature_and_wrapped_function() -> None:
    handlers: list[Any] = [asked_plainly, asked_in_a_coroutine]
    for handler in handlers:
        decorated = webhook(verifier())(handler)
        assert inspect.unwrap(decorated) is vars(decorated)["__wrapped__"] is handler
        assert (decorated.__name__, decorated.__doc__) == (handler.__name__, handler.__doc__)
        kept, own = inspect.signature(decorated).parameters, inspect.signature(handler).parameters
        assert list(kept) == list(own)
        for name in list(own)[1:]:
            assert (kept[name].kind, kept[name].default) == (own[name].kind, own[name].default)


def test_a_handler_without_a_parameter_is_refused_when_it_is_decorated() -> None:
    with pytest.raises(TypeError, match="a parameter for the event"):
        webhook(verifier())(lambda: None)


def by_dependency(one: WebhookVerifier, calls: list[str]) -> FastAPI:
    """Returns an application whose handler gets the event from the dependency, before another dependency."""
    app = FastAPI()

    def session() -> str:
        calls.append("session")
        return "open"

    @app.post("/hooks/{office}")
    def handler(
        event: Annotated[WebhookEvent, Depends(webhook_event(one))],
        office: int,
        tasks: BackgroundTasks,
        opened: Annotated[str, Depends(session)],
    ) -> Any:
        calls.append("handler")
        tasks.add_task(calls.append, "task")
        return [event.type, office, opened]

    return app


def test_the_dependency_returns_the_event() -> None:
    calls: list[str] = []
    status, text = deliver(by_dependency(verifier(), calls), "/hooks/7")
    assert (status, json.loads(text)) == (200, ["call.completed", 7, "open"])
    assert calls == ["session", "handler", "task"]


@pytest.mark.parametrize("refused", REFUSED)
def test_the_dependency_refuses_before_the_handler_is_called(refused: str) -> None:
    status, name, changed = REFUSED[refused]
    calls: list[str] = []
    answered = deliver(by_dependency(verifier(), calls), "/hooks/7", changed)
    assert (answered[0], json.loads(answered[1])) == (status, {"detail": name})
    assert calls == []


def test_the_dependency_refuses_a_body_that_is_too_large() -> None:
    calls: list[str] = []
    one = verifier()
    long = b" " * (1024 * 1024 + 1)
    answered = deliver(by_dependency(one, calls), "/hooks/7", content=long)
    assert (answered[0], calls) == (413, [])
    assert results(one.usage) == {"webhook_malformed": 1}
    # This applies to signed and unsigned deliveries.
    answered = deliver(by_dependency(one, calls), "/hooks/7", dict.fromkeys(headers()), content=long)
    assert (answered[0], calls) == (413, [])
    assert results(one.usage) == {"webhook_malformed": 1, "webhook_unsigned": 1}


def test_a_router_and_its_handler_may_depend_on_the_same_verifier() -> None:
    """The body is read once, and a `replay_check` is called once."""
    seen: list[str] = []

    def was_seen(event: WebhookEvent) -> bool:
        seen.append(event.signature)
        return len(seen) > 1

    one = verifier(replay_check=was_seen)
    router = APIRouter(dependencies=[Depends(webhook_event(one))])

    @router.post("/hooks")
    def handler(event: Annotated[WebhookEvent, Depends(webhook_event(one))]) -> str:
        return event.type

    app = FastAPI()
    app.include_router(router)
    assert deliver(app) == (200, '"call.completed"')
    assert len(seen) == 1
    assert results(one.usage) == {"ok": 1}
    assert deliver(app, changed=dict.fromkeys(headers()))[0] == 200
    assert results(one.usage) == {"ok": 1, "webhook_unsigned": 1}


def test_a_starlette_handler_may_take_path_parameters_and_the_request() -> None:
    def handler(event: WebhookEvent, office: int, request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{event.type} {office} {request.url.path}")

    class Endpoint(HTTPEndpoint):
        @webhook(verifier())
        async def post(self, event: WebhookEvent, office: int) -> Any:
            return [type(self).__name__, event.type, office]

    app = Starlette(
        routes=[
            Route("/one/{office:int}", webhook(verifier())(handler), methods=["POST"]),
            Route("/two/{office:int}", Endpoint),
        ]
    )
    assert deliver(app, "/one/7") == (200, "call.completed 7 /one/7")
    assert deliver(app, "/two/7") == (200, '["Endpoint","call.completed",7]')
    for refused in REFUSED.values():
        status, name, changed = refused
        assert deliver(app, "/one/7", changed) == deliver(app, "/two/7", changed) == (status, name)


def test_a_handler_that_confirms_does_not_block_the_loop() -> None:
    """`confirm` blocks until the loop has run. It would block forever if it blocked the loop."""
    loop_ran = threading.Event()

    class Waiting:
        def get(self, path: str) -> str:
            assert loop_ran.wait(30), "the loop does not run"
            return path

    @webhook(verifier())
    def function(event: WebhookEvent) -> Any:
        return event.confirm(Waiting())

    @webhook(verifier())
    async def coroutine(event: WebhookEvent) -> Any:
        return await run_in_threadpool(event.confirm, Waiting())

    async def main(handler: Any) -> tuple[int, str]:
        loop_ran.clear()
        delivery = asyncio.ensure_future(delivered(fastapi_with(handler)))
        await asyncio.sleep(0.1)
        loop_ran.set()
        return await delivery

    for handler in (function, coroutine):
        assert asyncio.run(main(handler)) == (200, '"/v2.1/calls/100042"')


def handlers_of(text: str) -> list[ast.AST]:
    """Returns the functions with a decorator `webhook` in a text's Python code."""
    tree = ast.parse(text)
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and any("webhook" in ast.unparse(decorator) for decorator in node.decorator_list)
    ]


def test_no_handler_in_the_documentation_blocks_a_loop() -> None:
    """A handler that may block is a function, which the helper runs in a thread; or it uses `await`."""
    texts = [
        text
        for path in (ROOT / "bindings/python/README.md", *(ROOT / "docs/guide").glob("*.md"))
        for text in re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    ]
    texts += [path.read_text(encoding="utf-8") for path in (ROOT / "examples/python").glob("*.py")]
    for module in (justcall_auth.django, justcall_auth.flask, justcall_auth.starlette):
        blocks = re.findall(r"::\n\n((?:    .*\n|\n)+)", f"{module.__doc__}\n")
        texts += [inspect.cleandoc(block) for block in blocks]
    found = [handler for text in texts for handler in handlers_of(text)]
    assert len(found) >= 7
    for handler in found:
        awaits = any(isinstance(node, ast.Await) for node in ast.walk(handler))
        assert isinstance(handler, ast.FunctionDef) or awaits, ast.unparse(handler)


def flask_app(one: WebhookVerifier, **settings: Any) -> Any:
    import flask

    app = flask.Flask(__name__)
    app.post("/hooks")(justcall_auth.flask.webhook(one, **settings)(lambda _: None))
    return lambda sent: app.test_client().post("/hooks", headers=sent, data=body()).status_code


def fastapi_app(one: WebhookVerifier, **settings: Any) -> Any:
    app = fastapi_with(webhook(one, **settings)(lambda _: None))
    return lambda _: deliver(app, changed=dict.fromkeys(headers()))[0]


def dependency_app(one: WebhookVerifier, **settings: Any) -> Any:
    async def handler(event: Annotated[Any, Depends(webhook_event(one, **settings))]) -> None:
        raise AssertionError(event)

    app = fastapi_with(handler)
    return lambda _: deliver(app, changed=dict.fromkeys(headers()))[0]


def django_app(one: WebhookVerifier, **settings: Any) -> Any:
    import django.conf  # type: ignore[import-untyped]
    from django.test import RequestFactory  # type: ignore[import-untyped]

    if not django.conf.settings.configured:
        django.conf.settings.configure(USE_TZ=True)
    view = justcall_auth.django.webhook(one, **settings)(lambda *_: None)
    return lambda _: view(RequestFactory().post("/hooks", body(), "application/json")).status_code


@pytest.mark.parametrize("make", [flask_app, fastapi_app, dependency_app, django_app])
def test_a_delivery_without_its_signature_is_logged_and_counted_and_may_be_refused(
    make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise every genuine delivery would be lost: JustCall counts 200 as handled."""
    for settings, status in (({}, 200), ({"accept_unsigned": True}, 200), ({"accept_unsigned": False}, 401)):
        caplog.clear()
        one = verifier()
        assert make(one, **settings)({}) == status
        assert results(one.usage) == {"webhook_unsigned": 1}
        (record,) = [one for one in caplog.records if one.name == "justcall_auth.webhook"]
        assert (record.levelname, "webhook_unsigned" in record.getMessage()) == ("WARNING", True)
