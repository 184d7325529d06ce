from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from types import TracebackType
from typing import Any, Final, Literal, NoReturn, Protocol, TypeVar, final, type_check_only

from typing_extensions import Self, TypeAlias

from ._account import Account
from ._call_record import CallRecord
from ._event import Event
from ._exchange import Action, Wait
from ._finding import Finding
from ._protection import ProtectionReport
from ._response import RateLimit, Response
from ._webhook import AnyUrl

__all__ = [
    "MAX_WEBHOOK_BODY",
    "Cancel",
    "Client",
    "Completions",
    "Credentials",
    "Exchange",
    "Pool",
    "StartedCall",
    "WebhookEvent",
    "WebhookVerifier",
    "__version__",
    "classify",
    "diagnose",
    "diagnose_environment",
    "error_table",
    "event_names",
    "forget_rejections",
    "log_setting",
]

__version__: Final[str]
"""The version of the package."""
MAX_WEBHOOK_BODY: Final[int]

@type_check_only
class _HasItems(Protocol):
    def items(self) -> Iterable[tuple[str | bytes, str | bytes]]: ...

# A `bool` is an `int`.
_Scalar: TypeAlias = str | int | float | None
_Value: TypeAlias = _Scalar | Sequence[_Scalar]
_Parameter: TypeAlias = tuple[str, _Value]
# Any iterable is accepted. With `Iterable` here mypy fails to infer the type of a dictionary of mixed values.
_Params: TypeAlias = (
    Mapping[str, _Value] | Sequence[_Parameter] | Iterator[_Parameter] | ItemsView[str, _Value]
)
_Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
_Data: TypeAlias = bytes | bytearray | memoryview | str
_Secret: TypeAlias = str | bytes | bytearray

_Result = TypeVar("_Result", covariant=True)

# An object with the method `get` of a client.
@type_check_only
class _Getter(Protocol[_Result]):
    def get(self, path: str, /) -> _Result: ...

# The values of headers that verification does not need may have any type: a WSGI `environ` has objects.
@type_check_only
class _HasWebhookHeaders(Protocol):
    def items(self) -> Iterable[tuple[str | bytes, object]]: ...

@final
class Cancel:
    """Cancels calls from another thread. Pass a `Cancel` as `cancel` to any number of calls.

    After `fire`, each of these calls raises `CallCancelledError`: those in progress and those that
    start later. An `Exchange` does the same. A source callable is not interrupted. A cancel handle
    cannot be reset: create another one for later calls. Safe to share between threads.
    """

    def __new__(cls) -> Self: ...
    def fire(self) -> None:
        """Cancels the calls. Does not block. A second call does nothing."""

    @property
    def is_fired(self) -> bool:
        """Whether `fire` was called."""

@final
class Pool:
    """The threads of an `AsyncClient` and of the clients derived from it.

    They start with the first calls of the process, and in a child of `fork()` with its first calls.
    """

    def __new__(cls, max_concurrency: int) -> Self: ...

@final
class Completions:
    """The completed calls of an event loop. `fileno` is readable if there are any."""

    def __new__(cls) -> Self: ...
    def fileno(self) -> int:
        """Returns the number of the file that becomes readable."""

    def take(self) -> list[int]:
        """Returns the numbers of the calls that were completed since the last call."""

@final
class StartedCall:
    """A call that was started."""

    @property
    def number(self) -> int:
        """The number of the call, which `Completions.take` returns."""

    def cancel(self) -> None:
        """Ends the call, whose result is not needed."""

    def result(self) -> Any:
        """Returns the result of the call, which is complete, or raises its failure."""

