"""Waiting for calls of native threads, on asyncio (also uvloop) and trio."""

import asyncio
import concurrent.futures
import sys
import weakref
from collections.abc import Awaitable, Callable
from typing import Any, Optional, Protocol

from ._native import Completions, StartedCall

Start = Callable[[Completions], StartedCall]
"""Starts a call, whose completion goes to the argument."""

_LOAD_INTERVAL = 0.2
"""How often a thread that waits for a coroutine checks whether its event loop was closed, in seconds."""


class EventLoop(Protocol):
    """A running event loop."""

    async def run(self, start: Start) -> Any:
        """Returns the result of the call, or raises its failure. A cancelled task cancels the call."""

    async def sleep(self, seconds: float) -> None:
        """Waits."""

    def run_from_thread(self, function: Callable[[], Awaitable[Any]]) -> Any:
        """Runs a coroutine function in the loop and returns its result. For other threads."""


class _AsyncioLoop:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # Weak, because the loop is the key of this object.
        self._loop = weakref.ref(loop)
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._completions = Completions()
        loop.add_reader(self._completions.fileno(), self._wake)

    async def run(self, start: Start) -> Any:
        future = asyncio.get_running_loop().create_future()
        call = start(self._completions)
        self._waiting[call.number] = future
        try:
            await future
        except BaseException:
            call.cancel()
            raise
        finally:
            del self._waiting[call.number]
        return call.result()

    def _wake(self) -> None:
        for number in self._completions.take():
            future = self._waiting.get(number)
            if future is not None and not future.done():
                future.set_result(None)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def run_from_thread(self, function: Callable[[], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            return await function()

        loop = self._loop()
        if loop is None or loop.is_closed():
            raise RuntimeError("the event loop that is to run the source was closed")
        future = asyncio.run_coroutine_threadsafe(run(), loop)
        while True:
            done, _ = concurrent.futures.wait([future], _LOAD_INTERVAL)
            if done:
                return future.result()
            if loop.is_closed():
                raise RuntimeError("the event loop was closed while it ran the source")


class _TrioLoop:
    def __init__(self) -> None:
        import trio  # type: ignore[import-not-found, unused-ignore]

        self._trio: Any = trio
        # Weak, because the token is the key of this object.
        self._token: Any = weakref.ref(trio.lowlevel.current_trio_token())
        self._waiting: dict[int, Any] = {}
        self._completions = Completions()
        trio.lowlevel.spawn_system_task(self._read)

    async def run(self, start: Start) -> Any:
        event = self._trio.Event()
        call = start(self._completions)
        self._waiting[call.number] = event
        try:
            await event.wait()
        except BaseException:
            call.cancel()
            raise
        finally:
            del self._waiting[call.number]
        return call.result()

    async def _read(self) -> None:
        while True:
            await self._trio.lowlevel.wait_readable(self._completions.fileno())
            for number in self._completions.take():
                event = self._waiting.get(number)
                if event is not None:
                    event.set()

    async def sleep(self, seconds: float) -> None:
        await self._trio.sleep(seconds)

    def run_from_thread(self, function: Callable[[], Awaitable[Any]]) -> Any:
        return self._trio.from_thread.run(function, trio_token=self._token())


_asyncio_loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, EventLoop] = weakref.WeakKeyDictionary()
_trio_loops: weakref.WeakKeyDictionary[Any, EventLoop] = weakref.WeakKeyDictionary()


def current() -> EventLoop:
    """Returns the event loop that runs the calling task. Raises `RuntimeError` if none does."""
    trio_token = _trio_token()
    if trio_token is not None:
        found = _trio_loops.get(trio_token)
        if found is None:
            found = _trio_loops[trio_token] = _TrioLoop()
        return found
    loop = asyncio.get_running_loop()
    found = _asyncio_loops.get(loop)
    if found is None:
        found = _asyncio_loops[loop] = _AsyncioLoop(loop)
    return found


def _trio_token() -> Optional[Any]:
    """Returns trio's token if a trio task is running."""
    trio = sys.modules.get("trio")
    try:
        return None if trio is None else trio.lowlevel.current_trio_token()
    except RuntimeError:
        return None
