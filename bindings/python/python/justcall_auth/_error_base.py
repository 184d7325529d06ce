"""The base classes of the package's exceptions."""

from ._finding import Finding
from ._response import Response
from ._typing import Any, ClassVar, Iterable, Optional


class JustCallError(Exception):
    """The base class of the package's exceptions. Each subclass is one kind of failure.

    Its texts are safe to log: they never contain a secret of the client that raised it. It can be pickled
    and copied, without `response`, `method`, `path` and `attempts`.

    Tests of programs can raise the subclasses. Every argument is optional and sets the attribute of the same
    name. The defaults of `message`, `hint` and `http_status` depend on the kind.

    Raises `TypeError` if the base class itself is created, because it is not a kind of failure.
    """

    __module__ = "justcall_auth"

    name: ClassVar[str]
    """The name of the kind, the same in every language, such as `rate_limited`."""

    code: ClassVar[int]
    """The number of the kind, the same in every language. For error responses it is the HTTP status."""

    retryable: ClassVar[bool]
    """Whether the same call may succeed later without a change."""

    _message: ClassVar[str]
    _hint: ClassVar[str]

    message: str
    """What happened."""

    hint: str
    """What to do about it."""

    http_status: int
    """The HTTP status of the last response, 0 if there was none."""

    service_message: Optional[str]
    """The error message in the response body: at most 512 bytes, no control characters, secrets masked."""

    retry_after: Optional[float]
    """How long the service asks to wait before a retry, in seconds; None if it does not."""

    request_sent: bool
    """False if no attempt can have delivered the request. True if one may have.

    This is the case for every kind of failure. Do not send a `POST` again if it is True.
    """

    reason: Optional[str]
    """The reason of the failure, one word for programs; None if there is none.

    `ForbiddenError`: `plan`, `role`, `ip`, `addon` or `unspecified`. `CredentialsMalformedError`: the code of
    the finding. `RequestTimeoutError` and `ConnectionFailedError`: the phase, `resolve`, `connect`, `send` or
    `receive`.
    """

    findings: list[Finding]
    """The findings of the local check of the pair, the most severe first; empty if there are none."""

    response: Optional[Response]
    """The last response; None if there was none.

    It is the response that failed the call, or the one before a retry. It contains the customer's data, so no
    text of the error repeats it.
    """

    method: Optional[str]
    """The HTTP method of the request that failed; None if the failure is not that of a request."""

    path: Optional[str]
    """The path of the request that failed, without its query; None if the failure is not that of a request.

    It may contain a telephone number, so no text, `repr` or pickle of the error repeats it.
    """

    attempts: int
    """How often the request was sent, or passed to the program's own HTTP client; 0 if it never was."""

    def __init__(
        self,
        message: Optional[str] = None,
        *,
        hint: Optional[str] = None,
        http_status: Optional[int] = None,
        service_message: Optional[str] = None,
        retry_after: Optional[float] = None,
        request_sent: bool = False,
        reason: Optional[str] = None,
        findings: Iterable[Finding] = (),
        response: Optional[Response] = None,
        method: Optional[str] = None,
        path: Optional[str] = None,
        attempts: int = 0,
    ) -> None:
        if not hasattr(self, "code"):
            raise TypeError(f"{type(self).__name__} is a base class: raise one of its subclasses")
        self.message = self._message if message is None else message
        self.hint = self._hint if hint is None else hint
        # The code of an error response is its status.
        own_status = self.code if self.code >= 400 else 0
        self.http_status = own_status if http_status is None else http_status
        self.service_message = service_message
        self.retry_after = retry_after
        self.request_sent = request_sent
        self.reason = reason
        self.findings = list(findings)
        self.response = response
        self.method = method
        self.path = path
        self.attempts = attempts
        # Unpickling creates the exception with the message alone, then restores the attributes.
        super().__init__(self.message)

    def __str__(self) -> str:
        """Returns `name: message`, then the message of the service; the hint is on a second line."""
        service = "" if self.service_message is None else f" The service answered: {self.service_message!r}"
        return f"{self.name}: {self.message}{service}\nhint: {self.hint}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Leaves out the response and the request, which are the customer's data."""
        private = {"response": None, "method": None, "path": None, "attempts": 0}
        return type(self), self.args, {**vars(self), **private}


class WebhookError(JustCallError):
    """The base class of the errors of a webhook delivery. Catch it to refuse such a delivery."""

    __module__ = "justcall_auth"
