"""`WebhookVerifier` and `WebhookEvent`: their arguments, in every form, and their results."""

from __future__ import annotations

import collections
import copy
import gc
import json
import pickle
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import pytest

import justcall_auth
from justcall_auth import ANY_URL, Client, Credentials, WebhookEvent, WebhookVerifier
from support import ROOT, Account, finish, put
from webhooks import NOW, SECRET, TIMESTAMP, URL, body, headers, results, signature

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support import Sandbox, Start

OTHER_SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c"


def verifier(secret: Any = SECRET, **settings: Any) -> WebhookVerifier:
    return WebhookVerifier(secret, **{"url": URL, **settings})


def test_it_returns_the_verified_event() -> None:
    event = verifier().verify(headers(), body(), NOW)
    assert event == WebhookEvent(
        url=URL,
        type="call.completed",
        timestamp=float(NOW),
        body=body(),
        secret_index=0,
        signature=signature(),
    )
    assert isinstance(event.timestamp, float)
    assert event.json()["data"] == {"id": 100042}


NAMES = {
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "wsgi": lambda name: "HTTP_" + name.upper().replace("-", "_"),
}


@pytest.mark.parametrize("spelled", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize(
    "form",
    [
        dict,
        list,
        tuple,
        iter,
        lambda pairs: (pair for pair in pairs),
        collections.OrderedDict,
        lambda pairs: dict(pairs).items(),
        lambda pairs: justcall_auth.Headers(pairs),
        lambda pairs: [(name.encode(), value.encode()) for name, value in pairs],
        lambda pairs: {name: value.encode() for name, value in pairs},
        lambda pairs: {"wsgi.input": object(), "REQUEST_METHOD": "POST", **dict(pairs)},
        lambda pairs: [("x-other", 3), *pairs, ("x-justcall-signature-", None)],
    ],
)
def test_it_finds_the_headers_in_every_form(
    form: Callable[[list[tuple[str, str]]], Any], spelled: Callable[[str], str]
) -> None:
    pairs = [(spelled(name), value) for name, value in headers().items()]
    assert verifier().verify(form(pairs), body(), NOW).type == "call.completed"


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview, lambda text: text.decode()])
def test_it_accepts_the_body_in_every_form(form: Callable[[bytes], Any]) -> None:
    event = verifier().verify(headers(), form(body(note="ä🙂")), NOW)
    assert event.body == body(note="ä🙂")
    assert type(event.body) is bytes


def test_invalid_text_in_a_header_is_a_fault_of_the_sender() -> None:
    for name in headers():
        odd = {**headers(), name: "\udcff"}
        with pytest.raises(justcall_auth.WebhookError):
            verifier().verify(odd, body(), NOW)
    # Headers that verification does not need are ignored.
    verifier().verify({**headers(), "x-\udcff": "\udcff"}, body(), NOW)


def test_it_refuses_other_types_of_headers_and_body() -> None:
    wrong: Any
    for wrong in (
        None,
        3,
        "x-justcall-signature",
        b"",
        ["x-justcall-signature"],
        [("a", "b", "c")],
        [(1, "x")],
    ):
        with pytest.raises(TypeError, match="headers must be"):
            verifier().verify(wrong, body(), NOW)
    with pytest.raises(TypeError, match="headers must be of str or bytes, not int"):
        verifier().verify({**headers(), "x-justcall-signature": 3}, body(), NOW)
    for wrong in (None, 3, [body()], {}):
        with pytest.raises(TypeError, match="body must be"):
            verifier().verify(headers(), wrong, NOW)


def test_it_accepts_one_secret_or_several() -> None:
    for one in (SECRET, SECRET.encode(), bytearray(SECRET.encode()), [SECRET], (SECRET,), iter([SECRET])):
        assert verifier(one).verify(headers(), body(), NOW).secret_index == 0
    several = [OTHER_SECRET, bytearray(SECRET.encode())]
    assert verifier(several).verify(headers(), body(), NOW).secret_index == 1
    with pytest.raises(justcall_auth.WebhookMismatchError):
        verifier(OTHER_SECRET).verify(headers(), body(), NOW)


