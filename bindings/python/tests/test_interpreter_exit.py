"""Daemon threads that are in Python code called by the module when the interpreter shuts down.

Python before 3.14 ends such a thread with `pthread_exit()` when it asks for the GIL. On Linux that unwinds
its stack, and the process would abort when the unwinding reaches Rust code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import finish

if TYPE_CHECKING:
    from support import Sandbox, Start

LIMIT = 60.0
"""How long a program may take, in seconds: far longer than it needs, so that only a hang exceeds it."""

BEGINNING = """
import asyncio, logging, random, warnings
from collections.abc import Sequence
sys.path.insert(0, os.environ["TESTS"])
import webhooks

ready = threading.Event()

def block(*_ignored):
    "Asks for the GIL again and again."
    ready.set()
    while True:
        time.sleep(0.001)

def stay(*_ignored):
    "Asks for the GIL again and again, in bytecode alone."
    ready.set()
    while True:
        pass

class Shutdown:
    "Gives the other threads time to ask for the GIL, once the interpreter began to shut down."
    def __del__(self, sleep=time.sleep):
        sleep(0.1)

shutdown = Shutdown()

def settings(**more):
    return dict(base_url=os.environ["SANDBOX_URL"], ca_file=os.environ["SANDBOX_CA_FILE"], **more)

def rejected(**more):
    pair = justcall_auth.Credentials(os.environ["JUSTCALL_API_KEY"], "0" * 40)
    return justcall_auth.Client.from_credentials(pair, **settings(max_retries=0, **more))

def verifier(check, secret=webhooks.SECRET):
    return justcall_auth.WebhookVerifier(secret, url=webhooks.URL, replay_check=check)

def deliver(verifier, headers=None):
    return verifier.verify(headers or webhooks.headers(), webhooks.body(), webhooks.NOW)

class Number:
    __float__ = __index__ = block

class Blocking:
    "Blocks where Python code may look at an argument."
    keys = items = __iter__ = __fspath__ = block

class Attribute:
    @property
    def items(self):
        block()

class Meta(type):
    def __getattribute__(cls, name):
        return block() if name == "__qualname__" else type.__getattribute__(cls, name)

class Odd(metaclass=Meta):
    pass

class Instance:
    @property
    def __class__(self):
        block()

class Given:
    "Blocks when the module lets go of it."
    __del__ = block
    def __call__(self):
        pass

def iterating():
    yield ("a", "1")
    block()

class Raising(Exception):
    def __init__(self):
        pass

def raises(*_ignored):
    raise Raising

class Handler(logging.Handler):
    handle = block

def logged():
    logging.getLogger("justcall_auth").addHandler(Handler())
    rejected().verify()

def unraisable():
    sys.unraisablehook = block
    rejected(on_event=raises).verify()

def exchanged():
    exchange = justcall_auth.Client(block, **settings()).exchange("GET", "/v2.1/echo")
    exchange.next()
    exchange.load()

def confirmed():
    deliver(verifier(None)).confirm(type("Client", (), {"get": block})())

def collected():
    justcall_auth.Client(Given(), **settings()).close()

def forgotten():
    "The client goes, and the last reference to its source with it."
    justcall_auth.Client(Given(), **settings())

def in_daemon(work):
    threading.Thread(target=work, daemon=True).start()
    assert ready.wait(30)
