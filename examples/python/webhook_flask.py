"""Receives webhooks: gunicorn 'webhook_flask:create_app("https://example.com/hooks/justcall")'."""

from __future__ import annotations

import flask

import justcall_auth
from justcall_auth.flask import webhook


def create_app(
    url: str, source: str = "default:", base_url: str | None = None, ca_file: str | None = None
) -> flask.Flask:
    """An application with one endpoint, which is registered in JustCall as `url`."""
    app = flask.Flask(__name__)
    client = justcall_auth.Client(source, base_url=base_url, ca_file=ca_file)
    # What signs webhooks is the API secret, of which the client knows: there is no other.
    verifier = justcall_auth.WebhookVerifier(client, url=url)

    @app.post("/hooks/justcall")
    @webhook(verifier)
    def justcall(event: justcall_auth.WebhookEvent) -> None:
        if event.type == "call.completed":
            # The body is not signed: what the API says is true, what the body says may not be.
            call = event.confirm(client).json()["data"]
            print(
                "completed:", call["contact_number"], call["call_duration"]["total_duration"], "s", flush=True
            )

    return app