def test_it_fills_a_bytearray_with_zeros_even_if_another_secret_is_invalid() -> None:
    good = bytearray(SECRET.encode())
    assert verifier([good, good]).verify(headers(), body(), NOW).secret_index == 0
    assert good == bytes(len(SECRET))
    good = bytearray(SECRET.encode())
    wrong: Any
    for wrong, error in (("a b", justcall_auth.CredentialsMalformedError), (3, TypeError)):
        good[:] = SECRET.encode()
        with pytest.raises(error):
            verifier([wrong, good])
        assert good == bytes(len(SECRET))


@pytest.mark.parametrize(
    "wrong", ["", " ", "a b", "x" * 513, "{api_secret}", "Bearer abc", "ä", "a\ud800", b"\xff"]
)
def test_it_refuses_malformed_secrets(wrong: Any) -> None:
    with pytest.raises(justcall_auth.CredentialsMalformedError):
        verifier(wrong)


def test_it_refuses_other_invalid_arguments() -> None:
    invalid = justcall_auth.InvalidArgumentError
    wrong: Any
    for wrong in (None, 3, [3], [None], {3: 4}):
        with pytest.raises(TypeError, match="secret must be"):
            verifier(wrong)
    with pytest.raises(invalid, match="The argument secret is an empty list"):
        verifier([])
    for wrong in (None, 3, b"https://example.com/", [b""], [ANY_URL]):
        with pytest.raises(TypeError, match="url must be"):
            verifier(url=wrong)
    with pytest.raises(invalid, match="The argument url is an empty list"):
        verifier(url=[])
    for wrong in ("", "example.com", "/hook", [URL, "/hook"], "*", "https://\ud800"):
        with pytest.raises(invalid):
            verifier(url=wrong)
    for wrong in (-1, -0.1, float("nan"), float("inf"), 10**400):
        with pytest.raises(invalid, match="tolerance"):
            verifier(tolerance=wrong)
    for wrong in (float("nan"), float("inf"), -float("inf"), 2**54, -(2**54), 10**400):
        with pytest.raises(invalid, match="now"):
            verifier().verify(headers(), body(), wrong)
    for wrong in ("10", None, [1]):
        with pytest.raises(TypeError, match="tolerance must be"):
            verifier(tolerance=wrong)
    for wrong in ("10", [1]):
        with pytest.raises(TypeError, match="now must be"):
            verifier().verify(headers(), body(), wrong)
    for wrong in (3, "seen", []):
        with pytest.raises(TypeError, match="replay_check must be"):
            verifier(replay_check=wrong)
    with pytest.raises(TypeError, match="url"):
        WebhookVerifier(SECRET)  # type: ignore[call-arg]


def test_it_accepts_one_url_or_several_or_any() -> None:
    other = "https://example.com/other"
    signed = headers(signature(url=other))
    with pytest.raises(justcall_auth.WebhookWrongUrlError):
        verifier().verify(signed, body(url=other), NOW)
    url: Any
    for url in ([URL, other], (other,), iter([other]), ANY_URL):
        assert verifier(url=url).verify(signed, body(url=other), NOW).url == other


def test_its_window_has_two_sides_and_whole_seconds() -> None:
    strict = verifier(tolerance=10)
    for now in (NOW - 10, NOW + 10, NOW + 10.9, float(NOW)):
        strict.verify(headers(), body(), now)
    for now in (NOW - 11, NOW - 10.1, NOW + 11):
        with pytest.raises(justcall_auth.WebhookStaleError):
            strict.verify(headers(), body(), now)
    # Half a second is rounded up.
    verifier(tolerance=0.5).verify(headers(), body(), NOW + 1)
    with pytest.raises(justcall_auth.WebhookStaleError):
        verifier(tolerance=0).verify(headers(), body(), NOW + 1)


def test_it_uses_the_clock_of_this_machine_by_default() -> None:
    with pytest.raises(justcall_auth.WebhookStaleError):
        verifier().verify(headers(), body())
    now = str(round(time.time()))
    verifier().verify(headers(signature(timestamp=now), now), body())
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    verifier().verify(headers(signature(timestamp=at), at), body())


