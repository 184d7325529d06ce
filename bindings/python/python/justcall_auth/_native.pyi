from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from types import TracebackType
from typing import Any, Final, Literal, NoReturn, Protocol, TypeVar, final, type_check_only

from typing_extensions import Self, TypeAlias

from ._account import Account
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
    "Credentials",
    "Exchange",
    "WebhookEvent",
    "WebhookVerifier",
    "__version__",
    "classify",
    "diagnose",
    "diagnose_environment",
    "error_table",
    "event_names",
    "forget_rejections",
]

__version__: Final[str]
MAX_WEBHOOK_BODY: Final[int]

@type_check_only
class _HasItems(Protocol):
    def items(self) -> Iterable[tuple[str | bytes, str | bytes]]: ...

# A `bool` is an `int`.
_Scalar: TypeAlias = str | int | float | None
_Value: TypeAlias = _Scalar | Sequence[_Scalar]
_Parameter: TypeAlias = tuple[str, _Value]
# Any iterable will do, but beside `Iterable` mypy fails to infer the type of a dictionary of mixed values.
_Params: TypeAlias = (
    Mapping[str, _Value] | Sequence[_Parameter] | Iterator[_Parameter] | ItemsView[str, _Value]
)
_Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
_Data: TypeAlias = bytes | bytearray | memoryview | str
_Secret: TypeAlias = str | bytes | bytearray

_Answer = TypeVar("_Answer", covariant=True)

# What fetches an object: a client.
@type_check_only
class _Getter(Protocol[_Answer]):
    def get(self, path: str, /) -> _Answer: ...

# The values of other headers than those that are looked for may be of any type: a WSGI `environ` has objects.
@type_check_only
class _HasWebhookHeaders(Protocol):
    def items(self) -> Iterable[tuple[str | bytes, object]]: ...

@final
class Cancel:
    """Ends calls from another thread. Pass one as `cancel` to any number of calls, and call `fire`.

    Each of these calls that is under way, or begins later, raises `CallCancelledError`, and so does an
    `Exchange`. A callable that is the source is not interrupted. A cancel handle cannot be reset: create
    another one for later calls. Safe to share between threads.
    """

    def __new__(cls) -> Self: ...
    def fire(self) -> None:
        """Ends the calls. Returns at once. Calling it again does nothing."""

    @property
    def is_fired(self) -> bool:
        """Whether `fire` was called."""

