"""`AsyncClient` on asyncio, uvloop and trio."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import os
import pickle
import signal
import sys
import threading
import traceback
import weakref
from typing import TYPE_CHECKING, Any

import anyio
import pytest

import justcall_auth
from justcall_auth import AsyncClient, Cancel, Client, Credentials
from support import Account, finish, hang, put, wait_until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from support import Sandbox, Start

    Main = Callable[[], Awaitable[Any]]
    Run = Callable[[Main], Any]

ECHO = "/v2.1/echo"
CALLS = "/v2.1/calls"

BACKENDS: dict[str, dict[str, Any]] = {
    "asyncio": {"backend": "asyncio"},
    "uvloop": {"backend": "asyncio", "backend_options": {"use_uvloop": True}},
    "trio": {"backend": "trio"},
}


@pytest.fixture(params=BACKENDS)
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine function in a new event loop of each kind."""

    def run(main: Main) -> Any:
        return anyio.run(main, **BACKENDS[request.param])

    return run


def client_of(sandbox: Sandbox, source: Any = None, **settings: Any) -> AsyncClient:
    """Creates a client of the sandbox, by default with the pair of a new account."""
    # The requests of a test must not count for the rate limit of the account that other tests use.
    pair = Account(sandbox).credentials() if source is None else source
    return AsyncClient(pair, base_url=sandbox.url, ca_file=sandbox.ca_file, **settings)


async def until(condition: Callable[[], object]) -> None:
    """Waits for the condition, at most 20 seconds."""
    with anyio.fail_after(20):
        while not condition():
            await anyio.sleep(0.01)


def kept(account: Account, secrets: list[str]) -> Credentials:
    """Returns the pair of the account, and adds its secret to `secrets`."""
    secrets.append(account.pair["api_secret"])
    return Credentials(account.pair["api_key"], account.pair["api_secret"])


def ended(client: AsyncClient, outcome: str) -> int:
    """Returns how many calls of the client ended with this outcome."""
    counts = [line for line in client.usage.splitlines() if line.startswith("justcall_auth_calls_total{")]
    return sum(int(line.split()[1]) for line in counts if f'"{outcome}"' in line)


def test_every_method_has_the_result_of_the_client(sandbox: Sandbox, run: Run) -> None:
    async def main() -> None:
        account = Account(sandbox)
        async with client_of(sandbox, account.credentials()) as client:
            assert (client.generation, client.key_hint, client.rate_limit) == (0, None, None)
            assert (await client.verify()).id == account.pair["account_id"]
            response = await client.get(ECHO, params={"a": [1, 2]}, headers={"X-Canary": "value"})
            assert response.http_status == 200
            assert client.rate_limit == response.rate_limit
            assert (await client.head(ECHO)).body == b""
            found = await client.post("/v2.1/texts/tags", json={"name": "canary"})
            tag = f"/v2.1/texts/tags/{found.json()['data']['id']}"
            assert (await client.put(tag, data=b'{"name": "x"}')).json()["data"]["name"] == "x"
            assert (await client.patch(tag, json={"name": "y"})).json()["data"]["name"] == "y"
            assert (await client.delete(tag)).http_status == 200
            assert (await client.request("GET", ECHO)).http_status == 200
            assert await client.reload() is False
            assert (await client.replace(account.credentials())).id == account.pair["account_id"]
            assert f"{await client.authorization()}\n" == account.line
            assert (await client.protection()).asked == "auto"
            assert [call["id"] async for call in client.pages(CALLS, params={"per_page": 20})]
            assert client.generation >= 1
            assert client.key_hint == account.credentials().key_hint
            with client.exchange("GET", ECHO) as exchange:
                assert exchange.method == "GET"
        assert repr(client) == "<AsyncClient closed>"

    run(main)
    methods = [request["method"] for request in sandbox.requests()]
    assert methods[1:7] == ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def test_it_has_the_names_of_the_client() -> None:
    def names(owner: type) -> set[str]:
        return {name for name in dir(owner) if not name.startswith("_")}

    assert names(AsyncClient) == names(Client)
    own = {"max_concurrency"}
    for name in names(Client) - {"from_credentials"}:
        theirs, ours = getattr(Client, name), getattr(AsyncClient, name)
        if callable(theirs):
            assert [*inspect.signature(ours).parameters] == [*inspect.signature(theirs).parameters], name
        assert inspect.getdoc(ours), name
    settings = dict(inspect.signature(AsyncClient).parameters)
    assert settings.keys() - own == inspect.signature(Client).parameters.keys()
    for name, parameter in inspect.signature(Client).parameters.items():
        assert settings[name].default == parameter.default, name