def test_it_calls_the_replay_check_last_with_the_whole_event() -> None:
    asked: list[WebhookEvent] = []

    def was_seen(event: WebhookEvent) -> bool:
        asked.append(event)
        return asked.count(event) > 1

    checked = verifier(replay_check=was_seen)
    for wrong in ({}, headers("0" * 64)):
        with pytest.raises(justcall_auth.WebhookError):
            checked.verify(wrong, body(), NOW)
    with pytest.raises(justcall_auth.WebhookStaleError):
        checked.verify(headers(), body(), NOW + 1000)
    assert asked == []
    event = checked.verify(headers(), body(), NOW)
    assert asked == [event]
    assert asked[0].body == body()
    # Another event of the type in the same second has the same signature, and is not a repetition.
    checked.verify(headers(), body(other=1), NOW)
    with pytest.raises(justcall_auth.WebhookReplayedError):
        checked.verify(headers(), body(), NOW)


def test_it_raises_the_exceptions_of_the_replay_check() -> None:
    class DatabaseGoneError(Exception):
        pass

    def was_seen(_: WebhookEvent) -> bool:
        raise failure

    failure: BaseException
    for failure in (DatabaseGoneError(), KeyboardInterrupt(), justcall_auth.SourceUnavailableError()):
        with pytest.raises(type(failure)) as caught:
            verifier(replay_check=was_seen).verify(headers(), body(), NOW)
        assert caught.value is failure


def test_it_accepts_only_bool_as_the_result_of_the_replay_check() -> None:
    async def forgotten(_: WebhookEvent) -> bool:
        return False

    responses: list[Any] = [lambda _: None, lambda _: 0, lambda _: "", lambda _: []]
    for response in responses:
        with pytest.raises(TypeError, match="the result of replay_check must be bool"):
            verifier(replay_check=response).verify(headers(), body(), NOW)
    coroutine = forgotten(verifier().verify(headers(), body(), NOW))
    wrong: Any = lambda _: coroutine  # noqa: E731
    with pytest.raises(TypeError, match="must be bool, not coroutine"):
        verifier(replay_check=wrong).verify(headers(), body(), NOW)
    coroutine.close()


def test_it_uses_the_pair_of_a_client(sandbox: Sandbox) -> None:
    with Client.from_credentials(Credentials("abc123def456", SECRET)) as client:
        mine = verifier(client)
        assert mine.verify(headers(), body(), NOW).secret_index == 0
        with pytest.raises(justcall_auth.WebhookMismatchError):
            mine.verify(headers(signature(OTHER_SECRET)), body(), NOW)
    with pytest.raises(justcall_auth.CallCancelledError):
        mine.verify(headers(), body(), NOW)
    assert sandbox.requests() == []


def test_a_client_and_a_replay_check_go_together() -> None:
    failure = LookupError("the database is gone")
    seen: list[WebhookEvent] = []

    def was_seen(event: WebhookEvent) -> bool:
        if event.json()["data"]["id"] != 100042:
            raise failure
        seen.append(event)
        return len(seen) > 1

    with Client.from_credentials(Credentials("abc123def456", SECRET)) as client:
        both = verifier(client, replay_check=was_seen)
        assert both.verify(headers(), body(), NOW) == seen[0]
        with pytest.raises(justcall_auth.WebhookReplayedError):
            both.verify(headers(), body(), NOW)
        with pytest.raises(LookupError) as caught:
            both.verify(headers(), body(id=1), NOW)
        assert caught.value is failure


def test_around_a_reset_it_accepts_every_pair_of_a_client(sandbox: Sandbox, tmp_path: Path) -> None:
    account, file = Account(sandbox), tmp_path / "pair"
    put(file, account.line)
    old = signature(account.pair["api_secret"])
    with Client(f"file:{file}", base_url=sandbox.url, ca_file=sandbox.ca_file) as client:
        mine = verifier(client)
        assert mine.verify(headers(old), body(), NOW).secret_index == 0
        client.verify()
        account.reset()
        new = signature(account.pair["api_secret"])
        with pytest.raises(justcall_auth.WebhookMismatchError):
            mine.verify(headers(new), body(), NOW)
        put(file, account.line)
        assert client.reload() is True
        # No call has proven the new pair yet.
        assert mine.verify(headers(old), body(), NOW).secret_index == 0
        assert mine.verify(headers(new), body(), NOW).secret_index == 1
        client.verify()
        assert mine.verify(headers(new), body(), NOW).secret_index == 0
        assert mine.verify(headers(old), body(), NOW).secret_index == 1


