"""Sessions of the HTTP libraries with the adapters of the package, all used in the same way by the tests."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import gc
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import httpx2
import requests
import trio
from typing_extensions import override

import justcall_auth.aiohttp
import justcall_auth.httpx
import justcall_auth.httpx2
import justcall_auth.requests

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from justcall_auth import Client
    from support import Sandbox

    Task = Callable[[], Awaitable[Any]]


@dataclass(frozen=True)
class Reply:
    """A response, as every library returns it."""

    status: int
    headers: dict[str, str]
    body: bytes
    raw: Any
    """The response of the library."""


class Session(abc.ABC):
    """A session of a library whose calls go through an adapter."""

    is_auth = False
    """Whether the session uses an auth class, which does not learn of failures of the network."""

    is_async = False
    """Whether bodies of requests may be asynchronous generators, and not generators."""

    def __init__(self, sandbox: Sandbox, client: Client, **settings: Any) -> None:
        self.sandbox = sandbox
        self.client = client
        self.settings = settings
        self.url = sandbox.url.rstrip("/")

    @property
    def context(self) -> ssl.SSLContext:
        """The certificate authority of the sandbox."""
        return ssl.create_default_context(cafile=self.sandbox.ca_file)

    @abc.abstractmethod
    def opened(self, **options: Any) -> Any:
        """Opens a session of the library."""

    @abc.abstractmethod
    def call(self, method: str, path: str, data: Any = None, **options: Any) -> Reply:
        """Makes one call on a new connection."""

    @abc.abstractmethod
    def many(self, count: int, workers: int, path: str) -> list[BaseException]:
        """Makes `count` calls, `workers` at a time. Returns the failures."""


class Requests(Session):
    """The adapter for requests."""

    @override
    @contextlib.contextmanager
    def opened(self, **options: Any) -> Iterator[requests.Session]:
        with requests.Session() as session:
            session.verify = self.sandbox.ca_file
            session.trust_env = False
            session.mount(self.url, justcall_auth.requests.JustCallAdapter(self.client, **self.settings))
            yield session

    @override
    def call(self, method: str, path: str, data: Any = None, **options: Any) -> Reply:
        with self.opened() as session:
            response = session.request(method, self.url + path, data=data, **options)
            return Reply(response.status_code, dict(response.headers), response.content, response)

    @override
    def many(self, count: int, workers: int, path: str) -> list[BaseException]:
        with self.opened() as session:
            return in_threads(count, workers, lambda: session.get(self.url + path).raise_for_status())


class RequestsAuth(Requests):
    """The auth class for requests."""

    is_auth = True

    @override
    @contextlib.contextmanager
    def opened(self, **options: Any) -> Iterator[requests.Session]:
        with requests.Session() as session:
            session.verify = self.sandbox.ca_file
            session.trust_env = False
            session.auth = justcall_auth.requests.JustCallAuth(self.client, **self.settings)
            yield session


class Httpx(Session):
    """The transport for httpx."""

    http: Any = httpx
    adapters: Any = justcall_auth.httpx

    @override
    def opened(self, **options: Any) -> Any:
        sending = self.http.HTTPTransport(verify=self.context, retries=0)
        transport = self.adapters.JustCallTransport(self.client, sending, **self.settings)
        return self.http.Client(transport=transport, base_url=self.url, **options)

    @override
    def call(self, method: str, path: str, data: Any = None, **options: Any) -> Reply:
        with self.opened(**options) as http:
            response = http.request(method, path, content=data)
            return Reply(response.status_code, dict(response.headers), response.content, response)

    @override
    def many(self, count: int, workers: int, path: str) -> list[BaseException]:
        with self.opened() as http:
            return in_threads(count, workers, lambda: http.get(path).raise_for_status())


class HttpxAuth(Httpx):
    """The auth class for httpx."""

    is_auth = True

    @override
    def opened(self, **options: Any) -> Any:
        auth = self.adapters.JustCallAuth(self.client, **self.settings)
        return self.http.Client(verify=self.context, auth=auth, base_url=self.url, trust_env=False, **options)


class AsyncHttpx(Session):
    """The asynchronous transport for httpx, on asyncio."""

    is_async = True
    http: Any = httpx
    adapters: Any = justcall_auth.httpx

    @override
    def opened(self, **options: Any) -> Any:
        sending = self.http.AsyncHTTPTransport(verify=self.context, retries=0)
        transport = self.adapters.JustCallAsyncTransport(self.client, sending, **self.settings)
        return self.http.AsyncClient(transport=transport, base_url=self.url, **options)

    def run(self, task: Task) -> Any:
        """Runs a coroutine function on an event loop."""
        return asyncio.run(task())  # type: ignore[arg-type]

    @override
    def call(self, method: str, path: str, data: Any = None, **options: Any) -> Reply:
        async def call() -> Reply:
            async with self.opened(**options) as http:
                response = await http.request(method, path, content=data)
                return Reply(response.status_code, dict(response.headers), response.content, response)

        reply: Reply = self.run(call)
        return reply

    @override
    def many(self, count: int, workers: int, path: str) -> list[BaseException]:
        async def all_calls() -> list[BaseException]:
            async with self.opened() as http:

                async def one() -> None:
                    (await http.get(path)).raise_for_status()

                return await in_tasks(count, workers, one)

        failures: list[BaseException] = self.run(all_calls)
        return failures


class AsyncHttpxAuth(AsyncHttpx):
    """The auth class for httpx, on asyncio."""

    is_auth = True

    @override
    def opened(self, **options: Any) -> Any:
        auth = self.adapters.JustCallAuth(self.client, **self.settings)
        return self.http.AsyncClient(
            verify=self.context, auth=auth, base_url=self.url, trust_env=False, **options
        )


class TrioHttpx(AsyncHttpx):
    """The asynchronous transport for httpx, on trio."""

    @override
    def run(self, task: Task) -> Any:
        return trio.run(task)

    @override
    def many(self, count: int, workers: int, path: str) -> list[BaseException]:
        failures: list[BaseException] = []

        async def all_calls() -> None:
            numbers = iter(range(count))
            async with self.opened() as http, trio.open_nursery() as nursery:

                async def worker() -> None:
                    for _ in numbers:
                        try:
                            (await http.get(path)).raise_for_status()
                        except Exception as error:
                            failures.append(error)

                for _ in range(workers):
                    nursery.start_soon(worker)

        trio.run(all_calls)
        return failures


class Httpx2(Httpx):
    """The transport for httpx2."""

    http = httpx2
    adapters = justcall_auth.httpx2


class Httpx2Auth(HttpxAuth):
    """The auth class for httpx2."""

    http = httpx2
    adapters = justcall_auth.httpx2


class AsyncHttpx2(AsyncHttpx):
    """The asynchronous transport for httpx2, on asyncio."""

    http = httpx2
    adapters = justcall_auth.httpx2


class TrioHttpx2(TrioHttpx):
    """The asynchronous transport for httpx2, on trio."""

    http = httpx2
    adapters = justcall_auth.httpx2


class Aiohttp(Session):
    """The middleware for aiohttp."""

    is_async = True

    @override
    def opened(self, **options: Any) -> aiohttp.ClientSession:
        middleware = justcall_auth.aiohttp.JustCallMiddleware(self.client, **self.settings)
        connector = aiohttp.TCPConnector(ssl=self.context)
        return aiohttp.ClientSession(self.url, connector=connector, middlewares=[middleware], **options)

    @override
    def call(self, method: str, path: str, data: Any = None, **options: Any) -> Reply:
        async def call() -> Reply:
            async with self.opened(**options) as http, http.request(method, path, data=data) as response:
                return Reply(response.status, dict(response.headers), await response.read(), response)

        return asyncio.run(call())

    @override
    def many(self, count: int, workers: int, path: str) -> list[BaseException]:
        async def all_calls() -> list[BaseException]:
            async with self.opened() as http:

                async def one() -> None:
                    async with http.get(path) as response:
                        response.raise_for_status()

                return await in_tasks(count, workers, one)

        return asyncio.run(all_calls())


ADAPTERS: list[type[Session]] = [
    Requests,
    RequestsAuth,
    Httpx,
    HttpxAuth,
    AsyncHttpx,
    AsyncHttpxAuth,
    TrioHttpx,
    Httpx2,
    Httpx2Auth,
    AsyncHttpx2,
    TrioHttpx2,
    Aiohttp,
]


def at_once(adapters: list[type[Session]], check: Callable[[type[Session]], object]) -> None:
    """Makes the check for all adapters at the same time, because most of its time is waiting."""
    with ThreadPoolExecutor(len(adapters)) as pool:
        checks = {adapter.__name__: pool.submit(check, adapter) for adapter in adapters}
    # Within the test, so that what a library left behind is reported there.
    gc.collect()
    failures = {name: failure for name, one in checks.items() if (failure := one.exception())}
    for failure in failures.values():
        raise AssertionError(f"failed: {list(failures)}") from failure


def in_threads(count: int, workers: int, call: Callable[[], object]) -> list[BaseException]:
    """Makes the calls on `workers` threads. Returns the failures."""
    with ThreadPoolExecutor(workers) as pool:
        made = [pool.submit(call) for _ in range(count)]
        return [failure for one in made if (failure := one.exception()) is not None]


async def in_tasks(count: int, workers: int, call: Callable[[], Awaitable[None]]) -> list[BaseException]:
    """Makes the calls in `workers` tasks. Returns the failures."""
    numbers, failures = iter(range(count)), list[BaseException]()

    async def worker() -> None:
        for _ in numbers:
            try:
                await call()
            except Exception as error:
                failures.append(error)

    await asyncio.gather(*(worker() for _ in range(workers)))
    return failures
