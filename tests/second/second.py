"""A second implementation of the rules of the library, written from its documents only.

It has no I/O and no clock, and shares no code with the product. `compare.py` compares both on random
cases. The rules of the header are in docs/guide/calls.md, those of the pair and of the response in
docs/guide/errors.md, those of the webhook in docs/guide/webhooks.md and in the C header, and those of
the exchange in docs/internals/exchange.md and docs/internals/keyring.md.
"""

from __future__ import annotations

import datetime
import email.utils
import hashlib
import hmac
import json
import math
import re
from typing import Any
from urllib.parse import quote

Case = dict[str, Any]
VERSION = "justcall-auth/0.1.0"


def header(case: Case) -> Case:
    """The request that carries the pair: its URL and its headers, with names in lower case."""
    headers = {"accept": "application/json", "content-type": "application/json"}
    headers |= {"user-agent": VERSION, "x-justcall-client": VERSION}
    headers |= {name.lower(): value for name, value in case["headers"]}
    headers["authorization"] = f"{case['key']}:{case['secret']}"
    return {"url": case["base_url"].rstrip("/") + case["path"], "headers": headers}


MAX_HALF = 512
WHITESPACE = " \t\r\n"
SCHEME = "(bearer|basic|token)[ \t\r\n]+[^ \t\r\n]"
SMART_QUOTES = "[\u2018-\u201f\u2039\u203a\u00ab\u00bb]"
ZERO_WIDTH = "[\u200b-\u200d\u2060\u00ad\ufeff]"
SPECIAL_SPACES = "[\u00a0\u2000-\u200a\u202f\u3000]"
# The findings that refuse a key or a secret, in the order of the table.
FAULTS = "scheme_prefix empty_half too_long quotes smart_quotes byte_order_mark zero_width no_break_space "
FAULTS += "leading_whitespace trailing_whitespace inner_whitespace control_character not_ascii colon_in_key "
FAULTS += "halves_equal"


def half_faults(half: str, is_key: bool) -> set[str]:
    """The rows of the table that apply to a key or to a secret."""
    if len(half.encode()) > MAX_HALF:
        return {"too_long"}
    if not half:
        return {"empty_half"}
    text = half.removeprefix("\ufeff")
    others = re.sub(f"{SMART_QUOTES}|{ZERO_WIDTH}|{SPECIAL_SPACES}", "", text)
    rows = {
        "scheme_prefix": re.match(SCHEME, half.strip(WHITESPACE), re.IGNORECASE),
        "quotes": half[0] in "\"'`" or half[-1] in "\"'`",
        "smart_quotes": re.search(SMART_QUOTES, text),
        "byte_order_mark": text != half,
        "zero_width": re.search(ZERO_WIDTH, text),
        "no_break_space": re.search(SPECIAL_SPACES, text),
        "leading_whitespace": half[0] in WHITESPACE,
        "trailing_whitespace": half[-1] in WHITESPACE,
        "inner_whitespace": re.search(f"[{WHITESPACE}]", half.strip(WHITESPACE)),
        "control_character": re.search(r"[\0-\x08\x0b\x0e-\x1f\x7f]", half),
        "not_ascii": not others.isascii(),
        "colon_in_key": is_key and ":" in half,
    }
    return {code for code, applies in rows.items() if applies}


def pair(case: Case) -> Case:
    """The reason to refuse a key and a secret: the first finding of the table; None if they can be sent."""
    found = half_faults(case["key"], True) | half_faults(case["secret"], False)
    found |= {"halves_equal"} if case["key"] == case["secret"] != "" else set()
    return {"reason": next((code for code in FAULTS.split() if code in found), None)}


KINDS = {400: "bad_request", 401: "invalid_credentials", 403: "forbidden", 404: "not_found"}
KINDS |= {408: "unavailable", 422: "unprocessable", 429: "rate_limited", 500: "server_error"}
KINDS |= {502: "unavailable", 503: "unavailable", 504: "unavailable"}
RETRYABLE = {"rate_limited", "unavailable", "server_error"}
SECOND = 1000
REASONS = {"plan": "plan|plans|subscription", "role": "admin|admin-level|admins|owner|role"}
REASONS |= {"ip": "ip|ips", "addon": "(addon|add-on)s?"}