def test_it_raises_the_error_of_the_source_of_a_client() -> None:
    class VaultSealedError(Exception):
        pass

    def load() -> Credentials:
        raise VaultSealedError

    with Client(load) as client, pytest.raises(justcall_auth.SourceUnavailableError) as caught:
        verifier(client).verify(headers(), body(), NOW)
    assert isinstance(caught.value.__cause__, VaultSealedError)
    with Client("file:/nonexistent/pair") as client, pytest.raises(justcall_auth.SourceUnavailableError):
        verifier(client).verify(headers(), body(), NOW)
    # A fault of the delivery itself is reported without the source.
    with Client("file:/nonexistent/pair") as client, pytest.raises(justcall_auth.WebhookUnsignedError):
        verifier(client).verify({}, body(), NOW)


def test_a_repetition_is_counted_once_as_replayed() -> None:
    seen: list[WebhookEvent] = []

    def was_seen(event: WebhookEvent) -> bool:
        seen.append(event)
        return len(seen) > 1

    checked = verifier(replay_check=was_seen)
    assert results(checked.usage) == {}
    checked.verify(headers(), body(), NOW)
    with pytest.raises(justcall_auth.WebhookReplayedError):
        checked.verify(headers(), body(), NOW)
    assert results(checked.usage) == {"ok": 1, "webhook_replayed": 1}


def test_an_exception_of_a_replay_check_is_not_counted_as_a_repetition() -> None:
    class Found(Exception):  # noqa: N818 - a substitute for an exception of any library
        code = 404

    class Stopped(BaseException):
        pass

    failures: list[tuple[BaseException, str]] = [
        (LookupError("the database is gone"), "invalid_argument"),
        (Found(), "invalid_argument"),
        (justcall_auth.SourceUnavailableError(), "source_unavailable"),
        (justcall_auth.WebhookReplayedError(), "webhook_replayed"),
        (KeyboardInterrupt(), "cancelled"),
        (SystemExit(401), "cancelled"),
        (Stopped(), "cancelled"),
    ]
    for failure, result in failures:

        def was_seen(_: WebhookEvent, failure: BaseException = failure) -> bool:
            raise failure

        checked = verifier(replay_check=was_seen)
        with pytest.raises(type(failure)) as caught:
            checked.verify(headers(), body(), NOW)
        assert caught.value is failure
        assert results(checked.usage) == {result: 1}
    wrong: Any = lambda _: None  # noqa: E731
    checked = verifier(replay_check=wrong)
    with pytest.raises(TypeError):
        checked.verify(headers(), body(), NOW)
    assert results(checked.usage) == {"invalid_argument": 1}


def test_arguments_of_a_wrong_type_are_not_counted() -> None:
    mine = verifier()
    wrong: Any = None
    for arguments in ((wrong, body(), NOW), (headers(), wrong, NOW), (headers(), body(), "now")):
        with pytest.raises(TypeError):
            mine.verify(*arguments)
    assert results(mine.usage) == {}


def test_a_client_counts_the_results_of_every_verifier_of_its_source(tmp_path: Path) -> None:
    file = tmp_path / "pair"
    with Client(f"file:{file}") as client, Client(f"file:{file}") as same, Client("file:/other") as other:
        first, second = verifier(client), verifier(same)
        with pytest.raises(justcall_auth.WebhookUnsignedError):
            first.verify({}, body(), NOW)
        with pytest.raises(justcall_auth.SourceUnavailableError):
            second.verify(headers(), body(), NOW)
        put(file, f"abc123def456:{SECRET}")
        first.verify(headers(), body(), NOW)
        second.verify(headers(), body(), NOW)
        counted = {"ok": 2, "webhook_unsigned": 1, "source_unavailable": 1}
        assert results(client.usage) == results(same.usage) == counted
        assert results(other.usage) == {}
        assert SECRET not in client.usage + first.usage
        assert URL not in client.usage + first.usage
    # A closed client counts nothing; the verifier continues.
    with pytest.raises(justcall_auth.CallCancelledError):
        first.verify(headers(), body(), NOW)
    assert results(first.usage) == {"ok": 1, "webhook_unsigned": 1, "cancelled": 1}