def test_a_failure_is_raised_in_the_task(sandbox: Sandbox, run: Run) -> None:
    async def main() -> None:
        async with client_of(sandbox, max_retries=0) as client:
            with pytest.raises(justcall_auth.NotFoundError) as missing:
                await client.get("/no-such-page")
            assert missing.value.response is not None
            assert client.rate_limit == missing.value.response.rate_limit
            with pytest.raises(justcall_auth.InvalidArgumentError):
                await client.get("no path")
            with pytest.raises(TypeError):
                await client.get(1)  # type: ignore[arg-type]
            hang(sandbox)
            with pytest.raises(justcall_auth.RequestTimeoutError):
                await client.get(ECHO, timeout=0.2)
            assert (await client.get(ECHO)).http_status == 200

    run(main)
    assert len(sandbox.requests()) == 3


def test_no_frame_of_a_failed_call_has_the_pair(sandbox: Sandbox, run: Run) -> None:
    async def main() -> None:
        async with client_of(sandbox) as client:
            for call in (client.get("/no-such-page"), client.get(ECHO, timeout=-1)):
                try:
                    await call
                except justcall_auth.JustCallError as error:
                    report = traceback.TracebackException.from_exception(error, capture_locals=True)
                    texts.append("".join(report.format()))

    texts: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        secrets: list[str] = []
        patch.setattr(Account, "credentials", lambda account: kept(account, secrets))
        run(main)
    assert len(texts) == 2
    assert all("_async_client.py" in text for text in texts)
    assert [
        secrets[0][at : at + 8] for at in range(33) if any(secrets[0][at : at + 8] in one for one in texts)
    ] == []


def test_a_cancelled_task_ends_its_call(sandbox: Sandbox, run: Run) -> None:
    async def main() -> None:
        async with client_of(sandbox, timeout=None) as client:
            before = ended(client, "cancelled")
            hang(sandbox)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.get, ECHO)
                await until(lambda: len(sandbox.requests()) == 1)
                tasks.cancel_scope.cancel()
            await until(lambda: ended(client, "cancelled") == before + 1)
            assert (await client.get(ECHO)).http_status == 200

    run(main)


def test_more_calls_wait_for_a_thread_and_can_be_cancelled(sandbox: Sandbox, run: Run) -> None:
    async def main() -> None:
        async with client_of(sandbox, timeout=None, max_concurrency=2) as client:
            await client.get(ECHO)
            sandbox.fault("hang", times=2)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.get, ECHO)
                tasks.start_soon(client.get, ECHO)
                await until(lambda: len(sandbox.requests()) == 3)
                with anyio.move_on_after(0.5) as waiting:
                    await client.get("/v2.1/waited")
                assert waiting.cancelled_caught
                tasks.cancel_scope.cancel()
            assert (await client.get(ECHO)).http_status == 200
        assert [request["path"] for request in sandbox.requests()] == [ECHO] * 4

    run(main)


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_a_call_can_be_cancelled_from_another_thread(sandbox: Sandbox, run: Run, how: str) -> None:
    async def main() -> None:
        cancel = Cancel()
        client = client_of(sandbox, timeout=None)
        hang(sandbox)
        timer = threading.Timer(0.2, cancel.fire if how == "cancel" else client.close)
        timer.start()
        with pytest.raises(justcall_auth.CallCancelledError):
            await client.get(ECHO, cancel=cancel)
        client.close()
        with pytest.raises(justcall_auth.CallCancelledError):
            await client.get(ECHO)

    run(main)


