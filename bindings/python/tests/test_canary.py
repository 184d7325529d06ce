"""Nothing shows a secret: the tests search for a canary in every place where Python shows objects."""

from __future__ import annotations

import base64
import hmac
import io
import json
import logging
import pickle
import pprint
import tempfile
import time
import traceback
import warnings
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from justcall_auth import Client, Credentials, Headers, Response, WebhookEvent, WebhookVerifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support import Sandbox

CANARY = "9f3c7a51e8d2460b9c7f13a5d8e264b09f7c31ae"
"""The secret to search for. It is in no local variable, because tracebacks may show those."""

WINDOW = 8
"""How many consecutive characters are a leak."""


def leaks(texts: Iterator[str]) -> list[str]:
    """Returns the texts that show a part of the canary, in plain text, hexadecimal or base64."""
    secret = CANARY.encode()
    windows = {CANARY[at : at + WINDOW] for at in range(len(CANARY) - WINDOW + 1)}
    windows |= {window.encode().hex() for window in windows}
    # In base64 the position of a byte decides its form: there are three, whose ends depend on the neighbours.
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + secret).decode()
        windows |= {encoded[at : at + WINDOW] for at in range(4, len(encoded) - WINDOW - 4)}
    return [text for text in texts if any(window in text for window in windows)]


def shown(thing: object) -> Iterator[str]:
    """Yields every text of `thing`, of its contents and of its pickles."""
    yield from printed(thing)
    yield from pickled(thing)
    yield from walked(thing)


def printed(thing: object) -> Iterator[str]:
    """Yields every text into which Python converts `thing`."""
    yield from (repr(thing), str(thing), ascii(thing), f"{thing}", f"{thing!r}", "%s %r" % (thing, thing))  # noqa: UP031
    yield pprint.pformat({"thing": [thing]})
    yield json.dumps({"thing": thing}, default=str)
    yield from logged(thing)


def logged(thing: object) -> Iterator[str]:
    """Returns the output of `logging`."""
    stream = io.StringIO()
    logger = logging.Logger("canary")
    logger.addHandler(logging.StreamHandler(stream))
    logger.error("%s %r", thing, thing, exc_info=thing if isinstance(thing, BaseException) else None)
    yield stream.getvalue()


def pickled(thing: object) -> Iterator[str]:
    """Yields the output of `pickle`, with every protocol that works."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        try:
            yield pickle.dumps(thing, protocol).decode("latin-1")
        except (TypeError, pickle.PicklingError, AttributeError) as error:
            yield from (str(error), repr(error))


def walked(thing: object, depth: int = 2) -> Iterator[str]:
    """Yields the values of its attributes, and the results of its harmless methods.

    Not what the service sent: who asks an answer for its body, its headers or all that it holds gets it.
    """
    if isinstance(thing, (Headers, Response)):
        return
    yield repr(getattr(thing, "__dict__", None))
    for name in dir(thing):
        try:
            value = getattr(thing, name, None)
        except justcall_auth.JustCallError as error:  # The error of a client that reads its source.
            value = error
        yield f"{name}: {value!r} {value!s}"
        if name in {"__reduce__", "__getstate__", "__dir__", "__sizeof__", "__doc__"} and callable(value):
            try:
                yield repr(value())
            except TypeError as error:
                yield repr(error)
        if depth > 0 and not name.startswith("__") and not callable(value):
            yield from walked(value, depth - 1)


def traced(error: BaseException) -> Iterator[str]:
    """Returns its traceback as crash reporters send it, with the local variables of every frame."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    yield "".join(report.format())
    yield from traceback.format_exception(type(error), error, error.__traceback__)


def malformed() -> object:
    return Credentials("abc123def456", CANARY + " ")


def malformed_key() -> object:
    return Credentials(CANARY + ":", "sec789xyz000")


def surrogate() -> object:
    return Credentials("abc123def456", CANARY + "\ud800")


def not_ascii() -> object:
    return Credentials("abc123def456", (CANARY + "ä").encode())


def wrong_type() -> object:
    wrong: Any = [CANARY]
    try:
        return Credentials("abc123def456", wrong)
    finally:
        del wrong  # A local variable of this test, not of the library.


def pair_for_source() -> object:
    return Client(f"abc123def456:{CANARY}")


def pair_for_path() -> object:
    return Client(verify_path=f"abc123def456:{CANARY}")


