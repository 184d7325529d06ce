"""A receiver in Flask: one view is a function, the other a coroutine function."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import common
import flask

from justcall_auth.flask import webhook

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from justcall_auth import WebhookEvent

app = flask.Flask(__name__)
application = common.counting_wsgi(app)


@app.get("/report")
def report() -> Any:
    return common.report()


@app.post("/hooks/<name>")
@webhook(common.verifier)
def justcall(event: WebhookEvent, name: str) -> ResponseReturnValue | None:
    common.handle(event)
    if event.type == "call.updated":
        return {"name": name, "confirmed": event.confirm(common.client).json()["data"]["id"]}
    return None


@app.post("/async/<name>")
@webhook(common.verifier)
async def coroutine(event: WebhookEvent, name: str) -> ResponseReturnValue | None:
    common.handle(event)
    if event.type == "call.updated":
        response = await asyncio.to_thread(event.confirm, common.client)
        return {"name": name, "confirmed": response.json()["data"]["id"]}
    return None