def test_the_source_may_be_a_coroutine_function(sandbox: Sandbox, run: Run) -> None:
    threads: list[threading.Thread] = []
    pair = Account(sandbox).credentials()

    async def load() -> Credentials:
        await anyio.sleep(0.01)
        threads.append(threading.current_thread())
        return pair

    class Loader:
        async def __call__(self) -> Credentials:
            return await load()

    async def main() -> None:
        for source in (load, Loader()):
            async with client_of(sandbox, source) as client:
                async with anyio.create_task_group() as tasks:
                    for _ in range(5):
                        tasks.start_soon(client.get, ECHO)

    run(main)
    assert threads == [threading.current_thread()] * 2


def test_an_exception_of_a_coroutine_function_is_that_of_a_callable(sandbox: Sandbox, run: Run) -> None:
    async def fails() -> Credentials:
        raise KeyError("canary")

    async def refuses() -> Credentials:
        raise justcall_auth.CredentialsMissingError("No such tenant.")

    async def wrong() -> Any:
        return 1

    async def main() -> None:
        with pytest.raises(justcall_auth.SourceUnavailableError) as caught:
            await client_of(sandbox, fails).get(ECHO)
        assert isinstance(caught.value.__cause__, KeyError)
        with pytest.raises(justcall_auth.CredentialsMissingError, match="No such tenant"):
            await client_of(sandbox, refuses).get(ECHO)
        with pytest.raises(justcall_auth.SourceUnavailableError, match="returned int"):
            await client_of(sandbox, wrong).get(ECHO)

    run(main)


def test_a_coroutine_source_may_not_use_its_own_client(sandbox: Sandbox, run: Run) -> None:
    async def main() -> None:
        async def load() -> Credentials:
            await client.get(ECHO)
            return sandbox.credentials()

        client = client_of(sandbox, load)
        with pytest.raises(justcall_auth.InvalidArgumentError, match="cannot use its own client"):
            await client.get(ECHO)

    run(main)


def test_no_call_fails_when_the_pair_is_reset_under_load(sandbox: Sandbox, run: Run, tmp_path: Path) -> None:
    account, file = Account(sandbox), tmp_path / "pair"
    put(file, account.line)
    statuses: list[int] = []

    async def main() -> None:
        async with client_of(sandbox, f"file:{file}", rotation_wait=20, timeout=60) as client:

            async def worker() -> None:
                for _ in range(10):
                    statuses.append((await client.get(ECHO)).http_status)

            async with anyio.create_task_group() as tasks:
                for _ in range(40):
                    tasks.start_soon(worker)
                await until(lambda: len(statuses) > 50)
                account.reset()
                await anyio.sleep(0.2)
                put(file, account.line)
            assert client.generation == 2

    run(main)
    assert statuses == [200] * 400


def test_one_client_works_in_several_event_loops(sandbox: Sandbox, run: Run) -> None:
    client = client_of(sandbox)

    async def main() -> None:
        for _ in range(3):
            assert (await client.get(ECHO)).http_status == 200

    for _ in range(3):
        run(main)
    failed: list[BaseException] = []

    def thread() -> None:
        try:
            run(main)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=thread) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert failed == []
    client.close()


def test_an_event_handler_is_called_and_can_end_the_call(sandbox: Sandbox, run: Run) -> None:
    class End(BaseException):
        pass

    events: list[str] = []

    def handler(event: justcall_auth.Event) -> None:
        events.append(event.name)
        if len(events) == 2:
            raise End

    async def main() -> None:
        pair = Account(sandbox).credentials()
        async with client_of(sandbox, pair, on_event=handler) as client:
            sandbox.fault("answer", status=503, times=1)
            assert (await client.get(ECHO)).http_status == 200
            sandbox.fault("answer", status=503, times=1)
            with pytest.raises(End):
                await client.get(ECHO)
        assert events == ["retrying"] * 2

    run(main)