@final
class Client:
    """A client of the JustCall API. Thread-safe: make one for each pair and share it between threads.

    `source` says where the pair is read from, at the first call:

    - `default:`: what `JUSTCALL_CREDENTIALS` names; without it `env:`, `systemd:` and
      `/run/secrets/justcall`, in this order
    - `env:` or `env:KEY_VARIABLE,SECRET_VARIABLE`: two environment variables, by default
      `JUSTCALL_API_KEY` and `JUSTCALL_API_SECRET`; `?scrub` after either wipes them from the
      environment of the process once they were read, but not from the copy of it that `os.environ` is
    - `file:PATH`: a file with JSON (`api_key`, `api_secret`), dotenv lines, or one line `key:secret`
    - `dir:PATH`: a folder with the files `api_key` and `api_secret`; `?key=NAME&secret=NAME` for others
    - `systemd:`: the same files in `$CREDENTIALS_DIRECTORY`
    - `command:PROGRAM ARGUMENTS`: a program that prints that JSON
    - a path, such as a `pathlib.Path`: that file, or folder if it is one
    - `Credentials`: the pair itself, as for `from_credentials`
    - a callable without arguments that returns `Credentials`. It is called by the call that needs the
      pair, on its thread, which waits however long that takes; it may use other clients only. What it raises
      becomes the cause of a `SourceUnavailableError`, but a `JustCallError`, and what is no `Exception`,
      is raised as it is. Raise one, such as `CredentialsMissingError("No such tenant.")`, to fail with your
      own message. Calls of other threads that waited for it raise that kind with that message: without
      control characters, secrets of the pairs in use masked, cut at 512 bytes.

    `env:` is compared when a client is made: if the environment then holds another pair than the one that
    earlier clients read there, the new client has a separate pair; if it holds the same one or none, they
    share the pair. `default:` is decided at that moment. An open client reads the environment again only
    after the service rejected its pair, or when `reload` is called. A variable that is empty is not set.

    `base_url` is the service, `https://host[:port][/prefix]`; None is `https://api.justcall.io`.
    `http://` is accepted for loopback addresses only.
    `verify_path` is what `verify` asks in place of `/v2/account` and its stand-in.
    `timeout` limits a whole call, retries and waits included, in seconds; None or 0 means no limit.
    `max_retries` is how many second attempts a call may make, of every kind together.
    `rotation_wait` is how long calls are held for another pair, from the moment that the service rejected the
    one in use, in seconds; meanwhile the source is looked at up to four times a second. A reset then fails no
    call, if the new pair comes in that time and within the calls' own timeout. With 0 a call fails when its
    source gives no other pair at once.
    `ca_file` is a PEM file of the certificate authorities to trust in place of the system's; it is read at
    once, and refused if one certificate in it cannot be used. None trusts those that `SSL_CERT_FILE` and
    `SSL_CERT_DIR` name, passing over what cannot be used there, else the system's.
    `ca_pem` is the text of such a file, `str` or `bytes`, for programs that have it in memory. At most one of
    both is given.
    `proxy` is `http://[user:password@]host[:port]`, which is asked for a tunnel and never sees the pair;
    an empty text means none, None what `HTTPS_PROXY` and `NO_PROXY` say.
    `local_address` is the IP address of this machine that connections come from, such as `192.0.2.7`, for an
    account that allows API calls from some addresses only. Addresses of the service that are of the other
    family (IPv4, IPv6) are skipped. None, or an empty text, lets the system choose.
    `max_response_length` is the largest body of a response that calls read, in bytes after decompression; 0
    means no limit. A longer one raises `InvalidResponseError`. At most 64 KiB of an error's response are
    read.
    `expected_account` is the number of the account that the pair must belong to, not 0; the service as
    measured does not reveal it. With the pair of another account, or of one that the service does not
    reveal, every call raises `WrongAccountError`, and only the account is asked for. None expects no
    particular account.
    `memory_protection` is how the pair is kept between calls. `auto`: in locked pages, or on the heap where
    the system refuses them. `strict`: in locked pages. `secretmem`: in pages that not even the kernel can
    read; Linux refuses to hibernate meanwhile. `heap`: on the heap, wiped when freed. What the system
    refuses raises `MemoryProtectionError` at the first call; `protection` tells what was obtained.
    `state_file` is where it is written down, at most once an hour, that the pair is used, for the command
    `justcall-auth status` to tell pairs that nobody uses any more; None is nowhere. It is made for its owner
    alone, several processes may share it, and it holds no pair. No call fails because it cannot be written.
    `on_event` is called with an `Event` whenever something happens to the pair or to calls, on the thread of
    the call that met it, which waits; it may use this client. What it raises goes to `sys.unraisablehook` and
    changes nothing, but what is no `Exception` ends the call. It must not be a coroutine function. Events
    go to the logger `justcall_auth` too.

    When the pair is reset, no restart is needed. Files and folders are looked at again at the start of a
    call, at most once a second, and every source once the service rejected the pair. One call proves what is
    new; the pair in use stays until then. One that was rejected is not sent again for 30 seconds, unless the
    source gives another.

    Calls wait without the GIL. A signal such as Ctrl-C ends a waiting call of the main thread within
    a fraction of a second, with what its handler raises. After a fork both processes may go on using
    the client.

    Under gevent a call blocks the hub of its thread. Make it in gevent's thread pool:
    `gevent.get_hub().threadpool.apply(client.get, ("/v2.1/calls",))`. Callbacks may switch greenlets.

    Raises `InvalidArgumentError` when an argument cannot be right or the CA file cannot be read.
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
    ) -> Self:
        """A client with a pair that the program already holds, in place of a source.

        The other arguments and what is raised are those of `Client`.
        """

    def verify(self, *, timeout: float | None = ..., cancel: Cancel | None = None) -> Account:
        """Asks the service whether the pair is good, and whose it is.

        Asks `/v2/account` and, where the service has no such page, `/v2.1/users?per_page=1`, which
        proves the pair without telling the account's details.

        If the service names the account, a pair that the source gives later must belong to it: the pair
        proves that before anything else is sent with it, else the call raises `WrongAccountError`. If the
        account is not known, because nothing was verified or the service does not name it, a pair of another
        account is used without notice. Set `expected_account` to rule that out.

        `timeout` limits this call, in seconds, in place of the client's; None or 0 means no limit. `cancel`
        may end it.

        Raises `InvalidCredentialsError` when the service rejects the pair, `ForbiddenError` when the
        pair is good but its plan or role may not do this, and another `JustCallError` for whatever
        else goes wrong. Raises what a signal handler raises.
        """

    def replace(
        self, credentials: Credentials, *, timeout: float | None = ..., cancel: Cancel | None = None
    ) -> Account:
        """Proves `credentials` as `verify` does and, where they are good, uses them from here on.

        So do all clients of the process that have the same source, base URL and expected account. Gives the
        account of the pair. The source is not written: see to it that it gives the same pair. Whatever comes
        of it, the pair in use loses nothing; webhooks signed with it are good for another quarter of an hour.

        `timeout` and `cancel` are those of `verify`. Raises what `verify` raises, about `credentials`.
        """

    def reload(self, *, timeout: float | None = ..., cancel: Cancel | None = None) -> bool:
        """Looks at the source now, and asks nothing of the service. True when it gives another pair.

        The next call proves that pair, and it is in use from then on.

        `timeout` and `cancel` are those of `verify`. Raises what `authorization` raises, because of the
        source; the pair in use stays.
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
        """Sends a request and gives the service's answer, of a status from 200 to 299.

        `method` is in capitals, such as `GET`. `path` is joined to the base URL: it starts with `/`, is
        percent-encoded, and may hold a query.
        It may also be a URL under the base URL, such as the `next_page_link` of an answer.
        `params` are added to the query, percent-encoded: a mapping, or pairs of names and values. A value is
        `str`, `int`, `float`, `bool` (`true` or `false`), or a sequence of those, for which the name is
        repeated; None is left out.
        `json` is a value to send as JSON; `data` is a body as it is, `str` in UTF-8. At most one of them is
        given. The body's type is `application/json` unless `headers` has a `Content-Type`.
        `headers` is a mapping, or pairs of names and values; of a name that comes twice the last is sent.
        `Authorization`, `Host` and others that only the library sets are refused.
        `timeout` limits this call, in seconds; None or 0 means no limit. Without it the client's `timeout`
        counts. `cancel` may end it: a `Cancel`.

        Second attempts are made as the client's `max_retries` allows: of every method when the rate limit
        refused it and the wait fits into the timeout, after failures of server and network only of methods
        that may be repeated. A `POST` is not sent twice unless the first was surely refused or not delivered.

        Raises `InvalidArgumentError` when an argument cannot be right; nothing is sent then. For every other
        status it raises the `JustCallError` of its kind, with the answer as its `response`, and one without
        where no answer came. Raises what a signal handler raises.
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
        """`request` with the method `GET`; the arguments and what is raised are those of `request`."""

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
        """`request` with the method `POST`; the arguments and what is raised are those of `request`."""

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
        """`request` with the method `PUT`; the arguments and what is raised are those of `request`."""

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
        """`request` with the method `DELETE`; the arguments and what is raised are those of `request`."""

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
        """Begins a call that the program sends over HTTP of its own; asks and reads nothing yet.

        The arguments and what is raised about them are those of `request`.
        """

    @property
    def rate_limit(self) -> RateLimit | None:
        """The account's rate limit as the last answer to this client told it; None before the first.

        Answers to `verify` count where they are errors.
        """

    @property
    def generation(self) -> int:
        """The generation of the pair in use: 1 for the first pair, one more with each that replaced it since.

        Clients that share a pair share it. 0 if no call has read a pair yet. Reads no source. Raises
        `CallCancelledError` once the client is closed.
        """

    @property
    def key_hint(self) -> str | None:
        """The ends of the key in use, as `Credentials.key_hint`; `None` if no call has read a pair yet.

        Reads no source. Raises `CallCancelledError` once the client is closed.
        """

    @property
    def protection(self) -> ProtectionReport:
        """How the pair is protected while it rests, and why not better.

        Reads the source, if no call has done so yet, and then raises what `authorization` raises.
        """

    @property
    def usage(self) -> str:
        """What the clients that share the pair did so far, and how the pair is, as OpenMetrics 1.0 text.

        Serve it with the type `application/openmetrics-text; version=1.0.0; charset=utf-8`: Prometheus and
        most monitors read it. The results of webhooks that are verified with the pair are in it.
        It holds no secret and nothing that identifies the pair. Asks nothing and
        reads no source. Raises `CallCancelledError` once the client is closed.
        """

    def authorization(self, *, timeout: float | None = ..., cancel: Cancel | None = None) -> str:
        """The value of the `Authorization` header, for a request that the program sends by other means.

        It is `key:secret`, raw, as JustCall takes it. This `str` is a plain copy of the secret that
        nothing wipes: do not store, log or print it, and let go of it once the request is made. Reads
        the source, if no call has done so yet; `timeout` and `cancel`, those of `verify`, limit that.

        Raises `CredentialsMissingError`, `CredentialsMalformedError` or `SourceUnavailableError` when
        the source gives no pair, `MemoryProtectionError` when the system refuses the `memory_protection`,
        and `CallCancelledError` once the client is closed.
        """

    def close(self) -> None:
        """Closes the client, from any thread: its calls, under way and later, raise `CallCancelledError`.

        The client's hold on the pair and its connections end once no call is under way. Closing again
        does nothing. Leaving a `with` block closes the client too.
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
        """Refuses, with `TypeError`: a pickle would hold the secret."""