def kind_of(status: int) -> str | None:
    """The name of the error for an HTTP status; None for a success."""
    by_class = {2: None, 3: "redirect_refused", 4: "bad_request", 5: "server_error"}
    return KINDS.get(status, by_class.get(status // 100, "invalid_response"))


def number(text: str | None) -> int | None:
    """The value of a header that is a number."""
    return int(text) if text and text.isascii() and text.isdigit() else None


def retry_after(headers: list[list[str]], now: int) -> int | None:
    """The wait in milliseconds that a response asks for."""
    values = {name.lower(): text.strip() for name, text in reversed(headers)}
    date, until = (email.utils.parsedate_tz(values.get(name, "")) for name in ("date", "retry-after"))
    now = email.utils.mktime_tz(date) if date else now
    seconds = max(0, email.utils.mktime_tz(until) - now) if until else number(values.get("retry-after"))
    if seconds is not None:
        return seconds * SECOND
    windows = []
    for prefixes in (("x-ratelimit-", "x-rate-limit-"), ("x-rate-limit-burst-",)):
        reset, left = None, None
        for prefix in prefixes:  # the last spelling that is there counts
            reset = reset if (found := number(values.get(prefix + "reset"))) is None else found
            left = left if (found := number(values.get(prefix + "remaining"))) is None else found
        if reset is not None:
            at = reset if reset > 10**12 else reset * 1000 if reset > 10**9 else (now + reset) * 1000
            windows.append((left == 0, max(0, at - now * 1000)))
    first = min((wait for _, wait in windows), default=None)
    return max((wait for is_used_up, wait in windows if is_used_up), default=first)


def json_object(body: bytes) -> Case | None:
    """The JSON object in a body; None if the body is something else."""
    try:
        found = json.loads(body.decode("utf-8-sig"))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def response(case: Case) -> Case:
    """The error for a response."""
    kind = kind_of(case["status"])
    if kind is None:
        return {"error": None}
    body = json_object(case["body"].encode("latin-1")) or {}
    inner = body["error"].get("message") if isinstance(body.get("error"), dict) else None
    texts = [text for text in (body.get("message"), body.get("error"), inner) if isinstance(text, str)]
    message = re.sub(r"[\0-\x1f\x7f-\x9f]", "", texts[0] if texts else "").strip()
    padded = " " + " ".join(re.findall(r"[\w-]+", message.lower())) + " "
    named = [reason for reason, words in REASONS.items() if re.search(f" ({words}) ", padded)]
    return {
        "error": kind,
        "retryable": kind in RETRYABLE,
        "retry_after": retry_after(case["headers"], case["now"]) if kind in RETRYABLE else None,
        "service_message": message.encode()[:512].decode(errors="ignore") or None,
        "reason": (named[0] if len(named) == 1 else "unspecified") if kind == "forbidden" else None,
    }


SAFE = ("!*'()", "")  # the characters besides letters, digits and `-_.~` that encoders of URLs keep


def seconds_of(text: str) -> int | None:
    """A timestamp in seconds since the epoch: a date and time in UTC, seconds, or milliseconds."""
    if re.fullmatch(r"[0-9]{1,16}", text):
        return int(text) // 1000 if int(text) > 10**12 else int(text)
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", text):
        return None
    try:
        moment = datetime.datetime.strptime(text + " +0000", "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        return None
    return int(moment.timestamp())


def signed_members(body: bytes) -> list[str] | None:
    """`webhook_url` and `type` of the body, which must each occur exactly once."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        text = body.decode()
        marks = re.findall(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', text, re.DOTALL)
        depths = [0]
        for mark in marks:
            depths.append(depths[-1] + (mark in ("[", "{")) - (mark in ("]", "}")))
        if len(body) > 1 << 20 or max(depths) > 128 or not text.lstrip(WHITESPACE).startswith("{"):
            return None
        members = json.loads(text, object_pairs_hook=list, parse_constant=refuse)
    except ValueError:
        return None
    found = [value for wanted in ("webhook_url", "type") for name, value in members if name == wanted]
    names = [name for name, _ in members if name in ("webhook_url", "type")]
    is_text = all(
        isinstance(value, str) and not re.search("[\0-\x1f\x7f-\x9f\ud800-\udfff]", value) for value in found
    )
    return found if sorted(names) == ["type", "webhook_url"] and is_text else None


def webhook(case: Case) -> Case:
    """The result of a delivery: the first error that applies, or the event."""
    values: dict[str, list[str]] = {}
    for name, text in case["headers"]:
        values.setdefault(name.lower(), []).append(text)
    names = ("x-justcall-signature", "x-justcall-signature-version", "x-justcall-request-timestamp")
    digits, version, timestamp = (", ".join(values.get(name, [])).strip(" \t") for name in names)
    at, members = seconds_of(timestamp), signed_members(case["body"].encode("latin-1"))
    if not digits:
        return {"error": "webhook_unsigned"}
    if version != "v1":
        return {"error": "webhook_version"}
    if not re.fullmatch(r"[0-9a-fA-F]{64}", digits) or at is None or members is None:
        return {"error": "webhook_malformed"}
    url, event = members

    def signs(secret: str) -> bool:
        texts = (f"{secret}|{quote(url, safe=safe)}|{event}|{timestamp}" for safe in SAFE)
        found = {hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest() for text in texts}
        return digits.lower() in found

    signer = next((index for index, secret in enumerate(case["secrets"]) if signs(secret)), None)
    if signer is None:
        return {"error": "webhook_mismatch"}
    if abs(case["now"] - at) > case["tolerance"]:
        return {"error": "webhook_stale"}
    if case["urls"] is not None and url not in case["urls"]:
        return {"error": "webhook_wrong_url"}
    if case["seen"]:
        return {"error": "webhook_replayed"}
    return {"error": None, "url": url, "type": event, "timestamp": at, "secret_index": signer}


IDEMPOTENT = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}
COOL_DOWN = 30_000
# The error of each cause, and its reason if the request was sent and if it was not.
LOST = "connection_failed"
CAUSES: dict[str, tuple[str, str | None, str | None]]
CAUSES = {"resolve": (LOST, "resolve", "resolve"), "connect": (LOST, "connect", "connect")}
CAUSES |= {"closed": (LOST, "receive", "send"), "timeout": ("timeout", "receive", "connect")}
CAUSES |= {"tls": ("tls_failed", None, None), "cancelled": ("cancelled", None, None)}


class Client:
    """One client, whose calls come one after the other. Times are in milliseconds."""

    def __init__(self, case: Case) -> None:
        self.case, self.now = case, 0
        self.pair: str | None = None
        self.candidate: str | None = None
        self.rejected: dict[str, int] = {}  # the end of the cool-down of each pair
        self.refused_at: int | None = None  # when the pair in use was first rejected
        self.last_refused_at, self.read_began, self.read_at = 0, -1, -1000
        self.steps: list[list[Any]] = []
        self.seen: list[list[Any]] = []  # the steps of the product in the same call, which end at:
        self.seen_end, self.deadline = 0, math.inf
        self.failure: str | None = None
        self.recent: int | None = None  # the rest of the cool-down when the call began to wait

    def content(self, history: str) -> str:
        """What a history contains now."""
        return [str(entry) for at, entry in self.case[history] if at <= self.now][-1]

    def read(self) -> str | None:
        """Reads the source. Returns the name of its error."""
        self.steps.append(["load", self.now])
        self.read_began, self.now = self.now, self.now + self.case["load_ms"]
        if self.now >= self.deadline:
            return "timeout"
        self.read_at, found = self.now, self.content("source")
        if found.startswith("!"):
            return found[1:]
        if self.pair is None:
            self.pair = found
        else:
            self.candidate = found if found != self.pair else None
        return None

    def choose(self, has_retry: bool) -> str | None:
        """The pair to send; None if the call must end. Waits and reads the source as needed."""
        self.failure = self.recent = None
        while self.now < self.deadline:
            if self.pair is None:
                self.failure = self.read()
                if self.failure:
                    return None
                continue
            is_refused = self.refused_at is not None
            until = self.rejected.get(self.candidate or "", None)
            is_eligible = until is None or (is_refused and self.now >= until)
            if self.candidate and is_eligible and (is_refused or has_retry):
                return self.candidate
            if self.refused_at is None:
                return self.pair
            end = min(self.refused_at + self.case["rotation_wait_ms"], self.deadline)
            # The product looks at the clock every 20 ms, and after a random time of less than 64 ms.
            if self.now < end and len(self.seen) == len(self.steps) and end <= self.seen_end < end + 20:
                self.recent = self.rejected[self.pair] - self.now if self.recent is None else self.recent
                self.now = self.seen_end
                continue
            is_waiting = self.now < self.refused_at + self.case["rotation_wait_ms"]
            left = self.rejected[self.pair] - self.now
            if left <= 0 and (has_retry or not is_waiting):
                return self.pair
            is_read = self.read_began >= self.last_refused_at
            if not is_waiting and is_read and self.now < self.read_at + 1000:
                self.recent = left if self.recent is None else self.recent
                return None
            # The product adds a random time of less than 64 ms to the shortest interval.
            seen = self.seen[len(self.steps)][1] if len(self.seen) > len(self.steps) else math.inf
            least = self.read_at + 250
            due = int(seen) if least <= seen <= least + 63 else least + 63
            if self.now >= due:
                self.read()
                continue
            if is_waiting and self.recent is None:
                self.recent = left
            self.now += min(20, due - self.now)
        return None

    def call(self, call: Case, seen: Case) -> Case:
        """Makes one call. `seen` is what the product did, which shows its random waits."""
        self.now += call["after_ms"]
        limit, attempts, retries, sent, refused = self.case["timeout_ms"], 0, 0, False, False
        self.deadline = self.now + limit if limit else math.inf
        self.steps = []
        self.seen, self.seen_end = seen["steps"], seen["at"]
        outcomes = iter(call["outcomes"])

        def end(error: str | None, wait: int | None = None, reason: str | None = None) -> Case:
            ended: Case = {"steps": self.steps, "at": self.now, "error": error}
            details = {"attempts": attempts, "request_sent": sent, "retry_after": wait, "reason": reason}
            return ended | (details if error else {})

        while True:
            pair = self.choose(retries < self.case["max_retries"])
            if pair is None:
                if refused or self.recent is not None:
                    return end("invalid_credentials", None if refused else self.recent)
                return end(self.failure or "timeout")
            attempts, refused = attempts + 1, False
            self.steps.append(["send", self.now, pair])
            good, bad = {"status": 200, "ms": 20}, {"status": 401, "ms": 20}
            outcome: Case = next(outcomes, good) if pair == self.content("service") else bad
            if self.now + outcome["ms"] >= self.deadline:
                outcome = {"cause": "timeout", "sent": True, "ms": int(self.deadline) - self.now}
            self.now += outcome["ms"]
            status, was_sent = outcome.get("status", 0), outcome.get("sent", True)
            sent, has_retry = sent or was_sent, retries < self.case["max_retries"]
            if status == 401:
                self.rejected[pair] = self.now + COOL_DOWN
                if pair == self.pair:
                    self.last_refused_at = self.now
                    self.refused_at = self.now if self.refused_at is None else self.refused_at
                if not has_retry:
                    return end("invalid_credentials")
                retries, refused = retries + 1, True
                continue
            error: str | None
            error, reason, wait = kind_of(status), None, None
            if status:
                is_json = json_object(outcome.get("body", "").encode()) is not None
                if error is None or status in (404, 422) or (status == 403 and is_json):
                    self.candidate = self.candidate if pair == self.pair else None
                    self.pair, self.refused_at = pair, None
                if error is None:
                    return end(None)
                reason = "unspecified" if status == 403 else None
                wait = retry_after(outcome["headers"], 0) if error in RETRYABLE else None
            else:
                error, when_sent, when_not = CAUSES[outcome["cause"]]
                reason = when_sent if was_sent else when_not
            may_retry = error == "rate_limited" or (error == LOST and not was_sent)
            is_lost = error in ("server_error", "unavailable", LOST)
            if not has_retry or not (may_retry or (is_lost and call["method"] in IDEMPOTENT)):
                return end(error, wait, reason)
            longest = min(250 << retries, 8000)
            after = self.seen[len(self.steps)][1] - self.now if len(self.seen) > len(self.steps) else longest
            pause = max(wait or 0, min(max(after, longest // 2), longest))
            if self.now + pause >= self.deadline:
                return end(error, wait, reason)
            retries, self.now = retries + 1, self.now + pause


def exchange(case: Case, answer: Case) -> Case:
    """What a client does in a scripted world. `answer` is that of the product."""
    client = Client(case)
    return {"calls": [client.call(call, seen) for call, seen in zip(case["calls"], answer["calls"])]}
