"""What surrounds the program's own functions while the native module calls them."""

import inspect
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

_ASKED: Final[ContextVar[tuple[list[int], ...]]] = ContextVar("justcall_auth_asked", default=())
"""The sources that the code of this context is in, each by its number in a list.

Tasks and greenlets that such code starts copy the context and may outlive the source: when it is over, its
list is emptied, in every copy.
"""

_PAUSE: Final = 0.01
"""How long other greenlets run before a call that waits for one of them looks again, in seconds."""


def is_coroutine_function(function: Callable[..., object]) -> bool:
    """Whether what the function returns has to be awaited, or iterated over by `async for`."""
    call = getattr(type(function), "__call__", None)  # noqa: B004 - not whether it can be called, but how
    return any(
        inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one) for one in (function, call)
    )


def ask(source: Callable[[], object], number: int) -> object:
    """What the source returns; meanwhile `is_asked` knows its number."""
    asked = [number]
    token = _ASKED.set((*_ASKED.get(), asked))
    try:
        return source()
    finally:
        asked.clear()
        _ASKED.reset(token)


def is_asked(number: int) -> bool:
    """Whether the code of this context is in the source of that number."""
    return any(number in asked for asked in _ASKED.get())


def let_greenlets_run() -> None:
    """Lets the other greenlets of this thread run for a moment, if the program has any.

    The hub, which runs them, cannot wait for them.
    """
    gevent = sys.modules.get("gevent")
    if gevent is not None and gevent.getcurrent() is not gevent.get_hub():
        gevent.sleep(_PAUSE)
    eventlet = sys.modules.get("eventlet")
    if eventlet is not None and eventlet.getcurrent() is not eventlet.hubs.get_hub().greenlet:
        eventlet.sleep(_PAUSE)
