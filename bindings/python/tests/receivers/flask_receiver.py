"""A receiver in Flask; a view is a function."""

from __future__ import annotations

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
