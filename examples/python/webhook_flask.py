"""Receives webhooks: gunicorn 'webhook_flask:create_app("https://example.com/hooks/justcall")'."""

from __future__ import annotations

import flask

import justcall_auth
from justcall_auth.flask import webhook


def create_app(
    url: str, source: str = "default:", base_url: str | None = None, ca_file: str | None = None
) -> flask.Flask:
    """Creates an application with one endpoint, which is registered in JustCall as `url`."""
    app = flask.Flask(__name__)
    client = justcall_auth.Client(source, base_url=base_url, ca_file=ca_file)
    # JustCall signs webhooks with the API secret, which the client has. There is no separate webhook secret.
    verifier = justcall_auth.WebhookVerifier(client, url=url)

    @app.post("/hooks/justcall")
    # [snippet short]
    @webhook(verifier)
    def justcall(event: justcall_auth.WebhookEvent) -> None:
        if event.type == "call.completed":
            call = event.confirm(client).json()["data"]  # from the API: the body is not signed
            # [/snippet short]
            seconds = call["call_duration"]["total_duration"]
            print("completed:", call["contact_number"], seconds, "s", flush=True)

    return app
