"""A callable as the source: its results, its exceptions and its use of clients."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from justcall_auth import Action, Client, Credentials, Exchange, Wait
from support import client_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from support import Sandbox

    Calling = Callable[[Client], object]

ECHO = "/v2.1/echo"

every_call = pytest.mark.parametrize(
    "call",
    [Client.verify, Client.authorization, lambda client: client.get("/v2.1/echo")],
    ids=["verify", "authorization", "get"],
)


def drive(client: Client, exchange: Exchange | None = None) -> None:
    """Drives an exchange until its request is to be sent."""
    with exchange or client.exchange("GET", ECHO) as exchange:
        while (action := exchange.next()) is not Action.SEND:
            if isinstance(action, Wait):
                time.sleep(action.seconds)
            else:
                exchange.load()


def raising(error: BaseException) -> Callable[[], Credentials]:
    """Returns a source callable that raises this exception."""

    def source() -> Credentials:
        raise error

    return source


@every_call
def test_it_is_called_once_by_the_first_call(sandbox: Sandbox, call: Calling) -> None:
    threads: list[threading.Thread] = []

    def source() -> Credentials:
        threads.append(threading.current_thread())
        return sandbox.credentials()

    with client_of(sandbox, source) as client:
        assert threads == []
        call(client)
        call(client)
    assert threads == [threading.current_thread()]


def test_any_callable_is_accepted(sandbox: Sandbox) -> None:
    class Tenant:
        def load(self) -> Credentials:
            return sandbox.credentials()

        def __call__(self) -> Credentials:
            return sandbox.credentials()

    for source in (Tenant(), Tenant().load, sandbox.credentials, lambda: Tenant()()):
        with client_of(sandbox, source) as client:
            client.verify()


@every_call
def test_its_exception_is_the_cause(sandbox: Sandbox, call: Calling) -> None:
    error = LookupError("canary")
    with client_of(sandbox, raising(error)) as client:
        for _ in range(2):
            with pytest.raises(justcall_auth.SourceUnavailableError, match="raised LookupError") as caught:
                call(client)
            assert caught.value.__cause__ is error
            assert "canary" not in str(caught.value)
            assert caught.value.request_sent is False
    assert sandbox.requests() == []


@every_call
@pytest.mark.parametrize(
    "error",
    [
        justcall_auth.CredentialsMissingError("No such tenant."),
        justcall_auth.SourceUnavailableError("The database is down."),
        justcall_auth.InvalidCredentialsError("Not this one."),
        MemoryError(),
        KeyboardInterrupt(),
        SystemExit(3),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_of_the_package_and_exceptions_that_end_programs_are_raised_unchanged(
    sandbox: Sandbox, call: Calling, error: BaseException
) -> None:
    with client_of(sandbox, raising(error)) as client:
        with pytest.raises(type(error)) as caught:
            call(client)
    assert caught.value is error
    assert caught.value.__cause__ is None
    assert sandbox.requests() == []


@every_call
@pytest.mark.parametrize(
    "given", [None, "abc123def456:sec789xyz000", ("abc123def456", "sec789xyz000"), Client]
)
def test_it_reports_a_result_of_another_type(sandbox: Sandbox, call: Calling, given: object) -> None:
    with client_of(sandbox, lambda: given) as client:
        wanted = rf"returned {type(given).__name__}, not Credentials"
        with pytest.raises(justcall_auth.SourceUnavailableError, match=wanted) as caught:
            call(client)
    assert "sec789" not in str(caught.value)
    assert caught.value.__cause__ is None


@every_call
def test_a_callable_that_takes_arguments_is_the_cause(sandbox: Sandbox, call: Calling) -> None:
    with client_of(sandbox, lambda tenant: tenant) as client:
        with pytest.raises(justcall_auth.SourceUnavailableError, match="raised TypeError") as caught:
            call(client)
    assert isinstance(caught.value.__cause__, TypeError)


def test_a_failure_is_not_cached(sandbox: Sandbox) -> None:
    responses: list[Any] = [LookupError(), None, sandbox.credentials()]

    def source() -> Any:
        response = responses.pop(0)
        if isinstance(response, Exception):
            raise response
        return response

    with client_of(sandbox, source) as client:
        for _ in range(2):
            with pytest.raises(justcall_auth.SourceUnavailableError):
                client.verify()
        client.verify()


def test_it_may_use_another_client(sandbox: Sandbox) -> None:
    def source() -> Credentials:
        with sandbox.client() as other:
            other.get("/v2.1/echo/inner").json()
            with client_of(sandbox, raising(LookupError())) as broken:
                with pytest.raises(justcall_auth.SourceUnavailableError):
                    broken.verify()
        return sandbox.credentials()

    with client_of(sandbox, source) as client:
        client.get("/v2.1/echo/outer")
    assert [request["path"] for request in sandbox.requests()] == ["/v2.1/echo/inner", "/v2.1/echo/outer"]


def test_a_call_of_its_own_client_is_refused_with_the_reason(sandbox: Sandbox) -> None:
    def source() -> Credentials:
        for use in (client.verify, client.authorization, client.reload):
            with pytest.raises(justcall_auth.InvalidArgumentError, match="cannot use its own client"):
                use()
        return sandbox.credentials()

    with client_of(sandbox, source) as client:
        client.verify()
        client.verify()


uses_of_the_client = {
    "verify": Client.verify,
    "replace": lambda client: client.replace(Credentials("k" * 40, "s" * 40)),
    "reload": Client.reload,
    "request": lambda client: client.request("GET", ECHO),
    "get": lambda client: client.get(ECHO),
    "head": lambda client: client.head(ECHO),
    "post": lambda client: client.post(ECHO),
    "put": lambda client: client.put(ECHO),
    "patch": lambda client: client.patch(ECHO),
    "delete": lambda client: client.delete(ECHO),
    "pages": lambda client: next(client.pages(ECHO)),
    "with_options": Client.with_options,
    "exchange": lambda client: client.exchange("GET", ECHO),
    "protection": lambda client: client.protection,
    "usage": lambda client: client.usage,
    "generation": lambda client: client.generation,
    "key_hint": lambda client: client.key_hint,
    "authorization": Client.authorization,
    "with": lambda client: client.__enter__(),
}
"""Each way to use a client, except those that do not block: `close` and `rate_limit`."""


def test_every_use_of_a_client_is_listed() -> None:
    """Special methods, and methods that do not block, are left out."""
    others = {"close", "from_credentials", "rate_limit"}
    named = {name for name in vars(Client) if not name.startswith("_")}
    assert named == (uses_of_the_client.keys() - {"with"}) | others


@pytest.mark.parametrize("use", uses_of_the_client.values(), ids=uses_of_the_client.keys())
@pytest.mark.parametrize("asking", [Client.verify, drive], ids=["verify", "exchange"])
def test_it_may_not_use_its_own_client_in_any_way(sandbox: Sandbox, asking: Calling, use: Calling) -> None:
    refusals: list[str] = []

    def source() -> Credentials:
        with pytest.raises(justcall_auth.InvalidArgumentError, match="cannot use its own client") as caught:
            use(client)
        refusals.append(caught.value.name)
        return sandbox.credentials()

    with client_of(sandbox, source, timeout=None) as client:
        asking(client)
    assert refusals == ["invalid_argument"]


@pytest.mark.parametrize("step", [Exchange.next, Exchange.load, Exchange.authorization])
@pytest.mark.parametrize("due", ["at first", "to load"])
def test_it_may_not_drive_an_exchange_of_its_own_client(
    sandbox: Sandbox, step: Callable[[Exchange], object], due: str
) -> None:
    """Such an exchange would wait for the callable that drives it, or call it recursively."""
    refusals: list[str] = []

    def source() -> Credentials:
        with pytest.raises(justcall_auth.InvalidArgumentError, match="cannot use its own client") as caught:
            step(made_before)
        refusals.append(caught.value.name)
        return sandbox.credentials()

    with client_of(sandbox, source, timeout=None) as client:
        made_before = client.exchange("GET", ECHO)
        if due == "to load":
            assert made_before.next() is Action.LOAD
            made_before.load()
        else:
            client.verify()
        assert refusals == ["invalid_argument"]
        # After the callable returned, the exchange is usable.
        drive(client, made_before)


def test_a_thread_may_drive_an_exchange_while_another_is_in_the_callable(sandbox: Sandbox) -> None:
    asked, goes_on = threading.Event(), threading.Event()

    def source() -> Credentials:
        asked.set()
        assert goes_on.wait(10)
        return sandbox.credentials()

    with client_of(sandbox, source, timeout=None) as client:
        made_before = client.exchange("GET", ECHO)
        worker = threading.Thread(target=client.verify)
        worker.start()
        assert asked.wait(10)
        assert isinstance(made_before.next(), Wait)
        goes_on.set()
        drive(client, made_before)
        worker.join(10)


def test_a_task_may_drive_an_exchange_while_another_is_in_the_callable(sandbox: Sandbox) -> None:
    asked, goes_on = threading.Event(), threading.Event()

    def source() -> Credentials:
        asked.set()
        assert goes_on.wait(10)
        return sandbox.credentials()

    async def main(client: Client) -> None:
        made_before = client.exchange("GET", ECHO)
        verifying = asyncio.create_task(asyncio.to_thread(client.verify))
        await asyncio.to_thread(asked.wait, 10)
        assert isinstance(made_before.next(), Wait)
        goes_on.set()
        while (action := made_before.next()) is not Action.SEND:
            assert isinstance(action, Wait)
            await asyncio.sleep(action.seconds)
        await verifying
        made_before.close()

    with client_of(sandbox, source, timeout=None) as client:
        asyncio.run(main(client))


def test_each_call_has_its_own_cause(sandbox: Sandbox) -> None:
    inner, outer = LookupError("inner"), LookupError("outer")

    def source() -> Credentials:
        with client_of(sandbox, raising(inner)) as other, pytest.raises(justcall_auth.SourceUnavailableError):
            other.verify()
        raise outer

    with client_of(sandbox, source) as client:
        with pytest.raises(justcall_auth.SourceUnavailableError) as caught:
            client.verify()
    assert caught.value.__cause__ is outer
    with Client("file:/nowhere/at/all") as client:
        with pytest.raises(justcall_auth.SourceUnavailableError) as caught:
            client.verify()
    assert caught.value.__cause__ is None


def test_it_may_close_the_client_that_calls_it(sandbox: Sandbox) -> None:
    def source() -> Credentials:
        client.close()
        return sandbox.credentials()

    client = client_of(sandbox, source)
    with pytest.raises(justcall_auth.CallCancelledError):
        client.verify()
        client.verify()


def test_one_thread_calls_it_and_has_the_cause_and_the_others_have_the_message(sandbox: Sandbox) -> None:
    together = threading.Barrier(4)
    asking = threading.Lock()
    ended: list[justcall_auth.JustCallError] = []
    askers: list[str] = []

    def source() -> Credentials:
        assert asking.acquire(blocking=False)
        askers.append(threading.current_thread().name)
        wait_until(lambda: together.n_waiting == 0)
        asking.release()
        raise LookupError(threading.current_thread().name)

    client = client_of(sandbox, source)

    def work() -> None:
        together.wait(10)
        try:
            client.verify()
        except justcall_auth.SourceUnavailableError as error:
            ended.append(error)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(10)
    assert [error.message for error in ended] == ["The source callable raised LookupError."] * 4
    causes = [error.__cause__ for error in ended if error.__cause__ is not None]
    assert sorted(str(cause) for cause in causes) == sorted(askers)


def test_calls_of_other_threads_fail_with_the_message_of_the_package_error(sandbox: Sandbox) -> None:
    raised = justcall_auth.CredentialsMissingError(
        f"No\tsuch tenant: {sandbox.api_secret}\r\n" + "x" * 600, hint="Ask\r\nthe tenant."
    )
    asked, goes_on = threading.Event(), threading.Event()
    ended: list[justcall_auth.JustCallError] = []

    def source() -> Credentials:
        asked.set()
        assert goes_on.wait(10)
        raise raised

    def work() -> None:
        try:
            client.verify()
        except justcall_auth.JustCallError as error:
            ended.append(error)

    with sandbox.client() as other, client_of(sandbox, source) as client:
        other.verify()  # After this its secret is that of a pair in use.
        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        assert asked.wait(10)
        goes_on.set()
        for worker in workers:
            worker.join(10)
    others = [error for error in ended if error is not raised]
    assert len(ended) == 4
    assert len(others) < 4
    for error in others:
        assert isinstance(error, justcall_auth.CredentialsMissingError)
        assert error.message.startswith("Nosuch tenant: [redacted]xxx")
        assert len(error.message) == 512
        assert error.hint == "Askthe tenant."
        assert error.request_sent is False


def test_a_source_that_blocks_is_waited_for(sandbox: Sandbox) -> None:
    goes_on = threading.Event()
    askers: list[str] = []

    def source() -> Credentials:
        askers.append(threading.current_thread().name)
        assert goes_on.wait(10)
        return sandbox.credentials()

    client = client_of(sandbox, source)
    found: list[justcall_auth.Account] = []
    workers = [threading.Thread(target=lambda: found.append(client.verify())) for _ in range(8)]
    for worker in workers:
        worker.start()
    wait_until(lambda: askers)
    assert found == []
    goes_on.set()
    for worker in workers:
        worker.join(10)
    assert len(found) == 8
    assert len(askers) == 1


def test_it_is_called_again_after_its_pair_was_rejected(sandbox: Sandbox) -> None:
    key = sandbox.control("POST", "pairs", {})["api_key"]
    responses: list[Credentials | BaseException] = [Credentials(key, "0" * 40)]
    asked: list[object] = []

    def source() -> Credentials:
        asked.append(responses[-1])
        if isinstance(responses[-1], BaseException):
            raise responses[-1]
        return responses[-1]

    def ends_with(expected: type[BaseException] | None) -> bool:
        try:
            client.verify()
        except (justcall_auth.InvalidCredentialsError, KeyboardInterrupt) as error:
            assert error.__cause__ is None
            return type(error) is expected and asked[-1] is responses[-1]
        return expected is None

    client = client_of(sandbox, source, max_retries=0)
    assert ends_with(justcall_auth.InvalidCredentialsError)
    # A source that fails does not fail the call while there is a pair. The error is the rejection.
    responses.append(LookupError())
    wait_until(lambda: ends_with(justcall_auth.InvalidCredentialsError))
    # Ctrl-C in the callable still ends the call.
    responses.append(KeyboardInterrupt())
    wait_until(lambda: ends_with(KeyboardInterrupt))
    responses.append(sandbox.credentials())
    wait_until(lambda: ends_with(None))


def test_a_client_and_the_callable_that_refers_to_it_are_collected(sandbox: Sandbox) -> None:
    class Tenant:
        def __init__(self) -> None:
            self.client = client_of(sandbox, self.load)

        def load(self) -> Credentials:
            return sandbox.credentials()

    tenant = Tenant()
    tenant.client.verify()
    gone = weakref.ref(tenant)
    del tenant
    gc.collect()
    assert gone() is None


def test_close_releases_the_callable(sandbox: Sandbox) -> None:
    class Tenant:
        def __init__(self) -> None:
            self.client: Client | None = None

        def __call__(self) -> Credentials:
            return sandbox.credentials()

        def __del__(self) -> None:
            assert self.client is not None
            self.client.close()
            ended.append(repr(self.client))

    ended: list[str] = []
    tenant = Tenant()
    client = client_of(sandbox, tenant)
    tenant.client = client
    del tenant
    client.close()
    assert ended == ["<Client closed>"]
