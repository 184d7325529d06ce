"""`AsyncClient`: a client for asyncio, uvloop, and anyio with trio."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Optional, Union

from . import _event_loops
from ._account import Account
from ._async_short_forms import ShortForms
from ._call_record import CallRecord
from ._callback import is_coroutine_function
from ._errors import InvalidArgumentError
from ._event import Event
from ._native import Cancel, Client, Credentials, Exchange, Pool
from ._pages import page, pause, refused
from ._protection import ProtectionReport
from ._response import RateLimit, Response

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._async_short_forms import _Timeout
    from ._native import _Data, _Headers, _Params
else:
    _Data = _Headers = _Params = _Timeout = Self = Any

_Source = Union[str, PathLike[str], Credentials, Callable[[], Union[Credentials, Awaitable[Credentials]]]]

_CHECK = 0.05
"""How often a wait between pages checks for cancellation, in seconds."""


class AsyncClient(ShortForms):
    """Sends requests to the JustCall API from an event loop: asyncio, uvloop, or anyio with trio.

    Its methods are those of `Client`, as coroutines. The calls run on native threads without the GIL, at most
    `max_concurrency` at a time; more calls wait for a thread. The threads start with the first call, in a
    child of a fork too. If a task is cancelled, its call ends within 100 milliseconds.

    A client may be used in several event loops, one after the other or at once. `source` may be a coroutine
    function, which runs in the event loop of the latest call. `on_event` is called on a thread of the client.

    Args:
        source: Where the pair is read from, as for `Client`. A callable may be a coroutine function.
        max_concurrency: How many calls run at a time, at least 1. Set it to the number of calls that the
            program makes at once, so that none waits for a thread.
        base_url: As for `Client`, like the arguments that follow.
        verify_path: The path that `verify` requests.
        timeout: The limit of a call in seconds. The time that it waits for a thread does not count.
        max_retries: How many retries a call may make.
        rotation_wait: How long calls wait for another pair after a rejection, in seconds.
        ca_file: A PEM file of certificate authorities.
        ca_pem: The content of such a file.
        proxy: The proxy.
        local_address: The local IP address of connections.
        max_response_length: The largest response body, in bytes.
        expected_account: The number of the account that the pair must belong to.
        memory_protection: How the pair is protected between calls.
        state_file: The file in which the use of the pair is recorded.
        on_event: A callable that takes an `Event`.
        on_request: A callable that takes a `CallRecord`. The event loop's thread calls it before a call.
        on_response: A callable that takes the same `CallRecord`, after the call.

    Raises `InvalidArgumentError` if an argument is invalid or the CA file cannot be read.

    """

    __module__ = "justcall_auth"

    def __init__(
        self,
        source: _Source = "default:",
        *,
        max_concurrency: int = 64,
        base_url: Optional[str] = None,
        verify_path: Optional[str] = None,
        timeout: Optional[float] = 30.0,
        max_retries: int = 2,
        rotation_wait: float = 0.0,
        ca_file: Union[str, PathLike[str], None] = None,
        ca_pem: Optional[_Data] = None,
        proxy: Optional[str] = None,
        local_address: Optional[str] = None,
        max_response_length: int = 33554432,
        expected_account: Optional[int] = None,
        memory_protection: str = "auto",
        state_file: Union[str, PathLike[str], None] = None,
        on_event: Optional[Callable[[Event], object]] = None,
        on_request: Optional[Callable[[CallRecord], object]] = None,
        on_response: Optional[Callable[[CallRecord], object]] = None,
    ) -> None:
        self._latest: Optional[_event_loops.EventLoop] = None
        self._pool = Pool(max_concurrency)
        self._client = Client(
            self._for_threads(source),
            base_url=base_url,
            verify_path=verify_path,
            timeout=timeout,
            max_retries=max_retries,
            rotation_wait=rotation_wait,
            ca_file=ca_file,
            ca_pem=ca_pem,
            proxy=proxy,
            local_address=local_address,
            max_response_length=max_response_length,
            expected_account=expected_account,
            memory_protection=memory_protection,
            state_file=state_file,
            on_event=on_event,
            on_request=on_request,
            on_response=on_response,
        )

    @classmethod
    def from_credentials(cls, credentials: Credentials, **settings: Any) -> "Self":
        """Creates a client with a pair that the program already has, instead of a source.

        Args:
            credentials: The pair.
            settings: The other arguments of `AsyncClient`.

        """
        return cls(credentials, **settings)

    def with_options(
        self,
        *,
        timeout: _Timeout = ...,
        max_retries: Optional[int] = None,
        rotation_wait: Optional[float] = None,
    ) -> "Self":
        """Returns a client with other settings that shares everything else, as `Client.with_options` does.

        Args:
            timeout: The limit of a call, in seconds. It stays as it is if it is left out.
            max_retries: How many retries a call may make. None keeps the number.
            rotation_wait: How long calls wait for another pair, in seconds. None keeps the time.

        """
        derived = object.__new__(type(self))
        options: dict[str, Any] = {"timeout": timeout}
        derived._client = self._client.with_options(
            max_retries=max_retries, rotation_wait=rotation_wait, **options
        )
        derived._pool, derived._latest = self._pool, self._latest
        return derived

    async def verify(self, *, timeout: _Timeout = ..., cancel: Optional[Cancel] = None) -> Account:
        """Verifies the pair with the service. Returns the account that the pair belongs to.

        Args:
            timeout: The limit of this call, in seconds, instead of the client's timeout.
            cancel: A `Cancel` that can end the call.

        Raises the exceptions of `Client.verify`.

        """
        account: Account = await self._call("verify", timeout=timeout, cancel=cancel)
        return account

    async def replace(
        self, credentials: Credentials, *, timeout: _Timeout = ..., cancel: Optional[Cancel] = None
    ) -> Account:
        """Proves `credentials` as `verify` does and, if they are valid, uses them from now on.

        Args:
            credentials: The new pair.
            timeout: As for `verify`.
            cancel: As for `verify`.

        Raises the exceptions of `Client.replace`.

        """
        account: Account = await self._call("replace", credentials, timeout=timeout, cancel=cancel)
        return account

    async def reload(self, *, timeout: _Timeout = ..., cancel: Optional[Cancel] = None) -> bool:
        """Reads the source now and sends nothing. Returns True if the source has another pair.

        Args:
            timeout: As for `verify`.
            cancel: As for `verify`.

        Raises the exceptions of `Client.reload`.

        """
        is_new_pair: bool = await self._call("reload", timeout=timeout, cancel=cancel)
        return is_new_pair

    async def authorization(self, *, timeout: _Timeout = ..., cancel: Optional[Cancel] = None) -> str:
        """Returns the value of the `Authorization` header: a plain copy of the secret.

        Args:
            timeout: As for `verify`.
            cancel: As for `verify`.

        Raises the exceptions of `Client.authorization`.

        """
        value: str = await self._call("authorization", timeout=timeout, cancel=cancel)
        return value

    async def protection(self) -> ProtectionReport:
        """Returns how the pair is protected between calls. Reads the source if no call has done so yet.

        Raises the exceptions of `authorization`.
        """
        report: ProtectionReport = await self._call("protection")
        return report

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Optional[_Params] = None,
        json: object = None,
        data: Optional[_Data] = None,
        headers: Optional[_Headers] = None,
        timeout: _Timeout = ...,
        cancel: Optional[Cancel] = None,
    ) -> Response:
        """Sends a request. Returns the response, whose status is from 200 to 299.

        Args:
            method: The method in capitals, such as `GET`.
            path: A path, or a URL under the base URL.
            params: What is added to the query.
            json: A value to send as JSON.
            data: A body to send unchanged.
            headers: The headers, a mapping or pairs.
            timeout: The limit of this call, in seconds, instead of the client's timeout.
            cancel: A `Cancel` that can end the call.

        Raises the exceptions of `Client.request`.

        """
        options: dict[str, Any] = {"headers": headers, "timeout": timeout, "cancel": cancel}
        response: Response = await self._run(
            lambda completions: self._client._start_request(
                self._pool, completions, method, path, params=params, json=json, data=data, **options
            )
        )
        return response

    async def pages(
        self,
        path: str,
        *,
        params: Optional[_Params] = None,
        headers: Optional[_Headers] = None,
        timeout: _Timeout = ...,
        cancel: Optional[Cancel] = None,
    ) -> AsyncIterator[Any]:
        """Iterates over the items of a list, from all its pages, for `async for`.

        Args:
            path: The path of the first page.
            params: What is added to the query of the first page.
            headers: The headers of every request.
            timeout: The limit of the request of each page, in seconds.
            cancel: A `Cancel` that can end the requests, and the waits between them.

        Follows links, waits and raises as `Client.pages` does.

        """
        if isinstance(headers, Iterator):
            # Every request needs the headers.
            headers = list(headers)
        links: set[str] = set()
        response = await self.get(path, params=params, headers=headers, timeout=timeout, cancel=cancel)
        while True:
            items, link = page(response, links)
            for item in items:
                yield item
            if link is None:
                return
            await self._wait(pause(response.rate_limit), cancel)
            try:
                response = await self.get(link, headers=headers, timeout=timeout, cancel=cancel)
            except InvalidArgumentError as error:
                raise refused(response) from error

    def exchange(
        self,
        method: str,
        path: str,
        *,
        params: Optional[_Params] = None,
        json: object = None,
        data: Optional[_Data] = None,
        headers: Optional[_Headers] = None,
        timeout: _Timeout = ...,
        cancel: Optional[Cancel] = None,
    ) -> Exchange:
        """Creates an exchange, as `Client.exchange` does. Its `load` may block: call it on another thread.

        Args:
            method: As for `request`, like the arguments that follow.
            path: A path, or a URL under the base URL.
            params: What is added to the query.
            json: A value to send as JSON.
            data: A body to send unchanged.
            headers: The headers.
            timeout: The limit of the exchange, in seconds.
            cancel: A `Cancel` that can end the exchange.

        """
        options: dict[str, Any] = {"timeout": timeout, "cancel": cancel}
        return self._client.exchange(
            method, path, params=params, json=json, data=data, headers=headers, **options
        )

    @property
    def rate_limit(self) -> Optional[RateLimit]:
        """The account's rate limit in the last response to this client, as `Client.rate_limit`."""
        return self._client.rate_limit

    @property
    def generation(self) -> int:
        """The generation of the pair in use, as `Client.generation`."""
        return self._client.generation

    @property
    def key_hint(self) -> Optional[str]:
        """The ends of the key in use, as `Client.key_hint`."""
        return self._client.key_hint

    @property
    def usage(self) -> str:
        """The usage of the clients that share the pair, as OpenMetrics 1.0 text, as `Client.usage`."""
        return self._client.usage

    def close(self) -> None:
        """Closes the client. Its calls, in progress and later, raise `CallCancelledError`. Does not block."""
        self._client.close()

    async def __aenter__(self) -> "Self":
        self._client.__enter__()
        return self

    async def __aexit__(
        self,
        _type: Optional[type[BaseException]],
        _exception: Optional[BaseException],
        _traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Async{repr(self._client)[1:]}"

    def __reduce__(self) -> NoReturn:
        """Raises `TypeError`: a pickle would contain the secret."""
        raise TypeError("An AsyncClient cannot be pickled or copied. Create a client in the other process.")

    async def _call(self, name: str, credentials: Optional[Credentials] = None, **options: Any) -> Any:
        return await self._run(
            lambda completions: self._client._start(self._pool, completions, name, credentials, **options)
        )

    async def _run(self, start: _event_loops.Start) -> Any:
        self._latest = _event_loops.current()
        return await self._latest.run(start)

    async def _wait(self, seconds: float, cancel: Optional[Cancel]) -> None:
        """Waits, at most until `cancel` is fired. Raises `CallCancelledError` if the client is closed."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not (cancel is not None and cancel.is_fired):
            self._client.__enter__()  # It raises the error.
            await _event_loops.current().sleep(min(left, _CHECK))

    def _for_threads(self, source: _Source) -> Any:
        """Returns the source; instead of a coroutine function, a function that runs it in an event loop."""
        if not callable(source) or not is_coroutine_function(source):
            return source

        def load() -> Any:
            assert self._latest is not None  # noqa: S101 - a call reads it
            return self._latest.run_from_thread(source)  # type: ignore[arg-type]

        return load
