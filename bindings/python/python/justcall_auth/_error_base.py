"""What every exception of the package has in common."""

from collections.abc import Iterable
from typing import Any, ClassVar, Optional

from ._finding import Finding
from ._response import Response


class JustCallError(Exception):
    """The base of all that this package raises. Each subclass is one kind of failure.

    Its texts are safe to log: they never hold a secret of the client that raised it. It can be pickled and
    copied, without the `response`, `method`, `path` and `attempts`.

    Programs that test how they handle failures may raise the subclasses themselves. Every argument is
    optional: `message`, `hint` and `http_status` are the kind's own unless given, the others are the
    attributes of the same name. The base class itself is no kind of failure: making one is a `TypeError`.
    """

    name: ClassVar[str]
    """The name of the kind, the same in every language, such as `rate_limited`."""

    code: ClassVar[int]
    """The number of the kind, the same in every language. For the service's answers it is the HTTP status."""

    retryable: ClassVar[bool]
    """Whether the same call may succeed later without anybody changing anything."""

    _message: ClassVar[str]
    _hint: ClassVar[str]

    message: str
    """What happened."""

    hint: str
    """What to do about it."""

    http_status: int
    """The HTTP status of the last response, 0 if there was none."""

    service_message: Optional[str]
    """What the service said in its body: at most 512 bytes, without control characters, secrets masked."""

    retry_after: Optional[float]
    """How long the service asks to wait before the next try, in seconds."""

    request_sent: bool
    """`False` if the request was surely not delivered by any attempt. `True` if it may have been.

    That holds whatever ended the call. Do not send a `POST` again after `True`.
    """

    reason: Optional[str]
    """One word for programs, `None` where there is none.

    Of `ForbiddenError`: `plan`, `role`, `ip`, `addon` or `unspecified`; of `CredentialsMalformedError` what
    was found; of `RequestTimeoutError` and `ConnectionFailedError` the phase: `resolve`, `connect`, `send` or
    `receive`.
    """

    findings: list[Finding]
    """What the local check of the pair found, the worst first; empty where nothing was checked or found."""

    response: Optional[Response]
    """The last response, `None` if there was none.

    It is the one that the call failed with, or the one that a retry followed. What is in it is the customer's
    data, and stays out of every text of the error.
    """

    method: Optional[str]
    """The HTTP method of the request that failed, `None` if the failure is not one of a request."""

    path: Optional[str]
    """The path of the request that failed, without its query; `None` if the failure is not one of a request.

    It may hold a telephone number: no text, `repr` or pickle of the error repeats it.
    """

    attempts: int
    """How often the request was sent, or given to the program's own HTTP client; 0 if it never was."""

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
            raise TypeError(f"{type(self).__name__} is what to catch; raise one of its subclasses")
        self.message = self._message if message is None else message
        self.hint = self._hint if hint is None else hint
        # The number of a failure that an answer stands for is the answer's status.
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
        # The one argument: pickling makes the exception anew with it, then restores the attributes.
        super().__init__(self.message)

    def __str__(self) -> str:
        """`name: message`, then what the service said; the hint is on a line of its own."""
        said = "" if self.service_message is None else f" The service answered: {self.service_message!r}"
        return f"{self.name}: {self.message}{said}\nhint: {self.hint}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Leaves out the response and the request: they are the customer's data."""
        private = {"response": None, "method": None, "path": None, "attempts": 0}
        return type(self), self.args, {**vars(self), **private}


class WebhookError(JustCallError):
    """The base of what is wrong with a delivery of a webhook: catch it to refuse every such delivery."""
