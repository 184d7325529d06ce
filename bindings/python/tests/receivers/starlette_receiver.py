"""A receiver in Starlette; a handler is a function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import common
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from justcall_auth.starlette import webhook

if TYPE_CHECKING:
    from starlette.requests import Request

    from justcall_auth import WebhookEvent


async def report(_: Request) -> Response:
    return JSONResponse(common.report())


@webhook(common.verifier)
def justcall(event: WebhookEvent) -> Response:
    common.handle(event)
    if event.type == "call.updated":
        confirmed = event.confirm(common.client).json()["data"]["id"]
        return JSONResponse({"name": "justcall", "confirmed": confirmed})
    return Response()


app = Starlette(routes=[Route("/report", report), Route("/hooks/justcall", justcall, methods=["POST"])])
application = common.counting_asgi(app)