def test_threads_share_a_verifier() -> None:
    seen: set[bytes] = set()
    lock = threading.Lock()

    def was_seen(event: WebhookEvent) -> bool:
        with lock:
            known = event.body in seen
            seen.add(event.body)
            return known

    shared = verifier(replay_check=was_seen)
    passed: list[int] = []

    def work() -> None:
        for number in range(200):
            try:
                shared.verify(headers(), body(number=number), NOW)
            except justcall_auth.WebhookReplayedError:
                pass
            else:
                passed.append(number)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(passed) == list(range(200))
    assert results(shared.usage) == {"ok": 200, "webhook_replayed": 600}


def test_a_child_of_a_fork_continues(start: Start) -> None:
    script = f"""
import warnings
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
headers, body, now = {headers()!r}, {body()!r}, {NOW}
given = justcall_auth.WebhookVerifier({SECRET!r}, url={URL!r})
of_client = justcall_auth.WebhookVerifier(
    justcall_auth.Client.from_credentials(justcall_auth.Credentials("abc123def456", {SECRET!r})), url={URL!r})
for verifier in (given, of_client):
    verifier.verify(headers, body, now)
    child = os.fork()
    if child == 0:
        os._exit(0 if verifier.verify(headers, body, now).type == "call.completed" else 1)
    print(os.waitpid(child, 0)[1], verifier.verify(headers, body, now).type)
"""
    assert finish(start(script)) == (0, "0 call.completed\n" * 2, "")


def test_a_child_of_a_fork_counts_from_zero(start: Start) -> None:
    script = f"""
import warnings
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
sys.path.insert(0, {str(ROOT / "bindings/python/tests")!r})
from webhooks import results
headers, body, now = {headers()!r}, {body()!r}, {NOW}
client = justcall_auth.Client.from_credentials(justcall_auth.Credentials("abc123def456", {SECRET!r}))
for secret in ({SECRET!r}, client):
    verifier = justcall_auth.WebhookVerifier(secret, url={URL!r})
    counting = [verifier, client] if secret is client else [verifier]
    def deliver():
        verifier.verify(headers, body, now)
        print(*(results(one.usage)["ok"] for one in counting), flush=True)
    deliver()
    deliver()
    child = os.fork()
    if child == 0:
        deliver()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    deliver()
"""
    expected = "1\n2\n1\n3\n" + "1 1\n2 2\n1 1\n3 3\n"
    assert finish(start(script)) == (0, expected, "")


def test_the_garbage_collector_collects_a_cycle_through_it() -> None:
    class Holder:
        def was_seen(self, _: WebhookEvent) -> bool:
            return False

        def load(self) -> Credentials:
            return Credentials("abc123def456", SECRET)

    for with_client in (False, True):
        holder: Any = Holder()
        secret: Any = Client(holder.load) if with_client else SECRET
        holder.verifier = verifier(secret, replay_check=holder.was_seen)
        assert holder.verifier.verify(headers(), body(), NOW)
        gone = weakref.ref(holder)
        del holder, secret
        gc.collect()
        assert gone() is None


def test_it_cannot_be_pickled_and_its_repr_shows_nothing() -> None:
    mine = verifier()
    assert repr(mine) == "<WebhookVerifier>"
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            duplicate(mine)


def test_the_repr_of_an_event_shows_neither_its_body_nor_its_url() -> None:
    event = verifier().verify(headers(), body(canary="9f3c7a51"), NOW)
    assert "9f3c7a51" not in f"{event} {event!r}"
    assert URL not in f"{event} {event!r}"
    assert repr(event) == f'<WebhookEvent "call.completed" at {NOW}>'


def test_an_event_has_the_path_of_its_object(sandbox: Sandbox) -> None:
    objects = [
        ("call.completed", "/v2.1/calls/100042", "id"),
        ("jc.call_ai_generated", "/v2.1/calls/100042", "id"),
        ("sd.call_completed", "/v2.1/sales_dialer/calls/100042", "call_id"),
        ("sms.sent", "/v2.1/texts/200042", "id"),
        ("jc.contact_status_updated", "/v2.1/contacts/1234", "id"),
    ]
    with sandbox.client() as client:
        for event_type, path, member in objects:
            number = int(path.rsplit("/", 1)[1])
            forged = json.dumps({"data": {member: number, "notes": "forged"}}).encode()
            event = WebhookEvent(URL, event_type, 0.0, forged)
            assert event.object_path() == path
            confirmed = event.confirm(client).json()["data"]
            assert confirmed[member] == number
            assert confirmed.get("notes") != "forged"
        with pytest.raises(justcall_auth.NotFoundError):
            WebhookEvent(URL, "call.completed", 0.0, b'{"data":{"id":7}}').confirm(client)
    paths = [request["path"] for request in sandbox.requests()]
    assert paths == [*(path for _, path, _ in objects), "/v2.1/calls/7"]