def test_the_hooks_are_called_with_each_call(sandbox: Sandbox, run: Run) -> None:
    before: list[justcall_auth.CallRecord] = []
    after: list[tuple[str, str, int, int, str | None]] = []
    threads: set[threading.Thread] = set()

    def ended(record: justcall_auth.CallRecord) -> None:
        threads.add(threading.current_thread())
        after.append((record.method, record.path, record.http_status, record.attempts, record.error))

    async def main() -> None:
        pair = Account(sandbox).credentials()
        async with client_of(sandbox, pair, on_request=before.append, on_response=ended) as client:
            await client.verify()
            sandbox.fault("answer", status=503, times=1)
            await client.get(ECHO)
            with pytest.raises(justcall_auth.NotFoundError):
                await client.get("/no-such-page")
            hang(sandbox)
            with anyio.move_on_after(0.3):
                await client.post(ECHO, data=b"")

    run(main)
    assert [(record.method, record.path) for record in before] == [record[:2] for record in after]
    assert after == [
        ("GET", "/v2/account", 200, 1, None),
        ("GET", ECHO, 200, 2, None),
        ("GET", "/no-such-page", 404, 1, "not_found"),
        ("POST", ECHO, 0, 0, "cancelled"),
    ]
    assert threads == {threading.current_thread()}


def test_other_settings_share_the_threads_and_the_pair(sandbox: Sandbox, run: Run) -> None:
    async def main() -> None:
        async with client_of(sandbox, max_concurrency=1) as client:
            derived = client.with_options(max_retries=0)
            sandbox.fault("answer", status=503, times=1)
            with pytest.raises(justcall_auth.UnavailableError):
                await derived.get(ECHO)
            assert client.generation == derived.generation == 1
            derived.close()
            assert (await client.get(ECHO)).http_status == 200

    run(main)


def test_pages_wait_for_the_rate_limit_and_can_be_cancelled(sandbox: Sandbox, run: Run) -> None:
    async def main() -> None:
        account = Account(sandbox, rate_limit={"limit": 2, "window_s": 2})
        async with client_of(sandbox, account.credentials(), max_retries=0) as client:
            items = [call async for call in client.pages(CALLS, params={"per_page": 20})]
            assert len(items) == 57
        account = Account(sandbox, rate_limit={"limit": 1, "window_s": 50})
        cancel = Cancel()
        async with client_of(sandbox, account.credentials(), max_retries=0) as client:
            pages = client.pages(CALLS, params={"per_page": 1}, cancel=cancel)
            await pages.__anext__()
            cancel.fire()
            with pytest.raises(justcall_auth.CallCancelledError):
                await pages.__anext__()
            pages = client.pages(CALLS, params={"per_page": 1})
            with pytest.raises(justcall_auth.RateLimitedError):
                await pages.__anext__()

    run(main)


def test_a_link_to_another_host_is_not_requested(sandbox: Sandbox, run: Run) -> None:
    async def main() -> None:
        body = {"data": [1], "next_page_link": "https://example.com/v2.1/calls?page=1"}
        sandbox.fault("answer", status=200, body=body, times=1)
        async with client_of(sandbox) as client:
            pages = client.pages(CALLS)
            assert await pages.__anext__() == 1
            with pytest.raises(justcall_auth.InvalidResponseError, match="not under the base URL"):
                await pages.__anext__()

    run(main)


@pytest.mark.parametrize("wrong", [0, -1, "64", 1.5])
def test_it_refuses_an_invalid_max_concurrency(sandbox: Sandbox, wrong: Any) -> None:
    with pytest.raises((justcall_auth.InvalidArgumentError, TypeError), match="max_concurrency"):
        client_of(sandbox, max_concurrency=wrong)