@final
class Client:
    """Sends requests to the JustCall API. Create one client for each pair and share it between threads.

    Args:
        source: The place that the pair is read from at the first call.

            - `default:`: the source that `JUSTCALL_CREDENTIALS` names. If it is not set: `env:`,
              `systemd:` and `/run/secrets/justcall`, in this order
            - `env:` or `env:KEY_VARIABLE,SECRET_VARIABLE`: two environment variables, by default
              `JUSTCALL_API_KEY` and `JUSTCALL_API_SECRET`. With `?scrub` after either, both are wiped
              from the environment of the process after they are read, but not from the copy in
              `os.environ`
            - `file:PATH`: a file with JSON (`api_key`, `api_secret`), dotenv lines, or one line
              `key:secret`
            - `dir:PATH`: a folder with the files `api_key` and `api_secret`; `?key=NAME&secret=NAME`
              sets other names
            - `systemd:`: the same files in `$CREDENTIALS_DIRECTORY`
            - `command:PROGRAM ARGUMENTS`: a program that prints the same JSON as in a file
            - `vault:MOUNT/PATH` or `vault:https://HOST:PORT/MOUNT/PATH`: a secret of Vault or OpenBao,
              in a key-value engine of version 2, with the fields `api_key` and `api_secret`
            - a path, such as a `pathlib.Path`: that file, or that folder
            - `Credentials`: the pair itself, as for `from_credentials`
            - a callable without arguments that returns `Credentials`. The call that needs the pair
              calls it, on its own thread, and waits until it returns. The callable may use other
              clients, but not this one. An exception of the callable becomes the cause of a
              `SourceUnavailableError`. A `JustCallError` or `MemoryError` is raised unchanged, and so
              is an exception that is not an `Exception`. Raise a `JustCallError`, such as
              `CredentialsMissingError("No such tenant.")`, to fail with your own message. Calls of
              other threads that waited for the callable raise the same class with the same message:
              without control characters, with the secrets of the pairs in use masked, and cut at 512
              bytes.
        base_url: The address of the service, `https://host[:port][/prefix]`, with a percent-encoded prefix.
            None means `https://api.justcall.io`. `http://` is allowed only for loopback addresses.
        verify_path: The path that `verify` requests instead of `/v2/account` and its alternative.
        timeout: The limit of a whole call, with its retries and waits, in seconds. None or 0 means no
            limit.
        max_retries: How many retries a call may make, of all kinds together.
        rotation_wait: How long calls wait for another pair after the service rejected the pair in use,
            in seconds. Meanwhile the source is refreshed up to four times a second. A reset then fails
            no call if the new pair arrives in this time and before the timeout of the call. With 0 a
            call fails if its source has no other pair at once.
        ca_file: A PEM file of certificate authorities to trust instead of the system's. The file is
            read immediately. It is refused if a certificate in it is not usable. None means the
            authorities in `SSL_CERT_FILE` and `SSL_CERT_DIR` if they are set, where certificates that
            are not usable are skipped, and otherwise the system's.
        ca_pem: The content of such a file, `str` or `bytes`, for programs that have it in memory.
            `ca_file` and `ca_pem` cannot be combined.
        proxy: `http://[user:password@]host[:port]`. Calls go through a tunnel (CONNECT), so the proxy
            never receives the pair. An empty text means no proxy. None means the proxy that
            `HTTPS_PROXY` and `NO_PROXY` define.
        local_address: The local IP address of connections, such as `192.0.2.7`, for an account that
            restricts API access to certain addresses. Addresses of the service of the other family
            (IPv4, IPv6) are skipped. If it is None or empty, the system chooses the address.
        max_response_length: The largest response body that calls read, in bytes after decompression. 0
            means no limit. A longer body raises `InvalidResponseError`. Calls read at most 64 KiB of an
            error response.
        expected_account: The number of the account that the pair must belong to, not 0. Every call
            raises `WrongAccountError` if the pair belongs to another account, or if the service does
            not name the account; then only the account is requested. The service as measured does not
            name it. None means any account.
        memory_protection: How the pair is protected between calls. `auto`: locked pages, or the heap if
            the system refuses them. `strict`: locked pages. `secretmem`: pages that not even the kernel
            can read; Linux cannot hibernate meanwhile. `heap`: heap memory that is wiped when it is
            freed. If the system refuses the level, the first call raises `MemoryProtectionError`.
            `protection` reports the level in use.
        state_file: The file in which the use of the pair is recorded, at most once an hour. The command
            `justcall-auth status` reads it to list pairs that are no longer used. Only its owner can
            read it, several processes can share it, and it contains no pair. A call never fails because
            the file cannot be written. None means no file.
        on_event: A callable that is called with each `Event` about the pair or about calls, on the
            thread of the call that caused the event. The call waits for it. The callable may use this
            client, and must not be a coroutine function. An exception of the callable is passed to
            `sys.unraisablehook`, and the call continues; an exception that is not an `Exception` ends
            the call. Events also go to the logger `justcall_auth`.
        on_request: A callable that is called with a `CallRecord` before each call: of `request`, its
            short forms, `verify`, an `Exchange` or an adapter. It runs on the thread of the call, and
            is treated as `on_event`.
        on_response: A callable that is called with the same `CallRecord` after the call. The record has
            the method, the path without its query and digits, the status, the time and the number of
            attempts, and no header. The logger `justcall_auth` writes it at level DEBUG, and with
            `JUSTCALL_LOG=debug` it is written on standard error.

    Clients of a process share the pair if their sources are equal. A new client compares `env:`: if the
    environment has another pair than earlier clients read, the new client has a separate pair. If it
    has the same pair or none, the clients share the pair. `default:` is resolved when the client is
    created. An existing client reads the environment again only after the service rejected its pair, or
    if `reload` is called. An empty variable counts as not set.

    A reset of the pair needs no restart. At the start of a call, files and folders are checked for
    changes at most once a second. Every source is refreshed after the service rejected the pair. One
    call proves the new pair, and the pair in use stays until then. A pair that was rejected is not sent
    again for 30 seconds, unless the source supplies another.

    Methods are safe to call from several threads. They block without the GIL. A signal such as Ctrl-C
    ends a blocked call of the main thread within a fraction of a second, with the exception that its
    handler raises. After a fork both processes can use the client.

    Under gevent a call blocks the hub of its thread. Make calls in gevent's thread pool:
    `gevent.get_hub().threadpool.apply(client.get, ("/v2.1/calls",))`. Callbacks may switch greenlets.

    Raises `InvalidArgumentError` if an argument is invalid or the CA file cannot be read.

    """

    def __new__(
        cls,
        source: str | PathLike[str] | Credentials | Callable[[], Credentials] = "default:",
        *,
        base_url: str | None = None,
        verify_path: str | None = None,
        timeout: float | None = 30.0,
        max_retries: int = 2,
        rotation_wait: float = 0.0,
        ca_file: str | PathLike[str] | None = None,
        ca_pem: _Data | None = None,
        proxy: str | None = None,
        local_address: str | None = None,
        max_response_length: int = 33554432,
        expected_account: int | None = None,
        memory_protection: str = "auto",
        state_file: str | PathLike[str] | None = None,
        on_event: Callable[[Event], object] | None = None,
        on_request: Callable[[CallRecord], object] | None = None,
        on_response: Callable[[CallRecord], object] | None = None,
    ) -> Self: ...
    @classmethod
    def from_credentials(
        cls,
        credentials: Credentials,
        *,
        base_url: str | None = None,
        verify_path: str | None = None,
        timeout: float | None = 30.0,
        max_retries: int = 2,
        rotation_wait: float = 0.0,
        ca_file: str | PathLike[str] | None = None,
        ca_pem: _Data | None = None,
        proxy: str | None = None,
        local_address: str | None = None,
        max_response_length: int = 33554432,
        expected_account: int | None = None,
        memory_protection: str = "auto",
        state_file: str | PathLike[str] | None = None,
        on_event: Callable[[Event], object] | None = None,
        on_request: Callable[[CallRecord], object] | None = None,
        on_response: Callable[[CallRecord], object] | None = None,
    ) -> Self:
        """Creates a client with a pair that the program already has, instead of a source.

        Args:
            credentials: The pair.
            base_url: As for `Client`, like the arguments that follow.
            verify_path: The path that `verify` requests.
            timeout: The limit of a call, in seconds.
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
            on_request: A callable that takes a `CallRecord`, before a call.
            on_response: A callable that takes the same `CallRecord`, after the call.

        Raises the exceptions of `Client`.

        """

    def with_options(
        self,
        *,
        timeout: float | None = ...,
        max_retries: int | None = None,
        rotation_wait: float | None = None,
    ) -> Self:
        """Returns a client with other settings that shares the pair and the connections with this one.

        Sends and reads nothing. The new client has the same `on_event`, `on_request` and `on_response`, and
        its own `rate_limit`. Its `close` does not affect this client. If this client is closed, both are.

        Args:
            timeout: The limit of a call, in seconds. None or 0 means no limit. It stays as it is if it is
                left out.
            max_retries: How many retries a call may make. None keeps the number.
            rotation_wait: How long calls wait for another pair, in seconds. None keeps the time.

        Raises `InvalidArgumentError` if an argument is invalid, and `CallCancelledError` if the client is
        closed.

        """

    def verify(self, *, timeout: float | None = ..., cancel: Cancel | None = None) -> Account:
        """Verifies the pair with the service. Returns the account that the pair belongs to.

        Requests `/v2/account`. If the service has no such page, requests `/v2.1/users?per_page=1`, which
        proves the pair without the details of the account.

        If the service names the account, a later pair of the source must belong to the same account. The
        new pair proves that before any other request is sent with it; otherwise the call raises
        `WrongAccountError`. If the account is not known, because no pair was verified or the service does
        not name it, a pair of another account is used without notice. Set `expected_account` to prevent
        that.

        Args:
            timeout: The limit of this call, in seconds, instead of the client's timeout. None or 0 means no
                limit.
            cancel: A `Cancel` that can end the call.

        Raises `InvalidCredentialsError` if the service rejects the pair, `ForbiddenError` if the pair is
        valid but its plan or role does not permit the request, and another `JustCallError` for any other
        failure. Raises the exception of a signal handler unchanged.

        """

    def replace(
        self, credentials: Credentials, *, timeout: float | None = ..., cancel: Cancel | None = None
    ) -> Account:
        """Proves `credentials` as `verify` does and, if they are valid, uses them from now on.

        All clients of the process with the same source, base URL and expected account use them too. Returns
        the account of the pair. The source is not written: store the same pair there. If the call fails,
        the pair in use stays. If it succeeds, webhooks signed with the previous pair are accepted for
        another 15 minutes.

        Args:
            credentials: The new pair.
            timeout: The limit of this call, in seconds, instead of the client's timeout. None or 0 means no
                limit.
            cancel: A `Cancel` that can end the call.

        Raises the exceptions of `verify`, about `credentials`.

        """

    def reload(self, *, timeout: float | None = ..., cancel: Cancel | None = None) -> bool:
        """Reads the source now and sends nothing. Returns True if the source has another pair.

        The next call proves the new pair, which is in use from then on.

        Args:
            timeout: The limit of this call, in seconds, instead of the client's timeout. None or 0 means no
                limit.
            cancel: A `Cancel` that can end the call.

        Raises the exceptions of `authorization` if the source supplies no pair; the pair in use stays.

        """

    def request(
        self,
        method: str,
        path: str,
        *,
        params: _Params | None = None,
        json: object = None,
        data: _Data | None = None,
        headers: _Headers | None = None,
        timeout: float | None = ...,
        cancel: Cancel | None = None,
    ) -> Response:
        """Sends a request. Returns the response, whose status is from 200 to 299.

        Retries the request up to `max_retries` times. After a rate limit, a request of any method is
        retried if the wait fits into the timeout. After a failure of the server or the network, only
        methods that are safe to repeat are retried. A `POST` is not sent twice, unless the first one was
        certainly refused or not delivered.

        Args:
            method: The method in capitals, such as `GET`.
            path: It is appended to the base URL. It starts with `/`, is percent-encoded, and may contain a
                query. It may also be a URL under the base URL, such as the `next_page_link` of a response.
            params: What is added to the query, percent-encoded: a mapping, or pairs of names and values. A
                value is `str`, `int`, `float`, `bool` (`true` or `false`), or a sequence of those. The name
                is repeated for each value of a sequence. None is left out.
            json: A value to send as JSON. The content type is `application/json` unless `headers` has a
                `Content-Type`.
            data: A body to send unchanged; `str` is encoded in UTF-8. `json` and `data` cannot be combined.
            headers: A mapping, or pairs of names and values. If a name is repeated, the last value is sent.
                `Authorization`, `Host` and other headers that only the library sets are refused.
            timeout: The limit of this call, in seconds, instead of the client's timeout. None or 0 means no
                limit.
            cancel: A `Cancel` that can end the call.

        Raises `InvalidArgumentError` if an argument is invalid; nothing is sent then. Raises the
        `JustCallError` of its kind for any other status, with the response as its `response`. Raises one
        without a response if none arrived. Raises the exception of a signal handler unchanged.

        """

    def get(
        self,
        path: str,
        *,
        params: _Params | None = None,
        json: object = None,
        data: _Data | None = None,
        headers: _Headers | None = None,
        timeout: float | None = ...,
        cancel: Cancel | None = None,
    ) -> Response:
        """Sends a `GET` request.

        Args:
            path: A path, or a URL under the base URL.
            params: What is added to the query.
            json: A value to send as JSON.
            data: A body to send unchanged.
            headers: The headers, a mapping or pairs.
            timeout: The limit of this call, in seconds, instead of the client's timeout. None or 0 means no
                limit.
            cancel: A `Cancel` that can end the call.

        The result and the exceptions are those of `request`.

        """

    def head(
        self,
        path: str,
        *,
        params: _Params | None = None,
        json: object = None,
        data: _Data | None = None,
        headers: _Headers | None = None,
        timeout: float | None = ...,
        cancel: Cancel | None = None,
    ) -> Response:
        """Sends a `HEAD` request, which is a `GET` request for the headers alone: the body is empty.

        Args:
            path: A path, or a URL under the base URL.
            params: What is added to the query.
            json: A value to send as JSON.
            data: A body to send unchanged.
            headers: The headers, a mapping or pairs.
            timeout: The limit of this call, in seconds, instead of the client's timeout. None or 0 means no
                limit.
            cancel: A `Cancel` that can end the call.

        The result and the exceptions are those of `request`.

        """

    def post(
        self,
        path: str,
        *,
        params: _Params | None = None,
        json: object = None,
        data: _Data | None = None,
        headers: _Headers | None = None,
        timeout: float | None = ...,
        cancel: Cancel | None = None,
    ) -> Response:
        """Sends a `POST` request.

        Args:
            path: A path, or a URL under the base URL.
            params: What is added to the query.
            json: A value to send as JSON.
            data: A body to send unchanged.
            headers: The headers, a mapping or pairs.
            timeout: The limit of this call, in seconds, instead of the client's timeout. None or 0 means no
                limit.
            cancel: A `Cancel` that can end the call.

        The result and the exceptions are those of `request`.

        """

    def put(
        self,
        path: str,
        *,
        params: _Params | None = None,
        json: object = None,
        data: _Data | None = None,
        headers: _Headers | None = None,
        timeout: float | None = ...,
        cancel: Cancel | None = None,
    ) -> Response:
        """Sends a `PUT` request.

        Args:
            path: A path, or a URL under the base URL.
            params: What is added to the query.
            json: A value to send as JSON.
            data: A body to send unchanged.
            headers: The headers, a mapping or pairs.
            timeout: The limit of this call, in seconds, instead of the client's timeout. None or 0 means no
                limit.
            cancel: A `Cancel` that can end the call.

        The result and the exceptions are those of `request`.

        """

    def patch(
        self,
        path: str,
        *,
        params: _Params | None = None,
        json: object = None,
        data: _Data | None = None,
        headers: _Headers | None = None,
        timeout: float | None = ...,
        cancel: Cancel | None = None,
    ) -> Response:
        """Sends a `PATCH` request.

        Args:
            path: A path, or a URL under the base URL.
            params: What is added to the query.
            json: A value to send as JSON.
            data: A body to send unchanged.
            headers: The headers, a mapping or pairs.
            timeout: The limit of this call, in seconds, instead of the client's timeout. None or 0 means no
                limit.
            cancel: A `Cancel` that can end the call.

        The result and the exceptions are those of `request`.

        """

    def delete(
        self,
        path: str,
        *,
        params: _Params | None = None,
        json: object = None,
        data: _Data | None = None,
        headers: _Headers | None = None,
        timeout: float | None = ...,
        cancel: Cancel | None = None,
    ) -> Response:
        """Sends a `DELETE` request.

        Args:
            path: A path, or a URL under the base URL.
            params: What is added to the query.
            json: A value to send as JSON.
            data: A body to send unchanged.
            headers: The headers, a mapping or pairs.
            timeout: The limit of this call, in seconds, instead of the client's timeout. None or 0 means no
                limit.
            cancel: A `Cancel` that can end the call.

        The result and the exceptions are those of `request`.

        """

    def pages(
        self,
        path: str,
        *,
        params: _Params | None = None,
        headers: _Headers | None = None,
        timeout: float | None = ...,
        cancel: Cancel | None = None,
    ) -> Iterator[Any]:
        """Returns an iterator over the items of a list, from all its pages. The iterator sends the requests.

        The first page is that of `path`. Each later page is the one that the `next_page_link` of the page
        before names. It must be under the base URL. An item is a member of the `data` of a page: `dict`,
        `list`, `str`, `int`, `float`, `bool` or None. A page is requested when all items before it have
        been used.

        If the rate limit of a response is used up and its window is reset within a minute, the next request
        waits for the reset.

        Args:
            path: The path of the first page, as in `get`.
            params: What is added to the query of the first page.
            headers: The headers of every request.
            timeout: The limit of the request of each page, in seconds, instead of the client's timeout.
            cancel: A `Cancel` that can end the requests, and the waits between them.

        Raises the exceptions of `get`. Raises `InvalidResponseError` if a page has no `data`, if the link
        is not under the base URL, or if a link appears twice.

        """

    def _start_request(
        self,
        pool: Pool,
        completions: Completions,
        method: str,
        path: str,
        *,
        params: _Params | None = None,
        json: object = None,
        data: _Data | None = None,
        headers: _Headers | None = None,
        timeout: float | None = ...,
        cancel: Cancel | None = None,
    ) -> StartedCall:
        """Starts a request for `AsyncClient`. The arguments are those of `request`."""

    def _start(
        self,
        pool: Pool,
        completions: Completions,
        name: str,
        credentials: Credentials | None = None,
        *,
        timeout: float | None = ...,
        cancel: Cancel | None = None,
    ) -> StartedCall:
        """Starts another call for `AsyncClient`: the method `name`, whose arguments are the others."""

    def _wait(self, seconds: float, *, cancel: Cancel | None = None) -> None:
        """Waits, for `pages`."""

    def exchange(
        self,
        method: str,
        path: str,
        *,
        params: _Params | None = None,
        json: object = None,
        data: _Data | None = None,
        headers: _Headers | None = None,
        timeout: float | None = ...,
        cancel: Cancel | None = None,
    ) -> Exchange:
        """Creates an exchange: a call over the program's own HTTP client. Sends and reads nothing.

        Args:
            method: The method in capitals, as for `request`, like the arguments that follow.
            path: A path, or a URL under the base URL.
            params: What is added to the query.
            json: A value to send as JSON.
            data: A body to send unchanged.
            headers: The headers, a mapping or pairs.
            timeout: The limit of the call, in seconds, instead of the client's timeout. It starts now.
            cancel: A `Cancel` that can end the call.

        Raises `InvalidArgumentError` if an argument is invalid.

        """

    @property
    def rate_limit(self) -> RateLimit | None:
        """The account's rate limit in the last response to this client; None before the first response.

        Responses to `verify` count only if they are errors.
        """

    @property
    def generation(self) -> int:
        """The generation of the pair in use: 1 for the first pair, one more for each later one.

        Clients that share a pair share its generation. It is 0 if no call has read a pair yet. Reads no
        source. Raises `CallCancelledError` if the client is closed.
        """

    @property
    def key_hint(self) -> str | None:
        """The ends of the key in use, as in `Credentials.key_hint`; None if no call has read a pair yet.

        Reads no source. Raises `CallCancelledError` if the client is closed.
        """

    @property
    def protection(self) -> ProtectionReport:
        """How the pair is protected between calls, and why not better.

        Reads the source if no call has done so yet, and then raises the exceptions of `authorization`.
        """

    @property
    def usage(self) -> str:
        """The usage of the clients that share the pair, and the pair's state, as OpenMetrics 1.0 text.

        Serve it with the type `application/openmetrics-text; version=1.0.0; charset=utf-8`: Prometheus and
        most monitors read it. It includes the results of webhooks that are verified with the pair. It
        contains no secret and nothing that identifies the pair. Sends nothing and reads no source. Raises
        `CallCancelledError` if the client is closed.
        """

    def authorization(self, *, timeout: float | None = ..., cancel: Cancel | None = None) -> str:
        """Returns the value of the `Authorization` header, for a request that the program sends itself.

        The value is `key:secret`, raw, as JustCall expects it. This `str` is a plain copy of the secret
        that the library cannot wipe: do not store, log or print it, and release it after the request. Reads
        the source if no call has done so yet.

        Args:
            timeout: The limit of this call, in seconds, instead of the client's timeout. None or 0 means no
                limit.
            cancel: A `Cancel` that can end the call.

        Raises `CredentialsMissingError`, `CredentialsMalformedError` or `SourceUnavailableError` if the
        source supplies no pair, `MemoryProtectionError` if the system refuses the `memory_protection`, and
        `CallCancelledError` if the client is closed.

        """

    def close(self) -> None:
        """Closes the client. Its calls, in progress and later, raise `CallCancelledError`.

        May be called from any thread. The pair and the connections of the client are released when no call
        is in progress. A second call does nothing. The end of a `with` block closes the client too.
        """

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    def __reduce__(self) -> NoReturn:
        """Raises `TypeError`: a pickle would contain the secret."""