def test_an_event_does_not_request_a_path_that_its_body_forged(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        for identifier in ("../users", "1?x=1", "1/2", "", "%2e%2e", None, [1], 1.5, -1):
            event = WebhookEvent(
                URL, "call.completed", 0.0, json.dumps({"data": {"id": identifier}}).encode()
            )
            with pytest.raises(justcall_auth.WebhookMalformedError):
                event.confirm(client)
        with pytest.raises(justcall_auth.InvalidArgumentError):
            WebhookEvent(URL, "appointment.scheduled", 0.0, b'{"data":{"id":1}}').confirm(client)
    assert sandbox.requests() == []


def test_confirm_returns_the_result_of_the_client() -> None:
    class Asynchronous:
        async def get(self, path: str) -> str:
            return path

    async def confirmed() -> str:
        return await WebhookEvent(URL, "call.completed", 0.0, b'{"data":{"id":1}}').confirm(Asynchronous())

    import asyncio

    assert asyncio.run(confirmed()) == "/v2.1/calls/1"


def test_the_timestamp_is_signed_as_it_is_written() -> None:
    for written, javascript in ((TIMESTAMP, True), (str(NOW), False), (f"{NOW}000", True)):
        signed = headers(signature(timestamp=written, javascript=javascript), written)
        assert verifier().verify(signed, body(), NOW).timestamp == NOW


PARTS: dict[str, Any] = {
    "url": URL,
    "type": "call.completed",
    "timestamp": 2.0,
    "body": b"{}",
    "secret_index": 1,
    "signature": "ab" * 32,
}


def test_an_event_is_a_value() -> None:
    event = WebhookEvent(**PARTS)
    assert {name: getattr(event, name) for name in PARTS} == PARTS
    assert event == WebhookEvent(URL, "call.completed", 2.9, b"{}", secret_index=1, signature="AB" * 32)
    assert hash(event) == hash(WebhookEvent(**PARTS))
    assert WebhookEvent(URL, "", 0.0, b"") == WebhookEvent(
        URL, "", -0.0, b"", secret_index=0, signature="0" * 64
    )
    others: dict[str, Any] = {
        "url": "",
        "type": "",
        "timestamp": 1.0,
        "body": b"",
        "secret_index": 0,
        "signature": "0" * 64,
    }
    for name, other in others.items():
        assert event != WebhookEvent(**{**PARTS, name: other})
        with pytest.raises(AttributeError):
            setattr(event, name, other)
    stranger: object
    for stranger in (None, 3, "event", URL):
        assert event != stranger
        assert (event == stranger) is False
    with pytest.raises(TypeError):
        event < event  # type: ignore[operator] # noqa: B015


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy]
    + [
        lambda event, protocol=protocol: pickle.loads(pickle.dumps(event, protocol))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ],
)
def test_pickling_keeps_every_part_of_an_event(duplicate: Callable[[WebhookEvent], WebhookEvent]) -> None:
    for event in (WebhookEvent(**PARTS), verifier().verify(headers(), body(note="ä🙂"), NOW)):
        again = duplicate(event)
        assert type(again) is WebhookEvent
        assert again == event
        assert {name: getattr(again, name) for name in PARTS} == {
            name: getattr(event, name) for name in PARTS
        }


def test_an_event_refuses_parts_that_it_does_not_have() -> None:
    wrong: Any
    for name, wrong in (("url", 3), ("type", None), ("timestamp", "1"), ("body", "{}"), ("secret_index", -1)):
        with pytest.raises((TypeError, OverflowError)):
            WebhookEvent(**{**PARTS, name: wrong})
    with pytest.raises(justcall_auth.InvalidArgumentError, match="64 hexadecimal digits"):
        WebhookEvent(**{**PARTS, "signature": "ab"})
    with pytest.raises(justcall_auth.InvalidArgumentError, match="The argument timestamp"):
        WebhookEvent(**{**PARTS, "timestamp": float("nan")})
    with pytest.raises(TypeError):
        WebhookEvent(**{**PARTS, "weather": "fine"})
