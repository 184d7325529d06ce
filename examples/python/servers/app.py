"""A WSGI application, an ASGI application and a Celery task that use one client for each process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import justcall_auth

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

# [snippet]
# One client, which every thread of the process uses. It is created before a fork and works in each child.
client = justcall_auth.Client(
    os.environ.get("JUSTCALL_SOURCE", "default:"),
    base_url=os.environ.get("JUSTCALL_BASE_URL"),
    ca_file=os.environ.get("JUSTCALL_CA_FILE"),
    rotation_wait=20,
)


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Responds with the status of a call, for gunicorn, uWSGI and mod_wsgi."""
    status = client.get("/v2.1/echo").http_status
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{status} {os.getpid()} {environ.get('wsgi.multithread')}".encode()]


# [/snippet]


async def asgi(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[Any]],  # noqa: ARG001 - the interface of ASGI
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Responds with the status of a call, for uvicorn. A call blocks its thread, so it runs elsewhere."""
    import asyncio

    if scope["type"] != "http":
        return
    response = await asyncio.to_thread(client.get, "/v2.1/echo")
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    body = f"{response.http_status} {os.getpid()} True".encode()
    await send({"type": "http.response.body", "body": body})