@final
class Exchange:
    """One call with the program's own HTTP client, such as `http.client`, `httpx` or an event loop.

    An exchange follows the rules of `Client.request`: headers, retries, resets of the pair, the meaning
    of a response. `Client.exchange` creates it. The client's timeout starts then.

    Call `next` in a loop. It returns what to do: send the request within `remaining` and report the
    result with `answered` or `failed`, wait, or call `load`. Only `load` blocks, because it may read a
    file or run a program: an event loop calls it on another thread. The HTTP client must not follow
    redirects, which would send the pair to another host. The client's `ca_file`, `ca_pem`, `proxy` and
    `local_address` do not apply to it.

    ::

        with client.exchange("GET", "/v2.1/calls") as exchange:
            while (action := exchange.next()) is not Action.DONE:
                if action is Action.SEND:
                    send(exchange)
                elif action is Action.LOAD:
                    exchange.load()
                else:
                    time.sleep(action.seconds)
            response = exchange.response()

    Other calls of the process may wait for an exchange whose action is to load or to send. They stop
    waiting when it is closed, at its deadline, or after 60 seconds if it has none. The end of a `with`
    block closes it. Use an exchange on one thread at a time, in the process that created it. If another
    thread uses it, or in a child of `fork()`, its methods raise `InvalidArgumentError`.

    The `on_request` of the client is called when the exchange is created, and `on_response` when `next`
    returns `Action.DONE` or raises the failure, or when the exchange is closed before.
    """

    def next(self) -> Action | Wait:
        """Returns what to do now: `Action.SEND`, `Action.LOAD`, `Action.DONE`, or a `Wait`.

        Returns the same action again until a result is reported.

        Raises the final failure of the call, as `Client.request` would, now and at every later call of
        `next`.
        """

    def _next(self, failure: BaseException | None) -> Action | Wait:
        """As `next`, for the adapters. If the call is done, its record has `failure` if there is one."""

    def load(self) -> None:
        """Reads the source if the action is `Action.LOAD`; otherwise does nothing.

        May block, without the GIL. `next` returns the action that follows, or raises the failure. A signal
        such as Ctrl-C ends the read and the exchange.
        """

    @property
    def method(self) -> str:
        """The method of the request to send."""

    @property
    def url(self) -> str:
        """The full URL of the request to send."""

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the request to send, names in lower case; a new `dict`.

        Does not include `Authorization`, or the headers that HTTP itself needs, such as `Host`.
        """

    @property
    def body(self) -> bytes | None:
        """The body of the request to send; None if it has no body."""

    @property
    def remaining(self) -> float | None:
        """The time until the call's deadline, in seconds; None if the call has no limit.

        It is the timeout for the HTTP client. After the deadline it is 0.0.
        """

    @property
    def is_verifying(self) -> bool:
        """Whether the request to send verifies the pair.

        Such a request comes before the call's own request if the client has an `expected_account`, and
        after it if `/v2/account` responded with 401. Method, URL, headers and body are then those of the
        verification.
        """

    @property
    def max_body(self) -> int:
        """The largest response body that the exchange needs, in bytes after decompression."""

    def authorization(self) -> str:
        """Returns the value of the `Authorization` header of the request to send: a plain copy of the secret.

        The result that is reported next counts for this pair, so call this method immediately before each
        request. Do not store, log or print the value.

        Raises `InvalidArgumentError` if the action is not `Action.SEND`.
        """

    def answered(
        self,
        http_status: int,
        headers: _HasItems | Iterable[tuple[str | bytes, str | bytes]],
        body: _Data,
    ) -> None:
        """Reports the response to the request. `next` returns what follows.

        Does nothing if the action is not `Action.SEND`.

        Args:
            http_status: The HTTP status.
            headers: A mapping, or an iterable of pairs, of names and values, each `str` or `bytes`.
            body: The whole body, decompressed: `bytes`, `bytearray`, `memoryview` or `str`.

        Raises `InvalidArgumentError` if the status is not from 0 to 65535; the exchange is then unchanged.

        """

    def failed(
        self,
        cause: Literal["resolve", "connect", "tls", "timeout", "closed", "cancelled"],
        request_sent: bool,
    ) -> None:
        """Reports that the HTTP client got no response. `next` returns what follows.

        Does nothing if the action is not `Action.SEND`. If the call is not retried, it fails as with the
        built-in HTTP client: with `ConnectionFailedError`, `TlsFailedError`, `RequestTimeoutError` or
        `CallCancelledError`.

        Args:
            cause: `resolve` (the address was not found), `connect` (no connection was made), `tls` (the
                handshake failed, for example because the certificate is not trusted), `timeout` (the HTTP
                client ran out of time), `closed` (the connection was closed or reset before the response
                was complete) or `cancelled` (the program ended the request).
            request_sent: Whether any byte of the request may have been sent. With False even a `POST` may
                be sent again. If in doubt, pass True.

        Raises `InvalidArgumentError` if the cause is another word; the exchange is then unchanged.

        """

    def response(self) -> Response:
        """Returns the response, whose status is from 200 to 299, after `Action.DONE`. May be called again.

        Raises the exceptions of `next`, and `InvalidArgumentError` if the call is not complete.
        """

    def close(self) -> None:
        """Cancels the call, from any thread. Later calls of its methods raise `CallCancelledError`.

        Does not stop a request of the program's HTTP client. A second call does nothing.
        """

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    def __reduce__(self) -> NoReturn:
        """Raises `TypeError`: an exchange belongs to its process."""

@final
class Credentials:
    """A pair: an API key and its secret, checked to be valid in a header.

    Both are copied into memory that is wiped after the last use. A `bytearray` is filled with zeros
    after the copy, even if the pair is refused. A `str` or `bytes` cannot be wiped: it stays in the
    memory of the process until Python overwrites it, so prefer `Credentials.load` or a `bytearray`.

    Immutable, and safe to share between threads. `repr` shows the ends of the key and never the secret.
    A pair cannot be pickled or copied, and it equals only itself.

    Args:
        key: The key, `str`, `bytes` or `bytearray`, 1 to 512 printable ASCII characters.
        secret: The secret, with the same types and characters.

    Raises `CredentialsMalformedError` if the texts cannot be a pair. The message states which half is
    wrong and why, and `reason` is one word for programs. Neither contains the value.

    """

    def __new__(cls, key: str | bytes | bytearray, secret: str | bytes | bytearray) -> Self: ...
    @staticmethod
    def load(source: str, *, timeout: float | None = None, cancel: Cancel | None = None) -> Credentials:
        """Returns the pair that `source` has now.

        Reads the source once. Blocks without the GIL; a signal such as Ctrl-C ends it. The secret never
        becomes a Python object.

        Args:
            source: A source, as for `Client`, which lists the sources.
            timeout: The limit of the read, in seconds. None or 0 means no limit.
            cancel: A `Cancel` that can end the read.

        Raises `InvalidArgumentError` if `source` is not valid, `CredentialsMissingError` with every place
        that was checked, `CredentialsMalformedError` with the place and the fault, and
        `SourceUnavailableError` if the source cannot be read.

        """

    @property
    def key_hint(self) -> str:
        """The ends of the key, to distinguish pairs, such as `abc1…f456`.

        For a key shorter than 12 characters it is the first character only.
        """

    def __reduce__(self) -> NoReturn:
        """Raises `TypeError`: a pickle would be a plain copy of the secret."""

@final
class WebhookEvent:
    """A verified delivery. Only its `url`, `type` and `timestamp` are verified.

    **The body is not signed.** Anyone who has one genuine delivery can send it with another body.
    Before you act on the body, fetch the object through the API, with `confirm`.

    `repr` leaves out the body, which is the customer's data, and the URL, which may contain a token. A
    pickle contains both.

    Immutable, hashable and picklable. Two events are equal if all their parts are. Tests of programs
    can create events.

    Args:
        url: The URL that the delivery was signed for.
        type: The event's type, such as `call.completed`.
        timestamp: The time of the signature, in seconds since the epoch.
        body: The body.
        secret_index: The index of the secret that signed the delivery.
        signature: The signature, 64 hexadecimal digits. None means zeros.

    Raises `InvalidArgumentError` if the signature is not 64 hexadecimal digits.

    """

    def __new__(
        cls,
        url: str,
        type: str,  # noqa: A002 - it is the attribute's name
        timestamp: float,
        body: bytes,
        *,
        secret_index: int = 0,
        signature: str | None = None,
    ) -> Self: ...
    @property
    def url(self) -> str:
        """The URL that the delivery was signed for: one of the URLs that the verifier expects."""

    @property
    def type(self) -> str:
        """The event's type, such as `call.completed`."""

    @property
    def timestamp(self) -> float:
        """The time of the signature, in whole seconds since the epoch, as in `time.time`."""

    @property
    def body(self) -> bytes:
        """The body as received. It is not signed."""

    @property
    def secret_index(self) -> int:
        """The index of the secret that signed the delivery, from 0 in the order of the secrets.

        With a client, 0 is the current secret.
        """

    @property
    def signature(self) -> str:
        """The signature, 64 lower-case hexadecimal digits.

        Every repetition of a delivery has the same signature. Another event of the same type in the same
        second has it too.
        """

    def json(self) -> Any:
        """Returns the body, decoded from JSON: a `dict`. It is not signed: its `data` may be forged.

        Raises `ValueError` if a number has more digits than Python accepts.
        """

    def object_path(self) -> str:
        """Returns the API path of the object that the event is about, such as `/v2.1/calls/100042`.

        Raises `WebhookMalformedError` if the body names no object, and `InvalidArgumentError` if the path
        for this type of event is not known.
        """

    def confirm(self, client: _Getter[_Result]) -> _Result:
        """Fetches the object of the event through the API. Returns the result of `client.get(object_path())`.

        The response can be trusted, unlike the body.

        Args:
            client: A `Client`, or any object with such a method `get`. With an `AsyncClient` the result is
                awaited.

        Raises `NotFoundError` if the account has no such object, and the other exceptions of `client.get`
        and `object_path`.

        """

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[object, ...]:
        """Pickles every part, with every protocol."""