"""

WAYS = {
    "source": "lambda: justcall_auth.Client(block, **settings()).verify()",
    "source in bytecode": "lambda: justcall_auth.Client(stay, **settings()).authorization()",
    "source of an exchange": "exchanged",
    "protection": "lambda: justcall_auth.Client(block, **settings()).protection",
    "reload": "lambda: justcall_auth.Client(block, **settings()).reload()",
    "on_event": "lambda: rejected(on_event=block).verify()",
    "on_event in bytecode": "lambda: rejected(on_event=stay).verify()",
    "logging": "logged",
    "unraisablehook": "unraisable",
    "replay_check": "lambda: deliver(verifier(block))",
    "replay_check in bytecode": "lambda: deliver(verifier(stay))",
    "secrets of a client": "lambda: deliver(verifier(None, justcall_auth.Client(block, **settings())))",
    "confirm": "confirmed",
    "params": "lambda: client.get('/', params=Blocking())",
    "params in an attribute": "lambda: client.get('/', params=Attribute())",
    "params in a generator": "lambda: client.get('/', params=iterating())",
    "a value of params": "lambda: client.get('/', params={'a': Instance()})",
    "headers": "lambda: client.get('/', headers=Blocking())",
    "headers of a webhook": "lambda: deliver(verifier(None), Blocking())",
    "headers of classify": "lambda: justcall_auth.classify(200, iterating(), b'')",
    "json": "lambda: client.post('/', json=type('D', (dict,), {'items': block})(a=1))",
    "timeout": "lambda: client.get('/', timeout=Number())",
    "max_retries": "lambda: justcall_auth.Client(max_retries=Number())",
    "http_status": "lambda: justcall_auth.classify(Number(), {}, b'')",
    "now": "lambda: verifier(None).verify(webhooks.headers(), webhooks.body(), Number())",
    "ca_file": "lambda: justcall_auth.Client(ca_file=Blocking())",
    "secret": "lambda: verifier(None, iterating())",
    "the name of a type": "lambda: justcall_auth.Client(Odd())",
    "what a source returned": "lambda: justcall_auth.Client(Given, **settings()).verify()",
    "what a handler returned": "lambda: rejected(on_event=lambda event: Given()).verify()",
    "what a replay_check returned": "lambda: deliver(verifier(lambda event: Given()))",
    "closing": "collected",
    "forgetting": "forgotten",
}


def exit_of(start: Start, script: str) -> tuple[int, str, str]:
    """Returns the exit code and output of a program whose main thread ends first."""
    return finish(start(BEGINNING + script), LIMIT)


@pytest.fixture(autouse=True)
def _where_the_tests_are(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setenv("TESTS", str(request.path.parent))


@pytest.mark.parametrize("way", WAYS)
def test_a_daemon_thread_in_python_code_does_not_abort_the_process(start: Start, way: str) -> None:
    for _ in range(3):
        assert exit_of(start, f"in_daemon({WAYS[way]})") == (0, "", "")


def test_a_daemon_thread_that_waits_for_the_service_does_not_abort_the_process(
    sandbox: Sandbox, start: Start
) -> None:
    script = """
def work():
    ready.set()
    while True:
        try:
            client.get("/v2.1/echo", timeout=0.005)
        except justcall_auth.JustCallError:
            pass
in_daemon(work)
"""
    for _ in range(5):
        sandbox.fault("hang", times=3)
        assert exit_of(start, script) == (0, "", "")


def test_a_daemon_thread_in_any_phase_of_a_call_does_not_abort_the_process(start: Start) -> None:
    script = """
sys.setswitchinterval(1e-6)
pair = justcall_auth.Credentials(os.environ["JUSTCALL_API_KEY"], os.environ["JUSTCALL_API_SECRET"])
checking = verifier(lambda event: sum(range(9)) < 0)

def load():
    sum(range(9))
    return pair

def work():
    own = justcall_auth.Client(load, **settings())
    while True:
        own.reload()
        deliver(checking)
        for call, *arguments in (justcall_auth.Credentials, "", ""), (justcall_auth.classify, 429, {}, b""):
            try:
                call(*arguments)
            except justcall_auth.JustCallError as error:
                str(error)
        ready.set()

for _ in range(4):
    in_daemon(work)
time.sleep(random.random() / 20)
"""
    for _ in range(20):
        assert exit_of(start, script) == (0, "", "")


def test_asyncios_threads_do_not_abort_the_process(start: Start) -> None:
    script = """
async def work():
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    def run():
        rejected(on_event=block).verify()
    threading.Thread(target=run, daemon=True).start()
    await asyncio.to_thread(ready.wait)
asyncio.run(work())
"""
    assert exit_of(start, script) == (0, "", "")
