"""Callbacks that switch to other greenlets of their thread, under gevent and eventlet, and their tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import finish

if TYPE_CHECKING:
    from support import Sandbox, Start

LIMIT = 60.0
"""How long a program may take, in seconds: far longer than it needs, so that only a hang exceeds it."""

BEGINNING = """
import asyncio, contextvars, itertools
import gevent, gevent.event
from gevent import spawn
sys.path.insert(0, os.environ["TESTS"])
import webhooks

LOADED = justcall_auth.Credentials(os.environ["JUSTCALL_API_KEY"], os.environ["JUSTCALL_API_SECRET"])

def of(source=lambda: LOADED, **more):
    more.setdefault("timeout", 20)
    return justcall_auth.Client(
        source, base_url=os.environ["SANDBOX_URL"], ca_file=os.environ["SANDBOX_CA_FILE"], **more)

wrong = map(str, itertools.count(10**39))

def rejected(on_event):
    pair = justcall_auth.Credentials(os.environ["JUSTCALL_API_KEY"], next(wrong))
    return justcall_auth.Client.from_credentials(
        pair, base_url=os.environ["SANDBOX_URL"], ca_file=os.environ["SANDBOX_CA_FILE"],
        max_retries=0, on_event=on_event)

def slow_source():
    gevent.sleep(0.05)
    return LOADED

def outcome(call):
    try:
        call()
        return "good"
    except BaseException as error:
        return type(error).__name__

def outcomes(*calls):
    running = [spawn(outcome, call) for call in calls]
    gevent.joinall(running, raise_error=True)
    return [one.value for one in running]
"""


def output_of(start: Start, script: str) -> str:
    """Runs the script, which must succeed without errors. Returns its output."""
    code, output, errors = finish(start(BEGINNING + script), LIMIT)
    assert (code, errors) == (0, "")
    return output


@pytest.fixture(autouse=True)
def _where_the_tests_are(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setenv("TESTS", str(request.path.parent))


def test_a_source_that_yields_lets_calls_of_its_own_client_and_of_others_continue(start: Start) -> None:
    script = """
shared, other = of(slow_source), of(slow_source)
calls = [shared.verify, other.verify, shared.authorization, lambda: shared.get("/v2.1/echo"), other.reload]
print(outcomes(*calls, *calls))
"""
    assert output_of(start, script) == f"{['good'] * 10}\n"


def test_a_call_that_waits_for_the_source_of_a_greenlet_needs_no_timeout(start: Start) -> None:
    script = """
shared = of(slow_source, timeout=None)
first = spawn(shared.verify)
gevent.sleep(0.01)
print(shared.verify().verified_by, outcomes(shared.verify, shared.verify))
first.join()
"""
    assert output_of(start, script) == "/v2/account ['good', 'good']\n"


def test_an_exception_of_a_handler_that_yields_ends_only_its_own_call(start: Start) -> None:
    script = """
class Stop(BaseException):
    pass

second_begun, first_over = gevent.event.Event(), gevent.event.Event()

def first(event):
    second_begun.wait()
    raise Stop

def second(event):
    second_begun.set()
    first_over.wait()

def run_first():
    try:
        rejected(first).verify()
    finally:
        first_over.set()

print(outcomes(run_first, rejected(second).verify))
"""
    assert output_of(start, script) == "['Stop', 'InvalidCredentialsError']\n"


def test_the_cause_of_a_source_that_yields_is_raised_only_by_its_own_call(start: Start) -> None:
    script = """
def failing(number):
    def source():
        gevent.sleep(0.01 * (3 - number))
        raise LookupError(number)
    return source

def cause(number):
    try:
        of(failing(number)).verify()
    except justcall_auth.SourceUnavailableError as error:
        return error.__cause__.args[0]

running = [spawn(cause, number) for number in range(4)]
gevent.joinall(running, raise_error=True)
print([one.value for one in running])
"""
    assert output_of(start, script) == "[0, 1, 2, 3]\n"


@pytest.mark.parametrize("secret", ["webhooks.SECRET", "of(slow_source)"])
def test_replay_checks_that_yield_do_not_disturb_each_other(start: Start, secret: str) -> None:
    script = f"""
SECRET = {secret}
signing = webhooks.SECRET if SECRET is webhooks.SECRET else os.environ["JUSTCALL_API_SECRET"]
signed = webhooks.headers(webhooks.signature(secret=signing))
"""
    script += """
def check(waits):
    def asked(event):
        gevent.sleep(waits)
        shared.verify()
        return False
    return justcall_auth.WebhookVerifier(SECRET, url=webhooks.URL, replay_check=asked)

shared = of(slow_source)
verifiers = [check(waits) for waits in (0.03, 0.01, 0.02, 0)]
print(outcomes(*[lambda v=v: v.verify(signed, webhooks.body(), webhooks.NOW) for v in verifiers]))
"""
    assert output_of(start, script) == f"{['good'] * 4}\n"


def test_callbacks_and_arguments_may_yield_in_any_order(start: Start) -> None:
    script = """
import random
chance = random.Random(7)

def pause():
    gevent.sleep(chance.random() / 100)

def source():
    pause()
    return LOADED

def headers(number):
    pause()
    yield ("x-number", str(number))
    pause()

def handler(event):
    pause()
    outcome(lambda: shared.get("/v2.1/echo"))
    pause()

shared = of(source)