def pair_for_credentials() -> object:
    wrong: Any = f"abc123def456:{CANARY}"
    try:
        return Client.from_credentials(wrong)
    finally:
        del wrong


def malformed_variable() -> object:
    return Client().verify()


def pair_for_proxy() -> object:
    return Client(proxy=f"ftp://abc123def456:{CANARY}@127.0.0.1:1")


def pair_for_memory_protection() -> object:
    return Client(memory_protection=f"abc123def456:{CANARY}")


def malformed_variable_for_protection() -> object:
    return Client().protection


def pair_for_path_of_a_request() -> object:
    return Client().get(f"abc123def456:{CANARY}")


def pair_for_method() -> object:
    return Client().request(f"abc123def456:{CANARY}", "/")


def pair_for_header_name() -> object:
    return Client().get("/", headers={f"abc123def456:{CANARY}": "x"})


def pair_for_header_value() -> object:
    return Client().get("/", headers={"X-Pair": f"abc123def456:{CANARY}\n"})


def pair_that_the_callable_returns() -> object:
    wrong: Any = lambda: f"abc123def456:{CANARY}"  # noqa: E731 - a function's name would be in the traceback
    return Client(wrong).verify()


def secret_for_webhooks_malformed() -> object:
    return WebhookVerifier(CANARY + " ", url="https://example.com/")


def secret_for_webhooks_of_a_wrong_type() -> object:
    wrong: Any = [[CANARY]]
    try:
        return WebhookVerifier(wrong, url="https://example.com/")
    finally:
        del wrong


def secret_for_url() -> object:
    return WebhookVerifier("sec789xyz000", url=CANARY)


def secret_for_a_webhooks_header() -> object:
    verifier = WebhookVerifier("sec789xyz000", url="https://example.com/")
    return verifier.verify(
        {
            "x-justcall-signature": CANARY + "0" * 24,
            "x-justcall-signature-version": "v1",
            "x-justcall-request-timestamp": CANARY,
        },
        b"",
    )


def bad_files() -> Iterator[str]:
    for text in (
        f"abc123def456:{CANARY} x\n",
        f'{{"api_key": "abc123def456", "api_secret": ["{CANARY}"]}}',
        CANARY,
    ):
        with tempfile.NamedTemporaryFile("w", suffix=".pair") as file:
            file.write(text)
            file.flush()
            try:
                Credentials.load(f"file:{file.name}")
            except justcall_auth.JustCallError as error:
                del text
                yield from shown(error)
                yield from traced(error)


