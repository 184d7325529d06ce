"""Random deliveries: the verifier's result equals that of `hmac`, `urllib`, `json` and `datetime`."""

from __future__ import annotations

import datetime
import json
import os
import random
import string

import justcall_auth
from justcall_auth import ANY_URL, WebhookVerifier
from webhooks import signature

CASES = int(os.environ.get("JUSTCALL_WEBHOOK_CASES", "2000"))
"""The number of deliveries; `cargo xtask test --full` uses 100,000."""

PRINTABLE = string.ascii_letters + string.digits + string.punctuation
URL_PARTS = [*PRINTABLE, *"!*'()~-_.%+äß€日🙂\u202e\u00a0", "%20", "%C3%A4", "/", "?", "&", "=", "//"]
TYPES = [*string.ascii_lowercase, ".", "_", "é", "🙂", '"', "\\", "/", " "]


def secret(random: random.Random) -> str:
    """Returns a random secret that the checks of pairs accept."""
    letters = string.ascii_letters + string.digits + "+/_-."
    return "k" + "".join(random.choices(letters, k=random.choice([1, 20, 39, 63, 64, 65, 100, 500])))


def text(random: random.Random, parts: list[str], most: int) -> str:
    return "".join(random.choices(parts, k=random.randint(0, most)))


def written(random: random.Random, at: int) -> str:
    """Returns a time in a form that the service may use."""
    form = random.choice(["datetime", "seconds", "milliseconds"])
    if form == "datetime":
        return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    return str(at) if form == "seconds" else str(at * 1000 + random.randint(0, 999))


def test_its_result_equals_that_of_python() -> None:
    seed = random.randrange(2**32)
    outcomes: dict[str, int] = {}
    for case in range(CASES):
        outcome = one(random.Random(f"{seed} {case}"), f"seed {seed}, case {case}")
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    # Positive control: every outcome occurred, and often enough not to be by chance.
    assert set(outcomes) == {"ok", "webhook_mismatch", "webhook_stale", "webhook_wrong_url"}, outcomes
    assert min(outcomes.values()) > CASES / 100, outcomes


def one(random: random.Random, about: str) -> str:
    """Compares the outcome of one delivery with that of Python. Returns the name of the outcome."""
    held = [secret(random) for _ in range(random.randint(1, 3))]
    signer = random.choice([*held, secret(random)])
    url = "https://example.com/" + text(random, URL_PARTS, 30)
    named = url if random.random() < 0.8 else "https://example.com/" + text(random, URL_PARTS, 30)
    event = "call." + text(random, TYPES, 10)
    at = random.randint(1_100_000_000, 4_000_000_000)
    tolerance = random.choice([0, 1, 600, 7200])
    now = at + random.choice([0, 1, -1, tolerance, -tolerance, tolerance + 1, -tolerance - 1])
    timestamp = written(random, at)
    javascript = random.random() < 0.5
    # The part that is changed after the signature, if any.
    change = random.choice(["nothing"] * 6 + ["type", "url", "timestamp", "signature"])
    digits = signature(signer, named, event, timestamp, javascript=javascript)
    if change == "signature":
        place = random.randrange(64)
        digits = (
            digits[:place] + format(int(digits[place], 16) ^ random.randint(1, 15), "x") + digits[place + 1 :]
        )
    if random.random() < 0.2:
        digits = digits.upper()
    sent_type = event + "x" if change == "type" else event
    sent_url = named + "x" if change == "url" else named
    sent_timestamp = written(random, at + 1) if change == "timestamp" else timestamp
    members = [
        ("webhook_url", sent_url),
        ("type", sent_type),
        ("data", {"type": "no", "id": 1}),
        ("n", [1, {}]),
    ]
    random.shuffle(members)
    body = json.dumps(
        dict(members), ensure_ascii=random.random() < 0.5, indent=random.choice([None, 1])
    ).encode()

    is_any = random.random() < 0.2
    verifier = WebhookVerifier(held, url=ANY_URL if is_any else url, tolerance=tolerance)
    headers = {
        "x-justcall-signature": digits,
        "x-justcall-signature-version": "v1",
        "x-justcall-request-timestamp": sent_timestamp,
    }
    by = [
        index
        for index, key in enumerate(held)
        if digits.lower()
        in {signature(key, sent_url, sent_type, sent_timestamp, javascript=how) for how in (True, False)}
    ]
    seconds = at + 1 if change == "timestamp" else at
    if not by:
        expected = "webhook_mismatch"
    elif abs(now - seconds) > tolerance:
        expected = "webhook_stale"
    elif not is_any and sent_url != url:
        expected = "webhook_wrong_url"
    else:
        expected = "ok"
    try:
        found = verifier.verify(headers, body, now)
    except justcall_auth.WebhookError as error:
        assert error.name == expected, f"{about}: {error}"
        return error.name
    assert expected == "ok", about
    assert (found.url, found.type, found.timestamp) == (sent_url, sent_type, seconds), about
    assert (found.secret_index, found.signature) == (by[0], digits.lower()), about
    return "ok"