@final
class WebhookVerifier:
    """Verifies that a webhook delivery is from JustCall, is fresh, and is for this receiver.

    **The body is not signed.** The signature covers only the URL, the event's type and the time. Anyone
    who has one genuine delivery can send it with other `data`. A verified delivery proves only that
    *an* event of this type happened now. Before you act on its `data`, fetch the object through the
    API, with `WebhookEvent.confirm`.

    Immutable, safe to share between threads, and usable on both sides of a fork.

    Args:
        secret: The API secret, which signs webhooks (there is no separate webhook secret), as `str`,
            `bytes` or `bytearray`. It may be a list of secrets: the current one first, then recently
            replaced ones. It may be a `Client`, whose pair is used; after a reset its previous pair is
            accepted for 15 minutes. Secrets are copied as by `Credentials`: a `bytearray` is filled
            with zeros, and a `str` or `bytes` stays in memory. With a `Client`, a delivery before its
            first call waits until the pair is read, at most for the client's timeout: call `verify` or
            `reload` when the receiver starts. If the source cannot be read, deliveries fail with that
            error. Deliveries then run the source's program or callable at most once a second.
        url: The URL that the receiver is registered with in JustCall, character for character, or a
            list of URLs. A delivery that was signed for another URL is refused. Otherwise the operator
            of another endpoint of the account could forward its deliveries to this one. `ANY_URL`
            accepts every URL: check the event's `url` then.
        tolerance: How far the time of a delivery may be from now, in the past and in the future, in
            seconds. Fractions are rounded up. The service retries for up to an hour, perhaps with the
            same signature.
        replay_check: A callable that records the `WebhookEvent` and returns a `bool`: whether it was
            seen before. It is called last. Two genuine events of one type in one second have the same
            signature, so compare more than the signature.

    Raises `CredentialsMalformedError` if a secret is malformed, and `InvalidArgumentError` if another
    argument is invalid.

    """

    def __new__(
        cls,
        secret: _Secret | Iterable[_Secret] | Client,
        *,
        url: str | Iterable[str] | AnyUrl,
        tolerance: float = 600.0,
        replay_check: Callable[[WebhookEvent], bool] | None = None,
    ) -> Self: ...
    def verify(
        self,
        headers: _HasWebhookHeaders | Iterable[tuple[str | bytes, object]],
        body: _Data,
        now: float | None = None,
        *,
        timeout: float | None = ...,
        cancel: Cancel | None = None,
    ) -> WebhookEvent:
        """Verifies one delivery. Returns its event.

        Args:
            headers: The headers of the request, with names in any case: a mapping, or pairs, of `str` or
                `bytes`. A WSGI `environ` is accepted too.
            body: The request's body as received, `bytes`, `bytearray`, `memoryview` or `str`, at most 1
                MiB.
            now: The current time in seconds since the epoch. None means the clock of this machine.
            timeout: How long a delivery waits until the pair of a client is read, in seconds. None or 0
                means no limit. The default is the client's timeout.
            cancel: A `Cancel` that can end this wait.

        Raises the first that applies: `WebhookUnsignedError` (the probe that JustCall sends when a URL is
        saved is unsigned: respond with 200 and do nothing else), `WebhookVersionError`,
        `WebhookMalformedError`, `WebhookMismatchError`, `WebhookStaleError`, `WebhookWrongUrlError`,
        `WebhookReplayedError`. With a client it also raises the exceptions of `Client.authorization`. An
        exception of `replay_check` is raised unchanged.

        """

    @property
    def usage(self) -> str:
        """The results of the deliveries of this verifier in this process, as OpenMetrics 1.0 text.

        The counter is `justcall_auth_webhooks_total`. Its label `result` is `ok` or the name of the error.
        An exception of `replay_check` counts as `invalid_argument`, unless it is an error of this package.
        Arguments of a wrong type are not counted. The text contains no secret, URL or content of a
        delivery.

        `Client.usage` has the results of all verifiers that use its pair. Serve one of the two texts to a
        monitor: the sum of both counts each delivery twice. A child of a fork starts at zero.
        """