@pytest.mark.parametrize(
    "refused",
    [
        malformed,
        malformed_key,
        surrogate,
        not_ascii,
        wrong_type,
        pair_for_source,
        pair_for_path,
        pair_for_credentials,
        malformed_variable,
        pair_for_proxy,
        pair_for_memory_protection,
        malformed_variable_for_protection,
        pair_for_path_of_a_request,
        pair_for_method,
        pair_for_header_name,
        pair_for_header_value,
        pair_that_the_callable_returns,
        secret_for_webhooks_malformed,
        secret_for_webhooks_of_a_wrong_type,
        secret_for_url,
        secret_for_a_webhooks_header,
    ],
)
def test_a_refusal_does_not_show_the_refused_value(
    refused: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUSTCALL_API_KEY", "abc123def456")
    monkeypatch.setenv("JUSTCALL_API_SECRET", f'"{CANARY}')
    with pytest.raises((justcall_auth.JustCallError, TypeError)) as caught:
        refused()
    assert leaks(shown(caught.value)) == []
    assert leaks(traced(caught.value)) == []


def test_a_malformed_file_is_not_shown() -> None:
    assert leaks(bad_files()) == []


def test_credentials_and_clients_do_not_show_the_secret() -> None:
    credentials = Credentials("abc123def456", CANARY)
    with Client.from_credentials(credentials) as client:
        exchange = client.exchange("GET", "/v2.1/echo")
        assert exchange.next() is justcall_auth.Action.LOAD
        exchange.load()
        assert exchange.next() is justcall_auth.Action.SEND
        assert exchange.authorization().endswith(CANARY)
        for thing in (credentials, client, client.protection, client.usage, exchange):
            assert leaks(shown(thing)) == []
        assert client.authorization().endswith(CANARY)
        assert leaks(shown(client)) == []
    assert leaks(shown(client)) == []


def test_a_failure_does_not_show_an_echoed_secret(sandbox: Sandbox) -> None:
    pair = sandbox.control("POST", "pairs", {"api_key": "abc123def456", "api_secret": CANARY})
    credentials = Credentials(pair.pop("api_key"), pair.pop("api_secret"))
    echo = {"message": "You sent {authorization}: {api_secret}.", "error": "{api_secret}"}
    with sandbox.client(credentials, max_retries=0) as client:
        # 401 is the last status: after it the pair is not sent again for 30 seconds.
        for status in (200, 302, 400, 403, 404, 422, 429, 500, 503, 600, 401):
            location = "https://evil.example/{authorization}"
            sandbox.control("DELETE", "faults")
            sandbox.fault("answer", status=status, body=echo, headers={"Location": location})
            for call in (client.verify, lambda: client.post("/v2.1/echo", json={"to": "+1"})):
                if status in {200, 401} and call is not client.verify:
                    continue  # Any body is a success then, or no request is sent any more.
                with pytest.raises(justcall_auth.JustCallError) as caught:
                    call()
                assert caught.value.http_status == status
                assert leaks(shown(caught.value)) == []
                assert leaks(traced(caught.value)) == []
                assert leaks(printed(caught.value.response)) == []


def test_a_response_contains_no_secret_that_the_service_echoes(sandbox: Sandbox) -> None:
    pair = sandbox.control("POST", "pairs", {"api_key": "abc123def458", "api_secret": CANARY})
    credentials = Credentials(pair.pop("api_key"), pair.pop("api_secret"))
    body = {"data": "You sent {authorization}."}
    sandbox.fault("answer", status=200, body=body, headers={"X-Echo": "{authorization}"})
    with sandbox.client(credentials) as client:
        response = client.get("/v2.1/echo")
        assert leaks(shown(client)) == []
    assert response.text.startswith('{"data":"You sent abc123def458:')
    held = [response.text, repr(response.body), repr(response.json()), repr(response.headers.multi_items())]
    assert leaks(iter(held)) == []


@pytest.mark.parametrize("form", ["<%s", '["%s"', '["%s"] %s', '["%s", NaN]'])
def test_the_repr_of_a_response_shows_no_content(form: str) -> None:
    headers = {"X-Echo": CANARY, "Content-Type": f"text/{CANARY}"}
    response = Response(200, Headers(headers), form.replace("%s", CANARY).encode())
    del headers
    for thing in (response, response.headers, response.rate_limit):
        assert leaks(printed(thing)) == []
    with pytest.raises(justcall_auth.InvalidResponseError) as caught:
        response.json()
    assert leaks(shown(caught.value)) == []
    assert leaks(traced(caught.value)) == []


def test_webhooks_do_not_show_the_secret() -> None:
    verifier = WebhookVerifier(CANARY, url="https://example.com/hook")
    assert leaks(shown(verifier)) == []
    body = b'{"webhook_url": "https://example.com/hook", "type": "call.completed"}'
    now = time.time()
    message = f"{CANARY}|https%3A%2F%2Fexample.com%2Fhook|call.completed|{now:.0f}"
    headers = {
        "x-justcall-signature": hmac.new(CANARY.encode(), message.encode(), "sha256").hexdigest(),
        "x-justcall-signature-version": "v1",
        "x-justcall-request-timestamp": f"{now:.0f}",
    }
    del message
    assert leaks(shown(verifier.verify(headers, body))) == []
    for change in ({"x-justcall-signature": "0" * 64}, {"x-justcall-request-timestamp": "0"}):
        with pytest.raises(justcall_auth.WebhookError) as caught:
            verifier.verify({**headers, **change}, body)
        assert leaks(shown(caught.value)) == []
        assert leaks(traced(caught.value)) == []
    with pytest.raises(justcall_auth.WebhookStaleError) as stale:
        verifier.verify(headers, body, now + 1000)
    assert leaks(shown(stale.value)) == []
    assert leaks(traced(stale.value)) == []


def test_the_repr_of_a_webhook_event_does_not_show_the_body() -> None:
    event = WebhookEvent("https://example.com/", "call.completed", 0.0, f"<{CANARY}>".encode())
    assert leaks(printed(event)) == []


def test_events_do_not_show_the_secret(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    pair = sandbox.control("POST", "pairs", {"api_key": "abc123def459", "api_secret": CANARY})
    credentials = Credentials(pair.pop("api_key"), pair.pop("api_secret"))
    events: list[justcall_auth.Event] = []

    def handler(event: justcall_auth.Event) -> None:
        events.append(event)
        raise KeyboardInterrupt if event.name == "pair_rejected" else ValueError

    body = {"message": "You sent {authorization}: {api_secret}.", "error": "{api_secret}"}
    sandbox.fault("answer", status=503, times=1, body=body)
    sandbox.fault("answer", status=401, body=body)
    reports: list[str] = []
    with pytest.MonkeyPatch.context() as patch, caplog.at_level(logging.DEBUG):
        patch.setattr("sys.unraisablehook", lambda report: reports.extend(traced(report.exc_value)))
        with (
            sandbox.client(credentials, on_event=handler) as client,
            pytest.raises(KeyboardInterrupt) as caught,
        ):
            client.get("/v2.1/echo")
        assert leaks(shown(client)) == []
    assert [event.name for event in events] == ["retrying", "pair_rejected"]
    assert leaks(text for event in events for text in shown(event)) == []
    assert leaks(traced(caught.value)) == []
    assert reports
    assert leaks(iter(reports)) == []
    # Two events, and the record of the call.
    assert len(caplog.records) == 3
    assert leaks(text for record in caplog.records for text in shown(record)) == []


def test_findings_do_not_show_the_secret() -> None:
    for text in (f"Bearer {CANARY}", f'"{CANARY}:{CANARY}"', f"{CANARY} : {CANARY}\n".encode()):
        findings = justcall_auth.diagnose(text)
        assert findings
        del text
        assert leaks(shown(findings)) == []
        assert leaks(shown(findings[0])) == []


def test_the_login_of_a_proxy_is_not_shown() -> None:
    settings: dict[str, Any] = {"proxy": f"http://user:{CANARY}@127.0.0.1:1", "max_retries": 0}
    with Client.from_credentials(Credentials("abc123def456", "sec789xyz000"), **settings) as client:
        del settings
        assert leaks(shown(client)) == []
        with pytest.raises(justcall_auth.ConnectionFailedError) as caught:
            client.get("/v2.1/users")
    assert leaks(shown(caught.value)) == []
    assert leaks(traced(caught.value)) == []


def test_an_account_shows_only_the_details_of_the_service(sandbox: Sandbox) -> None:
    pair = sandbox.control("POST", "pairs", {"api_key": "abc123def457", "api_secret": CANARY})
    credentials = Credentials(pair.pop("api_key"), pair.pop("api_secret"))
    with sandbox.client(credentials) as client:
        assert leaks(shown(client.verify())) == []


def test_it_shows_nothing_on_standard_output_and_error(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with sandbox.client() as client:
            client.verify()
            client.post("/v2.1/echo", json={"a": 1}).json()
        sandbox.fault("hang")
        with sandbox.client(timeout=0.1) as client, pytest.raises(justcall_auth.RequestTimeoutError):
            client.verify()
    captured = capfd.readouterr()
    others = [record for record in caplog.records if not hasattr(record, "justcall_call")]
    assert len(caplog.records) == 3, "one for each call"
    assert (captured.out, captured.err, others, warned) == ("", "", [], [])


def test_the_search_finds_a_canary() -> None:
    class Leaky:
        def __init__(self, secret: str) -> None:
            self.secret = secret

    assert leaks(shown(Leaky(CANARY)))
    assert leaks(iter([f"…{CANARY[16:24]}…"]))
    assert leaks(iter([CANARY.encode().hex()]))
    for shift in range(3):
        assert leaks(iter([base64.b64encode(b"k" * shift + CANARY.encode()).decode()]))
    assert leaks(walked(Leaky(CANARY)))
    assert leaks(logged(CANARY))
    assert leaks(pickled(ValueError(CANARY)))
    assert leaks(shown(Client.from_credentials(Credentials("abc123def456", CANARY)).authorization()))

    def fail(secret: str) -> None:
        raise ValueError(len(secret))

    with pytest.raises(ValueError, match="40") as caught:
        fail(CANARY)
    assert leaks(traced(caught.value))
    assert not leaks(iter(["nothing here", CANARY[:7]]))
