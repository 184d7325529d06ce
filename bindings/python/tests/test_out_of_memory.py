"""Copies that do not fit into memory raise `OutOfMemoryError`, and the process continues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import justcall_auth

if TYPE_CHECKING:
    import subprocess

    from support import Sandbox, Start

LIMIT = """
import resource
MIB = 1 << 20
def limit(left):
    pages = int(open("/proc/self/statm").read().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + left, resource.RLIM_INFINITY))

def refused(call, error=justcall_auth.OutOfMemoryError):
    try:
        call()
    except error as failure:
        assert error is not justcall_auth.OutOfMemoryError or isinstance(failure, MemoryError)
        return failure
    raise SystemExit("a call was not refused")
"""
"""Limits the memory of a child process of a test."""


def check(child: subprocess.Popen[str]) -> None:
    out, err = child.communicate(timeout=300)
    assert (child.returncode, out, err) == (0, "good\n", "")


def test_it_is_an_error_of_the_package_and_of_python() -> None:
    error = justcall_auth.OutOfMemoryError()
    assert isinstance(error, MemoryError)
    assert (error.code, error.name, error.retryable) == (3, "out_of_memory", False)


def test_an_argument_that_does_not_fit_raises_out_of_memory(start: Start) -> None:
    script = """
long = b"x" * (300 * MIB)
text = long.decode()
array = bytearray(long)
key = "k" * 40
verifier = justcall_auth.WebhookVerifier(key, url="https://a.example/")
limit(128 * MIB)
refused(lambda: bytes(300 * MIB), MemoryError)  # Positive control: the limit applies.
classify = justcall_auth.classify
for body in (long, array, memoryview(long), text):
    failure = refused(lambda: client.post("/v2.1/echo", data=body))
    assert not failure.request_sent and failure.http_status == 0
    refused(lambda: classify(400, {}, body))
    refused(lambda: classify(200, {}, body))
refused(lambda: client.post("/v2.1/echo", json=text))
for header in (long, text):
    refused(lambda: classify(400, {"x-note": header}, b""))
    refused(lambda: classify(400, {header: "x"}, b""))
refused(lambda: client.get(text))
refused(lambda: client.get("/", params={"a": text}))
refused(lambda: client.get("/", headers={"a": text}))
refused(lambda: justcall_auth.Client(source=text))
refused(lambda: justcall_auth.Client(base_url=text))
refused(lambda: justcall_auth.diagnose(text))
refused(lambda: justcall_auth.diagnose(array))
refused(lambda: verifier.verify({}, array))
for half in (long, text, array):
    refused(lambda: justcall_auth.Credentials(half, key), justcall_auth.CredentialsMalformedError)
client.verify()
print("good")
"""
    check(start(LIMIT + script))


@pytest.mark.parametrize("chunked", [False, True])
def test_a_response_that_does_not_fit_raises_out_of_memory(
    sandbox: Sandbox, start: Start, chunked: bool
) -> None:
    sandbox.control("POST", "faults", {"fault": "huge_body", "bytes": 30 << 20, "chunked": chunked})
    script = """
limit(16 * MIB)
failure = refused(lambda: client.post("/v2.1/echo"))
assert failure.request_sent
print("good")
"""
    check(start(LIMIT + script))


def test_an_answer_that_does_not_fit_into_an_exchange_says_that_the_request_was_sent(start: Start) -> None:
    script = """
import time
long, cause = b"x" * (300 * MIB), "x" * (300 * MIB)
exchange = client.exchange("POST", "/v2.1/echo")
while (action := exchange.next()) is not justcall_auth.Action.SEND:
    if action is justcall_auth.Action.LOAD:
        exchange.load()
    else:
        time.sleep(action.seconds)
limit(128 * MIB)
refused(lambda: bytes(300 * MIB), MemoryError)  # Positive control: the limit applies.
for answer in (({}, long), ({"x-note": long}, b"")):
    assert refused(lambda: exchange.answered(200, *answer)).request_sent
for sent in (True, False):
    assert refused(lambda: exchange.failed(cause, sent)).request_sent == sent
print("good")
"""
    check(start(LIMIT + script))