def work(number):
    for _ in range(6):
        shared.get("/v2.1/echo", headers=headers(number), params=headers(number))
        assert outcome(rejected(handler).verify) == "InvalidCredentialsError"
        fresh = of(source)
        fresh.verify()
        fresh.reload()
        exchange = fresh.exchange("GET", "/v2.1/echo", headers=headers(number))
        assert exchange.next() is justcall_auth.Action.SEND
        exchange.close()

print(outcomes(*[lambda number=number: work(number) for number in range(8)]))
"""
    assert output_of(start, script) == f"{['good'] * 8}\n"


def test_exchanges_whose_sources_yield_run_concurrently(start: Start) -> None:
    script = """
shared = of(slow_source)

def drive():
    with shared.exchange("GET", "/v2.1/echo") as exchange:
        while (action := exchange.next()) is not justcall_auth.Action.SEND:
            if action is justcall_auth.Action.LOAD:
                exchange.load()
            else:
                gevent.sleep(action.seconds)

print(outcomes(drive, drive, shared.verify, drive))
"""
    assert output_of(start, script) == f"{['good'] * 4}\n"


def test_a_greenlet_drives_its_exchange_while_another_is_in_the_source(start: Start) -> None:
    script = """
def source():
    print(outcome(made_before.next), outcome(made_before.load))
    go_on.wait()
    return LOADED

go_on = gevent.event.Event()
shared = of(source)
made_before = shared.exchange("GET", "/v2.1/echo")
first = spawn(outcome, shared.verify)
gevent.sleep(0.01)
waits = made_before.next()
go_on.set()
print(type(waits).__name__, first.get(), made_before.next())
"""
    refused = "InvalidArgumentError"
    assert output_of(start, script) == f"{refused} {refused}\nWait good Action.SEND\n"


def test_a_source_may_not_use_its_own_client_but_its_greenlets_may_later(start: Start) -> None:
    script = """
later = []

def use():
    go_on.wait()
    return outcome(client.verify)

def in_thread():
    context = contextvars.copy_context()
    found = []
    def run():
        while not go_on.is_set():
            time.sleep(0.001)
        found.append(context.run(outcome, client.verify))
    thread = threading.Thread(target=run)
    thread.start()
    return thread, found

def source():
    later.append(spawn(use))
    threads.append(in_thread())
    print(outcome(client.verify), outcome(client.authorization))
    return LOADED

threads = []
go_on = gevent.event.Event()
client = of(source)
print(outcome(client.verify))
go_on.set()
print([one.get() for one in later])
for thread, found in threads:
    thread.join()
    print(found)
"""
    refused = "InvalidArgumentError"
    expected = f"{refused} {refused}\ngood\n['good']\n['good']\n"
    assert output_of(start, script) == expected


def test_a_task_that_a_source_started_may_use_the_client_after_the_source_returned(start: Start) -> None:
    script = """
async def main():
    loop = asyncio.get_running_loop()
    tasks = []
    over = asyncio.Event()

    async def use():
        await over.wait()
        return await asyncio.to_thread(outcome, client.verify)

    def source():
        print(outcome(client.verify))
        tasks.append(loop.create_task(use()))
        return LOADED

    client = of(source)
    print(outcome(client.verify))
    over.set()
    print(await tasks[0])

asyncio.run(main())
"""
    assert output_of(start, script) == "InvalidArgumentError\ngood\ngood\n"


def test_a_greenlet_that_is_killed_while_it_waits_for_the_source_of_another_ends(start: Start) -> None:
    script = """
go_on = gevent.event.Event()

def source():
    go_on.wait()
    return LOADED

shared = of(source)
first, second = spawn(outcome, shared.verify), spawn(outcome, shared.verify)
gevent.sleep(0.1)
second.kill(gevent.Timeout(7))
print(second.value)
go_on.set()
print(first.get())
"""
    assert output_of(start, script) == "Timeout\ngood\n"


def test_a_client_can_be_used_in_gevents_thread_pool(sandbox: Sandbox, start: Start) -> None:
    sandbox.fault("delay", ms=300, times=1)
    script = """
ticks = []

def tick():
    while True:
        gevent.sleep(0.01)
        ticks.append(1)

ticking = spawn(tick)
answer = gevent.get_hub().threadpool.apply(client.get, ("/v2.1/echo",))
print(answer.http_status, len(ticks) > 5)
ticking.kill()
"""
    assert output_of(start, script) == "200 True\n"


def test_eventlets_greenlets_wait_for_each_other_too(start: Start) -> None:
    script = """
import warnings
warnings.simplefilter("ignore")
import eventlet
del sys.modules["gevent"]

def source():
    eventlet.sleep(0.05)
    return LOADED

shared = of(source, timeout=None)
running = [eventlet.spawn(outcome, call) for call in (shared.verify, shared.authorization, shared.verify)]
print([one.wait() for one in running])
"""
    assert output_of(start, script) == f"{['good'] * 3}\n"


def test_a_call_in_the_hub_of_gevent_waits_without_greenlets(sandbox: Sandbox, start: Start) -> None:
    sandbox.fault("delay", ms=300, path="/v2.1/echo")
    script = """
done = gevent.event.Event()

def source():
    done.wait()
    return LOADED

def in_hub():
    found.append(outcome(lambda: other.get("/v2.1/echo", timeout=10)))
    done.set()

found = []
other = of(timeout=20)
first = spawn(outcome, of(source).verify)
gevent.sleep(0.01)
gevent.get_hub().loop.run_callback(in_hub)
print(first.get(), found)
"""
    assert output_of(start, script) == "good ['good']\n"
