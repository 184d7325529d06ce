"""The WSGI application under gevent: calls run in gevent's thread pool."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import gevent
from app import client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


# [snippet]
def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Responds with the status of a call. A call on the hub's own thread would block all greenlets."""
    response = gevent.get_hub().threadpool.apply(client.get, ("/v2.1/echo",))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{response.http_status} {os.getpid()} {environ.get('wsgi.multithread')}".encode()]


# [/snippet]
