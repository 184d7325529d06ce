"""Webhooks in Flask: a decorator that verifies a delivery and gives the event to the view.

The body of a delivery is not signed (see `WebhookEvent`): before you act on what it says, fetch the object
again through the API. ::

    client = justcall_auth.Client()
    verifier = justcall_auth.WebhookVerifier(client, url="https://example.com/hooks/justcall")

    @app.post("/hooks/justcall")
    @justcall_auth.flask.webhook(verifier)
    def justcall(event):
        if event.type == "call.completed":
            call = event.confirm(client).json()["data"]
"""

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Optional, Union

import flask

from ._native import WebhookVerifier
from ._webhook_receiver import LIMIT, Answer, receive

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
else:
    # Flask's type names others that exist for type checkers alone: nothing else could look it up.
    ResponseReturnValue = Any

__all__ = ["webhook"]

_View = Union[
    Callable[..., Optional[ResponseReturnValue]], Callable[..., Awaitable[Optional[ResponseReturnValue]]]
]
_Receiver = Callable[..., ResponseReturnValue]


def webhook(verifier: WebhookVerifier, *, accept_unsigned: bool = True) -> Callable[[_View], _Receiver]:
    """A decorator for a view: it is called with the `WebhookEvent`, then with what the route gives.

    The view may be a coroutine function, and may return `None` for an empty answer of status 200. It is
    called for verified deliveries only.

    The probe that JustCall sends when a URL is saved is answered 200, as is what the verifier's
    `replay_check` has seen; a body longer than 1 MiB 413, a delivery that cannot be read 400, one with a
    wrong or stale signature 401, one for another URL 403. The answer's body is the name of the error; its
    message goes to the logger `justcall_auth.webhook`. What is no fault of the delivery is raised, such as
    a source that cannot be read.

    `accept_unsigned` is whether what is not signed is answered 200, as the probe must be: JustCall saves a
    URL only then. With False it is answered 401. Switch it off once the URL is saved: behind a proxy that
    strips the signature's headers, JustCall would take each lost delivery for handled. Either way it is
    logged as a warning and counted, in `verifier.usage`, as the result `webhook_unsigned`.

    The body is read once, before the view: it is the event's `body`.
    """

    def decorate(view: _View) -> _Receiver:
        @functools.wraps(view)
        def receiver(*args: Any, **kwargs: Any) -> Any:
            event = receive(verifier, flask.request.headers, _body(), accept_unsigned)
            if isinstance(event, Answer):
                return flask.Response(event.text, event.status, mimetype="text/plain")
            answer = flask.current_app.ensure_sync(view)(event, *args, **kwargs)
            return "" if answer is None else answer

        return receiver

    return decorate


def _body() -> Optional[bytes]:
    """The body of the request; `None` if it is too long."""
    length = flask.request.content_length
    if length is None:
        # In chunks, or there is none.
        body = flask.request.stream.read(LIMIT + 1)
        return body if len(body) <= LIMIT else None
    # Another part of the program may have read it already, and kept it.
    return flask.request.get_data() if length <= LIMIT else None