@final
class Exchange:
    """One call with the program's own HTTP client, such as `http.client`, `httpx` or an event loop.

    It follows the rules of `Client.request`: headers, retries, the way through a reset of the pair, what a
    response means. `Client.exchange` creates one. The client's timeout counts from then on.

    Loop over `next`, which returns what to do: send the request within `remaining` and report with `answered`
    or `failed`, wait, or `load`. Only `load` blocks, because it may read a file or run a program: an event
    loop calls it on another thread. The HTTP client must not follow redirects, which would send the pair to
    another host. The client's `ca_file`, `ca_pem`, `proxy` and `local_address` do not apply to it.

    ::

        with client.exchange("GET", "/v2.1/calls") as exchange:
            while (action := exchange.next()) is not Action.DONE:
                if action is Action.SEND:
                    send(exchange)
                elif action is Action.LOAD:
                    exchange.load()
                else:
                    time.sleep(action.seconds)
            answer = exchange.response()

    Other calls of the process may wait for an exchange that was asked to load or to send. They stop waiting
    when it is closed, which leaving a `with` block does too, at its deadline, or after 60 seconds if it has
    none. It is for one thread at a time, in the process that created it: if it is in use, or in a child of
    `fork()`, its methods raise `InvalidArgumentError`.
    """

    def next(self) -> Action | Wait:
        """What to do now: `Action.SEND`, `Action.LOAD`, `Action.DONE`, or to `Wait` and ask again.

        Asking twice without a report in between gives the same action again.

        Raises the call's failure, once it is final, now and at every later call, as `Client.request` would.
        """

    def load(self) -> None:
        """Looks at the source, after `Action.LOAD`; else it does nothing. May block, without the GIL.

        What it finds, or does not, `next` tells. A signal such as Ctrl-C ends it, and the exchange with it.
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

        Without `Authorization`, and without those that HTTP itself needs, such as `Host`.
        """

    @property
    def body(self) -> bytes | None:
        """The body of the request to send; `None` where there is none."""

    @property
    def remaining(self) -> float | None:
        """The time left until the call's deadline, in seconds; `None` if the call has no limit.

        It is the timeout for the HTTP client. After the deadline it is 0.0.
        """

    @property
    def is_verifying(self) -> bool:
        """Whether the request to send asks about the pair.

        That comes before the call's own request where the client has an `expected_account`, and after it
        where `/v2/account` answered 401; method, URL, headers and body are then those of the question.
        """

    @property
    def max_body(self) -> int:
        """The largest body of an answer worth reading, in bytes, after decompression."""

    def authorization(self) -> str:
        """The value of the `Authorization` header of the request to send, raw; a plain copy of the secret.

        Taking it fixes which pair the answer will be about: take it right before sending, and anew for each
        request. As `Client.authorization`, it is not to be stored, logged or printed.

        Raises `InvalidArgumentError` unless `Action.SEND` is due.
        """

    def answered(
        self,
        http_status: int,
        headers: _HasItems | Iterable[tuple[str | bytes, str | bytes]],
        body: _Data,
    ) -> None:
        """Reports the answer to the request; what it means, `next` tells. Does nothing unless `SEND` was due.

        `headers` is a mapping, or an iterable of pairs, of names and values, each `str` or `bytes`. `body` is
        the whole body, decompressed: `bytes`, `bytearray`, `memoryview` or `str`.

        Raises `InvalidArgumentError` for a status outside 0 to 65535; the exchange is then as it was.
        """

    def failed(
        self,
        cause: Literal["resolve", "connect", "tls", "timeout", "closed", "cancelled"],
        request_sent: bool,
    ) -> None:
        """Reports that the HTTP client got no response. `next` returns what follows.

        Does nothing unless `SEND` was due.

        `cause` is `resolve` (the address was not found), `connect` (no connection was made), `tls` (the
        handshake failed, for example because the certificate is not trusted), `timeout` (the HTTP client ran
        out of time), `closed` (the connection was closed or reset before the response was complete) or
        `cancelled` (the program ended the request). `request_sent` is whether any byte of the request may
        have been sent: with `False` even a `POST` may be sent again. If in doubt, pass `True`.

        The call then fails, unless it is retried, as it would with the built-in HTTP client: with
        `ConnectionFailedError`, `TlsFailedError`, `RequestTimeoutError` or `CallCancelledError`.

        Raises `InvalidArgumentError` for another cause; the exchange is then unchanged.
        """

    def response(self) -> Response:
        """The answer, after `Action.DONE`, of a status from 200 to 299. It may be asked for again.

        Raises what `next` raises, and `InvalidArgumentError` while the call is not over.
        """

    def close(self) -> None:
        """Gives the call up, from any thread. Whatever is asked of it later raises `CallCancelledError`.

        A request that is under way is the program's to stop. Closing again does nothing.
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
        """Refuses, with `TypeError`: it belongs to its process."""

@final
class Credentials:
    """An API key and its secret, checked: they can be sent.

    `key` and `secret` are `str`, `bytes` or `bytearray`, 1 to 512 printable ASCII characters each. Both
    are copied into memory that is wiped once nothing uses it. A `bytearray` is filled with zeros
    after the copy, also when the pair is refused. A `str` or `bytes` cannot be wiped: it stays in the
    memory of the process until Python happens to write over it, so prefer `Credentials.load` or a
    `bytearray`.

    Immutable, and safe to share between threads. It shows the ends of the key and never the secret,
    it cannot be pickled or copied, and it equals only itself.

    Raises `CredentialsMalformedError` when this cannot be a pair: its message says which half and
    what is wrong with it, its `reason` says it in one word, and neither shows the value.
    """

    def __new__(cls, key: str | bytes | bytearray, secret: str | bytes | bytearray) -> Self: ...
    @staticmethod
    def load(source: str, *, timeout: float | None = None, cancel: Cancel | None = None) -> Credentials:
        """The pair that `source` holds now; see `Client` for the spellings.

        Reads the place once, without the GIL; a signal such as Ctrl-C ends it. The secret never becomes a
        Python object. `timeout` limits that, in seconds; None or 0 means no limit. `cancel` may end it.

        Raises `InvalidArgumentError` for a spelling that is not known, `CredentialsMissingError` with
        every place looked at, `CredentialsMalformedError` with the place and what is wrong there, and
        `SourceUnavailableError` when the place cannot be read.
        """

    @property
    def key_hint(self) -> str:
        """The ends of the key, to tell pairs apart by, such as `abc1…f456`.

        Of a key shorter than 12 characters it is the first character alone.
        """

    def __reduce__(self) -> NoReturn:
        """Refuses, with `TypeError`: a pickle is a plain copy of the secret."""

@final
class WebhookEvent:
    """A verified delivery. Certain are its `url`, its `type` and its `timestamp`, and nothing else.

    The body is not signed: whoever has one genuine delivery can send it with another body. So before you act
    on what the body says, fetch the object again through the API, with `confirm`.

    `repr` leaves out the body, which is the customer's data, and the URL, which may hold a token; a pickle
    holds both.

    Programs that test how they handle events may make their own, with `InvalidArgumentError` for a signature
    that is not 64 hexadecimal digits. Immutable, hashable, picklable; equal when
    every part is.
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
        """The URL that the delivery was signed for: one of those that the verifier expects."""

    @property
    def type(self) -> str:
        """The event's type, such as `call.completed`."""

    @property
    def timestamp(self) -> float:
        """When it was signed, in whole seconds since the epoch, as `time.time` counts them."""

    @property
    def body(self) -> bytes:
        """The body as it came. It is not signed."""

    @property
    def secret_index(self) -> int:
        """Which secret signed it, from 0 in the order they were given; of a client, 0 is the current one."""

    @property
    def signature(self) -> str:
        """The signature, 64 lower-case hexadecimal digits.

        The same for every repetition of a delivery, but also for another event of the type in that second.
        """

    def json(self) -> Any:
        """The body as JSON, which is a `dict`. It is not signed: what its `data` says may be forged.

        Raises `ValueError` for a number that Python does not read, of thousands of digits.
        """

    def object_path(self) -> str:
        """Where the API has the object that the event is about, such as `/v2.1/calls/100042`.

        Raises `WebhookMalformedError` when the body names no object, and `InvalidArgumentError` when it is
        not known where the API has the objects of this type of event.
        """

    def confirm(self, client: _Getter[_Answer]) -> _Answer:
        """Fetches the object that the event is about again, through the API: `client.get(object_path())`.

        What the answer says is true, where the body may lie.

        Raises `NotFoundError` when the account has no such object, and what else `client.get` and
        `object_path` raise.
        """

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[object, ...]:
        """Pickles every part, by every protocol."""

