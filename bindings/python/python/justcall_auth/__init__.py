"""Authentication for the JustCall API.

::

    import justcall_auth

    with justcall_auth.Client() as client:
        account = client.verify()
        calls = client.get("/v2.1/calls", params={"per_page": 20}).json()
    print(account.email, account.plan, calls["count"])

`Client` reads the pair from a source and sends requests. `diagnose` and `diagnose_environment` check a pair
and send nothing. `WebhookVerifier` verifies that a webhook is from JustCall. Every failure raises a subclass
of `JustCallError` with a hint, which states the remedy. Every object may be used by several threads, except
that an `Exchange` is for one thread at a time. Calls block without the GIL.

For servers only: anyone who has the program can extract its pair.
"""

from __future__ import annotations

from . import testing as testing
from ._account import Account
from ._error_base import JustCallError, WebhookError
from ._errors import (
    BadRequestError,
    CallCancelledError,
    ConnectionFailedError,
    CredentialsMalformedError,
    CredentialsMissingError,
    ForbiddenError,
    InternalError,
    InvalidArgumentError,
    InvalidCredentialsError,
    InvalidResponseError,
    MemoryProtectionError,
    NotFoundError,
    OutOfMemoryError,
    RateLimitedError,
    RedirectRefusedError,
    RequestTimeoutError,
    ServerError,
    SourceUnavailableError,
    TlsFailedError,
    UnavailableError,
    UnprocessableError,
    WebhookMalformedError,
    WebhookMismatchError,
    WebhookReplayedError,
    WebhookStaleError,
    WebhookUnsignedError,
    WebhookVersionError,
    WebhookWrongUrlError,
    WrongAccountError,
)
from ._event import Event
from ._exchange import Action, Wait
from ._finding import Finding
from ._headers import Headers
from ._native import (
    Cancel,
    Client,
    Credentials,
    Exchange,
    WebhookEvent,
    WebhookVerifier,
    __version__,
    classify,
    diagnose,
    diagnose_environment,
)
from ._protection import ProtectionReport
from ._response import RateLimit, Response
from ._webhook import ANY_URL, AnyUrl

__all__ = [
    "ANY_URL",
    "Account",
    "Action",
    "AnyUrl",
    "BadRequestError",
    "CallCancelledError",
    "Cancel",
    "Client",
    "ConnectionFailedError",
    "Credentials",
    "CredentialsMalformedError",
    "CredentialsMissingError",
    "Event",
    "Exchange",
    "Finding",
    "ForbiddenError",
    "Headers",
    "InternalError",
    "InvalidArgumentError",
    "InvalidCredentialsError",
    "InvalidResponseError",
    "JustCallError",
    "MemoryProtectionError",
    "NotFoundError",
    "OutOfMemoryError",
    "ProtectionReport",
    "RateLimit",
    "RateLimitedError",
    "RedirectRefusedError",
    "RequestTimeoutError",
    "Response",
    "ServerError",
    "SourceUnavailableError",
    "TlsFailedError",
    "UnavailableError",
    "UnprocessableError",
    "Wait",
    "WebhookError",
    "WebhookEvent",
    "WebhookMalformedError",
    "WebhookMismatchError",
    "WebhookReplayedError",
    "WebhookStaleError",
    "WebhookUnsignedError",
    "WebhookVerifier",
    "WebhookVersionError",
    "WebhookWrongUrlError",
    "WrongAccountError",
    "__version__",
    "classify",
    "diagnose",
    "diagnose_environment",
]

# Tracebacks and pickles name the public module, from which users import, and not the private one.
for _name in __all__:
    if isinstance(globals()[_name], type):
        globals()[_name].__module__ = __name__
del _name
