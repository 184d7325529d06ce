"""Webhooks in Flask: a decorator that verifies a delivery and passes the event to the view.

The body of a delivery is not signed (see `WebhookEvent`). Before you act on the body, fetch the object
through the API. ::

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
from ._webhook_receiver import LIMIT, Refusal, receive

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
else:
    # Flask's type refers to types that exist only for type checkers, so it cannot be resolved at run time.
    ResponseReturnValue = Any

__all__ = ["webhook"]

_View = Union[
    Callable[..., Optional[ResponseReturnValue]], Callable[..., Awaitable[Optional[ResponseReturnValue]]]
]
_Receiver = Callable[..., ResponseReturnValue]


def webhook(verifier: WebhookVerifier, *, accept_unsigned: bool = True) -> Callable[[_View], _Receiver]:
    """Returns a decorator for a view. The view receives the `WebhookEvent`, then the arguments of the route.

    The view may be a coroutine function, and may return None for an empty response with status 200. It is
    called only for verified deliveries.

    The decorator responds to other deliveries:

    - 200: the probe that JustCall sends when a URL is saved, and a delivery that `replay_check` has seen
    - 401: any other delivery that failed verification
    - 413: a body larger than 1 MiB

    The response body is the name of the error. Its message goes to the logger `justcall_auth.webhook`. An
    error that is not a fault of the delivery is raised, for example if a source cannot be read.

    The body is read once, before the view is called: it is the event's `body`.

    Args:
        verifier: It verifies the deliveries.
        accept_unsigned: Whether unsigned deliveries get the status 200, which the probe needs: JustCall saves
            a URL only then. With False they get 401. Set it to False after the URL is saved: if a proxy
            strips the signature's headers, JustCall would otherwise take each lost delivery for handled.
            Unsigned deliveries are always logged as a warning and counted, in `verifier.usage`, as the result
            `webhook_unsigned`.

    """

    def decorate(view: _View) -> _Receiver:
        @functools.wraps(view)
        def receiver(*args: Any, **kwargs: Any) -> Any:
            event = receive(verifier, flask.request.headers, _body(), accept_unsigned)
            if isinstance(event, Refusal):
                return flask.Response(event.text, event.status, mimetype="text/plain")
            result = flask.current_app.ensure_sync(view)(event, *args, **kwargs)
            return "" if result is None else result

        return receiver

    return decorate


def _body() -> Optional[bytes]:
    """Returns the body of the request; None if it is too large."""
    length = flask.request.content_length
    if length is None:
        # The body is chunked, or there is none.
        body = flask.request.stream.read(LIMIT + 1)
        return body if len(body) <= LIMIT else None
    # Another part of the program may have read the body before; `get_data` returns the cached copy.
    return flask.request.get_data() if length <= LIMIT else None
