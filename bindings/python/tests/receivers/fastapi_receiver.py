"""A receiver in FastAPI; a handler is a coroutine function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import common
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from justcall_auth.starlette import webhook

if TYPE_CHECKING:
    from justcall_auth import WebhookEvent

app = FastAPI()
application = common.counting_asgi(app)


@app.get("/report")
def report() -> Any:
    return common.report()


@app.post("/hooks/justcall")
@webhook(common.verifier)
async def justcall(event: WebhookEvent) -> Any:
    common.handle(event)
    if event.type == "call.updated":
        response = await run_in_threadpool(event.confirm, common.client)
        return {"name": "justcall", "confirmed": response.json()["data"]["id"]}
    return None