@final
class WebhookVerifier:
    """Verifies that a delivery of a webhook is JustCall's, is fresh, and is for this receiver.

    **The body is not signed.** A signature is over the URL, the event's type and the time, and nothing else:
    whoever has one genuine delivery can put any `data` into another. So take a verified delivery for the
    news that *something* of this type happened now, and before you act on what `data` says, fetch the
    object again through the API, with `WebhookEvent.confirm`.

    `secret` is what signs: the API secret (there is no other), as `str`, `bytes` or `bytearray`; or several
    of them in a list, the current one first and then those that it replaced a short while ago; or a `Client`,
    whose pair is used, the one before it too for a quarter of an hour after a reset. What is given is copied
    as by `Credentials`: a `bytearray` is filled with zeros, and a `str` or `bytes` stays in memory.
    A delivery that comes before any call of that `Client` waits until its pair is read, at most for its
    timeout: call `verify` or `reload` when the receiver starts. If the source cannot be read, deliveries
    fail in the same way, and a program or callable is not asked again because of one of them for a second.
    `url` is what the receiver is registered as in JustCall, to the letter, or a list of them. A delivery
    that was signed for another is refused, or anyone who runs another endpoint of the account could pass on
    what came there. `ANY_URL` takes all: then look at the event's `url`.
    `tolerance` is how far a delivery's time may be from now, in the past and in the future, in seconds;
    fractions are rounded up. The service tries again for up to an hour, perhaps without signing anew.
    `replay_check` is asked last, with the `WebhookEvent`, whether it was seen before: a callable that
    returns `bool`, and remembers the event by the same call. Two genuine events of one type in one second
    have the same signature, so go by more than that.

    Immutable; safe to share between threads, and to use on both sides of a fork.

    Raises `CredentialsMalformedError` for what cannot be a secret, and `InvalidArgumentError` when another
    argument cannot be right.
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
        """Verifies one delivery, and gives what is certain of it.

        `headers` are those of the request, with names in any case: a mapping, or pairs, of `str` or `bytes`,
        as every framework has them; a WSGI `environ` too.
        `body` is the request's body as it came, `bytes`, `bytearray`, `memoryview` or `str`, at most 1 MiB.
        `now` is the time in seconds since the epoch; None is this machine's clock.
        `timeout`, in seconds, and `cancel` limit how long a delivery waits for the pair of a client to be
        read. None or 0 means no limit. Without `timeout` the client's counts.

        Raises the first of these that holds: `WebhookUnsignedError` (the probe of a URL that is being saved
        looks like this: answer 200, and do nothing), `WebhookVersionError`, `WebhookMalformedError`,
        `WebhookMismatchError`, `WebhookStaleError`, `WebhookWrongUrlError`, `WebhookReplayedError`. With a
        client it also raises what `Client.authorization` raises, and what the `replay_check` raises.
        """

    @property
    def usage(self) -> str:
        """The results of the deliveries that this verifier verified in this process, as OpenMetrics 1.0 text.

        It has the counter `justcall_auth_webhooks_total`, whose label `result` is `ok` or the name of the
        error. What a `replay_check` raises counts as `invalid_argument`, unless it is an error of this
        package; arguments of a wrong type are not counted. It holds no secret, URL or content of a delivery.

        `Client.usage` has the results of all verifiers that use its pair. Serve one of the two texts to a
        monitor: a sum over both counts each delivery twice. A child of a fork starts at zero.
        """

def classify(
    http_status: int,
    headers: _HasItems | Iterable[tuple[str | bytes, str | bytes]],
    body: _Data,
) -> None:
    """Raises the `JustCallError` that an answer stands for; does nothing for a status of 200 to 299.

    For programs that send their requests by other means. The status decides; `headers` and `body` only
    explain. `headers` is a mapping, or an iterable of pairs, of names and values, each `str` or `bytes`;
    `retry_after` is read from it. `body` is `bytes`, `bytearray`, `memoryview` or `str`; `service_message`
    is read from it, and since the pair is not known here, one that the service echoes is not masked.

    Raises `InvalidArgumentError` for a status outside 0 to 65535.
    """

def diagnose(text: str | bytes | bytearray) -> list[Finding]:
    """Returns what is wrong with `text` as a pair. Reads no file and sends nothing.

    `text` is what people paste: `key:secret`, a header's value, a header line, a fragment of a command;
    `str`, `bytes` or `bytearray`, which is left as it is. It may be something else altogether. If it is the
    secret followed by the key that is in `JUSTCALL_API_KEY`, a finding says that they are swapped.

    The worst comes first; the list is empty if nothing is wrong. No text of a finding holds a half of a
    pair, so findings are safe to log.
    """

def diagnose_environment() -> list[Finding]:
    """Returns what is wrong with the pair that `default:` would use, and what misleads it. Sends nothing.

    Reads the environment and the files that `default:` would read, without the GIL. Runs no program.

    The worst comes first; the list is empty if nothing is wrong. No text of a finding holds a half of a
    pair, so findings are safe to log.
    """

def error_table() -> list[tuple[int, str, str, str, bool]]:
    """The error table: code, name, message, remedy and whether it is retryable, of each row."""

def event_names() -> list[str]:
    """The names of all events."""

def forget_rejections() -> None:
    """Forgets which pairs the service rejected: every client of this process may send them again at once.

    Without it a pair that the service rejected is not sent again for 30 seconds, by any client.
    For a test in which a pair is rejected and then made good: call it when the pair is good again, or in
    a fixture of all tests.

    A call that waits for another pair goes on with the one that was rejected. A request that is answered
    with 401 after this counts as another rejection. Never fails, reads no source and sends nothing; may be
    called from any thread. After `fork()` it is about the process that calls it.
    """
