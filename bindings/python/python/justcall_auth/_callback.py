"""Support for calls of the program's functions by the native module."""

import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

_RUNNING: Final[ContextVar[tuple[list[int], ...]]] = ContextVar("justcall_auth_running_sources", default=())
"""The source callables that are running in this context, each as a list with its number.

Tasks and greenlets that a callable starts copy the context and may outlive the callable. Its list is
therefore cleared when it returns, which all copies of the context see.
"""

_PAUSE: Final = 0.01
"""How long other greenlets run before a call that waits for one of them checks again, in seconds."""


def is_coroutine_function(function: Callable[..., object]) -> bool:
    """Returns whether the result of `function` must be awaited, or iterated over with `async for`."""
    # Imported here because it takes long, and only clients with a callable need it.
    import inspect

    call = getattr(type(function), "__call__", None)  # noqa: B004 - the method itself is inspected
    return any(
        inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one) for one in (function, call)
    )


def call_source(source: Callable[[], object], number: int) -> object:
    """Calls the source callable and returns its result. Meanwhile `is_in_source(number)` is True."""
    running = [number]
    token = _RUNNING.set((*_RUNNING.get(), running))
    try:
        return source()
    finally:
        running.clear()
        _RUNNING.reset(token)


def is_in_source(number: int) -> bool:
    """Returns whether the source callable with that number is running in this context."""
    return any(number in running for running in _RUNNING.get())


def let_greenlets_run() -> None:
    """Runs the other greenlets of this thread for a moment, if the program has any.

    Does nothing in the hub, which runs the greenlets and cannot wait for them.
    """
    gevent = sys.modules.get("gevent")
    if gevent is not None and gevent.getcurrent() is not gevent.get_hub():
        gevent.sleep(_PAUSE)
    eventlet = sys.modules.get("eventlet")
    if eventlet is not None and eventlet.getcurrent() is not eventlet.hubs.get_hub().greenlet:
        eventlet.sleep(_PAUSE)