def test_it_needs_an_event_loop(sandbox: Sandbox) -> None:
    coroutine = client_of(sandbox).get(ECHO)
    with pytest.raises(RuntimeError, match="no running event loop"):
        coroutine.send(None)


def test_it_cannot_be_pickled(sandbox: Sandbox) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(client_of(sandbox))


def test_an_event_loop_is_collected_after_its_end(sandbox: Sandbox) -> None:
    client = client_of(sandbox)
    loops = []
    for _ in range(3):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(client.get(ECHO))
        loop.close()
        loops.append(weakref.ref(loop))
        del loop
    wait_until(lambda: gc.collect() is not None and [loop() for loop in loops] == [None] * 3)


def test_it_is_collected_with_its_source_and_its_handler(sandbox: Sandbox) -> None:
    class Owner:
        def __init__(self) -> None:
            self.client = client_of(sandbox, self.load, on_event=self.handler)

        async def load(self) -> Credentials:
            return pair

        def handler(self, event: justcall_auth.Event) -> None:
            raise AssertionError(event)

    pair = Account(sandbox).credentials()
    owner = Owner()
    asyncio.run(owner.client.verify())
    gone = weakref.ref(owner)
    del owner
    wait_until(lambda: gc.collect() is not None and gone() is None)


SCRIPT = """
import asyncio
client = justcall_auth.AsyncClient(
    base_url=os.environ["SANDBOX_URL"], ca_file=os.environ["SANDBOX_CA_FILE"], timeout=None)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
def test_both_sides_of_a_fork_can_use_it(start: Start) -> None:
    script = """
assert asyncio.run(client.verify()).verified_by == "/v2/account"
child = os.fork()
assert asyncio.run(client.get("/v2.1/echo")).http_status == 200
if child == 0:
    os._exit(0)
print(os.waitpid(child, 0)[1])
"""
    assert finish(start(SCRIPT + script), 60) == (0, "0\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_an_interrupt_ends_the_program_in_a_call(sandbox: Sandbox, start: Start) -> None:
    hang(sandbox)
    child = start(SCRIPT + 'asyncio.run(client.get("/v2.1/echo"))')
    wait_until(lambda: len(sandbox.requests()) == 1, 60)
    child.send_signal(signal.SIGINT)
    code, _, errors = finish(child, 60)
    assert code != 0
    assert errors.rstrip().endswith("KeyboardInterrupt")


def test_the_interpreter_exits_during_a_call_and_a_source(sandbox: Sandbox, start: Start) -> None:
    sandbox.fault("hang")
    script = """
import time
async def slow():
    await asyncio.sleep(600)
other = justcall_auth.AsyncClient(slow, base_url=os.environ["SANDBOX_URL"],
    ca_file=os.environ["SANDBOX_CA_FILE"], timeout=None)
async def main():
    asyncio.ensure_future(client.get("/v2.1/echo"))
    asyncio.ensure_future(other.get("/v2.1/echo"))
    await asyncio.sleep(0.5)
    print("end", flush=True)
asyncio.run(main())
"""
    assert finish(start(SCRIPT + script), 60) == (0, "end\n", "")


def test_it_starts_no_thread_before_its_first_call_and_no_more_than_it_may(sandbox: Sandbox) -> None:
    if sys.platform != "linux":
        pytest.skip("this system does not list threads")

    def threads() -> int:
        names = []
        for task in os.listdir("/proc/self/task"):
            with contextlib.suppress(OSError), open(f"/proc/self/task/{task}/comm") as file:
                names.append(file.read().strip())
        return names.count("justcall-call")

    async def main() -> None:
        await asyncio.gather(*(client.get(ECHO) for _ in range(50)))

    before = threads()
    with contextlib.closing(client_of(sandbox, max_concurrency=3)) as client:
        assert threads() <= before
        asyncio.run(main())
        assert 0 < threads() <= before + 3
