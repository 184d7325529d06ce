"""Receives a genuine webhook and a forged one in the framework that the argument names. Prints both responses."""

import asyncio
import datetime
import hashlib
import hmac
import io
import json
import logging
import sys
import urllib.parse
import wsgiref.util

import justcall_auth

logging.disable()
SECRET = "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb"
URL = "https://example.com/hooks/justcall"
verifier = justcall_auth.WebhookVerifier([SECRET], url=URL)
now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
message = f"{SECRET}|{urllib.parse.quote(URL, safe='')}|call.completed|{now}"
genuine = hmac.new(SECRET.encode(), message.encode(), hashlib.sha256).hexdigest()
body = json.dumps({"type": "call.completed", "webhook_url": URL, "request_id": "1", "data": {}}).encode()


def headers(signature):
    return {
        "x-justcall-signature": signature,
        "x-justcall-signature-version": "v1",
        "x-justcall-request-timestamp": now,
    }


def flask(signature):
    import flask

    from justcall_auth.flask import webhook

    app = flask.Flask("receiver")
    app.post("/")(webhook(verifier)(lambda event: event.type))
    sent = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers(signature).items()}
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), **sent}
    wsgiref.util.setup_testing_defaults(environ)
    statuses = []
    text = b"".join(app(environ, lambda status, headers, info=None: statuses.append(status)))
    return int(statuses[0].split()[0]), text.decode()


def django(signature):
    from django.conf import settings
    from django.http import HttpResponse
    from django.test import RequestFactory

    from justcall_auth.django import webhook

    if not settings.configured:
        settings.configure()
    sent = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers(signature).items()}
    request = RequestFactory().post("/", data=body, content_type="application/json", **sent)
    response = webhook(verifier)(lambda request, event: HttpResponse(event.type))(request)
    return response.status_code, response.content.decode()


def starlette(signature):
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    from justcall_auth.starlette import webhook

    endpoint = webhook(verifier)(lambda event: PlainTextResponse(event.type))
    app = Starlette(routes=[Route("/", endpoint, methods=["POST"])])
    sent = [(name.encode(), value.encode()) for name, value in headers(signature).items()]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": sent, "query_string": b"", "root_path": ""}
    messages = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        messages.append(message)

    asyncio.run(app(scope, receive, send))
    return messages[0]["status"], b"".join(message.get("body", b"") for message in messages).decode()


send = globals()[sys.argv[1]]
print(", ".join("{} {}".format(*send(signature)) for signature in (genuine, "0" * 64)))
