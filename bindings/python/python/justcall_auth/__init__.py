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

from . import _fork as _fork
from . import testing as testing
from ._account import Account
from ._call_record import CallRecord
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
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._async_client import AsyncClient
    from ._event import Event
    from ._exchange import Action, Wait
    from ._webhook import ANY_URL, AnyUrl
del TYPE_CHECKING

__all__ = [
    "ANY_URL",
    "Account",
    "Action",
    "AnyUrl",
    "AsyncClient",
    "BadRequestError",
    "CallCancelledError",
    "CallRecord",
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

_MODULES = {
    "ANY_URL": "_webhook",
    "Action": "_exchange",
    "AnyUrl": "_webhook",
    "AsyncClient": "_async_client",
    "Event": "_event",
    "Wait": "_exchange",
}
"""The modules of the names that are imported at their first use.

They import `asyncio`, `enum` or `logging`.
"""


def __getattr__(name: str) -> object:
    """Imports a public name at its first use."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
