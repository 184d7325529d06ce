"""No frame of an adapter has the pair. Its documentation names the frames of libraries that have it."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from adapters import (
    ADAPTERS,
    Aiohttp,
    AsyncHttpx,
    AsyncHttpx2,
    Httpx,
    Httpx2,
    Requests,
    Session,
    at_once,
)
from justcall_auth import _adapter
from support import Account, wait_until
from test_adapters import ECHO, PHASES, failing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support import Sandbox

# aiohttp and httpx leave connections and generators to the garbage collector after some failures.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

OWN = str(Path(justcall_auth.__file__).parent)
"""Where the frames of the package are."""

SKIPPED = (types.ModuleType, type, types.FrameType, types.TracebackType, types.BuiltinFunctionType)
"""What the search does not enter: it leads to everything in the process."""

each = pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.__name__)


def holds(values: list[object], secret: str, depth: int = 8) -> bool:
    """Returns whether a text with the secret can be reached from the values."""
    seen: set[int] = set()
    for _ in range(depth):
        following: list[object] = []
        for value in values:
            if id(value) in seen or isinstance(value, SKIPPED):
                continue
            seen.add(id(value))
            if isinstance(value, str):
                if secret in value:
                    return True
            elif isinstance(value, (bytes, bytearray)):
                if secret.encode() in value:
                    return True
            elif isinstance(value, types.FunctionType):
                following += value.__closure__ or ()
            else:
                following += gc.get_referents(value)
        values = following
    return False


def frames(error: BaseException | None) -> Iterator[types.FrameType]:
    """Yields the frames of the error and of its causes."""
    while error is not None:
        at = error.__traceback__
        while at is not None:
            yield at.tb_frame
            at = at.tb_next
        error = error.__cause__ or error.__context__


def is_own(frame: types.FrameType) -> bool:
    return frame.f_code.co_filename.startswith(OWN)


def leaks(error: BaseException, secret: str) -> list[str]:
    """Returns the frames of the package from which the secret can be reached."""
    return [
        frame.f_code.co_name
        for frame in frames(error)
        if is_own(frame) and holds(list(frame.f_locals.values()), secret)
    ]


def test_the_search_finds_a_pair_in_each_place() -> None:
    secret = "a1b2c3d4" * 5

    class Headers(dict[str, str]):
        pass

    class Request:
        headers = Headers({"Authorization": f"key:{secret}"})

        def __init__(self) -> None:
            self.headers = Headers({"Authorization": f"key:{secret}"})

    places: list[Callable[[], object]] = [
        lambda: f"key:{secret}",
        lambda: [("Authorization", f"key:{secret}".encode())],
        Request,
        lambda: (lambda held: lambda: held)(f"key:{secret}"),
    ]
    for place in places:
        assert holds([place()], secret)
    assert not holds([object(), {"a": ["b"]}], secret)


def test_the_search_finds_a_pair_in_a_frame_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "OWN", __file__)

    def send(header: str) -> None:
        assert header
        raise ConnectionError

    with pytest.raises(ConnectionError) as caught:
        send(f"key:{'a1b2c3d4' * 5}")
    assert "send" in leaks(caught.value, "a1b2c3d4" * 5)


@pytest.mark.parametrize("phase", PHASES)
def test_no_frame_of_the_package_has_the_pair_after_a_failure(
    sandboxes: dict[type[Session], Sandbox], phase: str
) -> None:
    def check(adapter: type[Session]) -> None:
        sandbox = sandboxes[adapter]
        sandbox.control("POST", "clear", {})
        account = Account(sandbox)
        error = failing(sandbox, adapter, phase, account)
        assert adapter.is_auth or any(map(is_own, frames(error)))
        assert leaks(error, account.pair["api_secret"]) == []

    at_once(ADAPTERS, check)


@each
@pytest.mark.parametrize("status", [401, 403, 500])
def test_no_frame_of_the_package_has_the_pair_after_an_error_response(
    sandbox: Sandbox, adapter: type[Session], status: int
) -> None:
    account = Account(sandbox)
    sandbox.fault("answer", status=status)
    with sandbox.client(account.credentials(), max_retries=0) as client:
        with pytest.raises(justcall_auth.JustCallError) as caught:
            adapter(sandbox, client).call("POST", ECHO, data=b"1")
        assert any(map(is_own, frames(caught.value)))
        assert leaks(caught.value, account.pair["api_secret"]) == []


@each
def test_a_response_does_not_lead_to_the_pair(sandbox: Sandbox, adapter: type[Session]) -> None:
    account = Account(sandbox)
    with sandbox.client(account.credentials()) as client:
        reply = adapter(sandbox, client).call("GET", ECHO)
    assert not holds([reply.raw], account.pair["api_secret"])


@each
def test_no_frame_of_the_package_has_the_pair_after_an_interrupt(
    sandbox: Sandbox, adapter: type[Session]
) -> None:
    account = Account(sandbox)
    sandbox.fault("hang")

    def interrupt() -> None:
        wait_until(sandbox.requests)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    interrupting = threading.Thread(target=interrupt)
    with sandbox.client(account.credentials()) as client:
        interrupting.start()
        with pytest.raises(KeyboardInterrupt) as caught:
            adapter(sandbox, client).call("GET", ECHO)
        interrupting.join()
    assert leaks(caught.value, account.pair["api_secret"]) == []


@pytest.mark.parametrize("phase", ["hang", "body", "closed"])
@pytest.mark.parametrize(
    "adapter",
    [Requests, Httpx, AsyncHttpx, Httpx2, AsyncHttpx2, Aiohttp],
    ids=lambda adapter: adapter.__name__,
)
def test_its_documentation_names_the_frames_that_have_the_header(
    sandbox: Sandbox, adapter: type[Session], phase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = Account(sandbox)
    found: set[str] = set()

    def failed(self: Any, cause: Any, request_sent: bool) -> None:
        found.update(
            frame.f_code.co_name
            for frame in frames(sys.exc_info()[1])
            if not is_own(frame)
            and frame.f_code.co_filename != __file__
            and holds(list(frame.f_locals.values()), account.pair["api_secret"], 5)
        )
        self.exchange.failed(cause, request_sent)

    monkeypatch.setattr(_adapter.Call, "failed", failed)
    failing(sandbox, adapter, phase, account)
    is_httpx = "Httpx" in adapter.__name__
    assert bool(found) == is_httpx
    document = str(getattr(adapter, "adapters", justcall_auth).__doc__)
    assert [name for name in found if f"`{name}`" not in document] == []