def classify(
    http_status: int,
    headers: _HasItems | Iterable[tuple[str | bytes, str | bytes]],
    body: _Data,
) -> None:
    """Raises the `JustCallError` for a response; does nothing if its status is from 200 to 299.

    For programs that send requests themselves. The pair is not known here, so a secret that the service
    echoes is not masked.

    Args:
        http_status: The HTTP status, which selects the error.
        headers: A mapping, or an iterable of pairs, of names and values, each `str` or `bytes`.
            `retry_after` is read from it.
        body: `bytes`, `bytearray`, `memoryview` or `str`. `service_message` is read from it.

    Raises `InvalidArgumentError` if the status is not from 0 to 65535.

    """

def diagnose(text: str | bytes | bytearray) -> list[Finding]:
    """Returns what is wrong with a text as a pair. Reads no file and sends nothing.

    The most severe finding comes first; the list is empty if nothing is wrong. No finding contains a
    half of a pair, so findings are safe to log.

    Args:
        text: What a user pasted: `key:secret`, the value of a header, a header line, a part of a
            command, or unrelated text. It is `str`, `bytes` or `bytearray`, and is not changed. If it
            is the secret followed by the key that is in `JUSTCALL_API_KEY`, a finding reports that they
            are swapped.

    """

def diagnose_environment() -> list[Finding]:
    """Returns what is wrong with the pair that `default:` would use. Sends nothing.

    The findings include settings that hide another pair. Reads the environment and the files that
    `default:` would read, without the GIL. Runs no program.

    The most severe finding comes first; the list is empty if nothing is wrong. No finding contains a
    half of a pair, so findings are safe to log.
    """

def error_table() -> list[tuple[int, str, str, str, bool]]:
    """Returns the rows of the error table: code, name, message, remedy, and whether it is retryable."""

def event_names() -> list[str]:
    """Returns the names of all events."""

def forget_rejections() -> None:
    """Forgets which pairs the service rejected: every client of this process may send them again.

    Without it, no client sends a pair again for 30 seconds after the service rejected it. It is for
    tests that reject a pair and then make it valid: call it when the pair is valid again, or in a
    fixture of all tests.

    A call that waits for another pair continues with the one that was rejected. If a request is
    answered with 401 after this, the pair counts as rejected again. Never fails, reads no source and
    sends nothing. May be called from any thread. In a child of `fork()` it affects the child only.
    """

def log_setting() -> str | None:
    """Returns the variable `JUSTCALL_LOG`; None if it is not set.

    It is also None if the process has more privileges than the user who started it.
    """
