"""Random cases for the five parts of the comparison."""

from __future__ import annotations

import datetime
import email.utils
import hashlib
import hmac
import json
import random
from typing import Any, Callable
from urllib.parse import quote

Case = dict[str, Any]
Random = random.Random

HEX = "0123456789abcdef"
TOKEN = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in ":\"'`")
PLAIN = "bcdfghjklm0123456789"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]


def letters(random: Random, alphabet: str, low: int, high: int) -> str:
    """Returns a random text."""
    return "".join(random.choices(alphabet, k=random.randint(low, high)))


def header(random: Random) -> Case:
    """A request with its pair."""
    headers = []
    for name, values in (
        ("Accept", ["text/csv", "*/*"]),
        ("content-type", ["text/plain", "application/xml"]),
        ("X-Trace", ["a b", "7"]),
        ("x-justcall-client", ["mine/1.0"]),
    ):
        if random.random() < 0.2:
            headers.append([name, random.choice(values)])
    base = random.choice(
        ["https://api.justcall.io", "https://eu.example:8443", "http://127.0.0.1:9", "http://[::1]:80"]
    )
    return {
        "base_url": base + random.choice(["", "/", "/proxy", "/proxy/"]),
        "method": random.choice(METHODS),
        "path": random.choice(["/v2.1/calls", "/v2/account", "/v2.1/calls?per_page=5", "/v1/x/%20y?a=b&c"]),
        "headers": headers,
        "body": random.choice([None, "", '{"a": 1}', "ä"]),
        "key": "k" + letters(random, TOKEN, 20, 100),
        "secret": "s" + letters(random, TOKEN + ":", 20, 511),
    }


ODD = [
    *" \t\r\n\"'`:=\\",
    "\x00\x07\x1b\x7f",
    *"\u00a0\u2003\u202f\u200b\u200d\ufeff\u00ad\u2019\u201c\u201e\u00abäß日",
    "Bearer ",
]


def pair(random: Random) -> Case:
    """A key and a secret, usually with one or two faults."""
    case = {}
    for name in ("key", "secret"):
        # Other texts could be a placeholder, JSON or base64, for which the documents have no exact rule.
        half = letters(random, HEX, 40, 40) if random.random() < 0.7 else letters(random, PLAIN, 1, 60)
        if random.random() < 0.1:
            half = random.choice(["", " ", "\n"])
        if random.random() < 0.05:
            half = letters(random, HEX, 505, 520)
        for _ in range(random.choice([0, 0, 0, 1, 1, 2])):
            odd = random.choice(ODD)
            at = random.choice([0, len(half), random.randint(0, len(half))])
            half = half[:at] + odd + half[at:]
        case[name] = half
    if random.random() < 0.05:
        case["secret"] = case["key"]
    return case


MESSAGES = [
    "Invalid API key or secret.",
    "Unauthorized",
    "Your plan does not include API access.",
    "This endpoint requires Admin-level credentials.",
    "The AI Review Assist add-on is required.",
    "Your IP address is not allowed.",
    "Rate limit exceeded. Retry after 45 seconds.",
    "two\nlines\t and  spaces ",
    "Grüße 日本語",
    "x" * 600,
    "ä" * 300,
    "",
    "Forbidden",
]


def body(random: Random) -> str:
    """A body of an error, as bytes in a text."""
    message = random.choice(MESSAGES)
    other = random.choice([message, None, 7, [message], {"message": message}, {"message": 7}])
    forms = [
        {"status": "error", "message": message},
        {"status": "failed", "message": message, "error_code": "X"},
        {"message": other},
        {"error": other},
        other,
    ]
    if random.random() < 0.2:
        return random.choice(
            ["<html><body>x</body></html>", "", "{", '{"message": "a\\u00e4\\ud83d\\ude42"}']
        )
    text = json.dumps(random.choices(forms, [6, 6, 1, 3, 1])[0], ensure_ascii=random.random() < 0.5)
    return text.encode().decode("latin-1")


def http_date(at: int) -> str:
    """An HTTP date."""
    return email.utils.format_datetime(
        datetime.datetime.fromtimestamp(at, datetime.timezone.utc), usegmt=True
    )


def limits(random: Random, now: int) -> list[list[str]]:
    """Headers about the next attempt, of a service whose clock may differ."""
    headers = []
    if random.random() < 0.3:
        now += random.choice([0, -3600, 3600, 315_360_000])
        headers.append([random.choice(["Date", "date"]), http_date(now)])
    elif random.random() < 0.1:
        headers.append(["Date", "now"])
    if random.random() < 0.5:
        date = http_date(now + random.randint(-100, 4000))
        forms = [str(random.randint(0, 5000)), "0", date, "-1", "soon", "", "1.5", " 7 ", "٣"]
        headers.append(
            [
                random.choice(["Retry-After", "retry-after"]),
                random.choices(forms, [6, 1, 6, 1, 1, 1, 1, 1, 1])[0],
            ]
        )
    for prefix in random.sample(
        ["X-Rate-Limit", "x-ratelimit", "X-Rate-Limit-Burst"], random.choice([0, 0, 1, 1, 2, 3])
    ):
        forms = [
            str(now + random.randint(-50, 4000)),
            str((now + random.randint(-50, 4000)) * 1000),
            str(random.randint(0, 4000)),
            "x",
        ]
        headers.append([prefix + "-Reset", random.choices(forms, [4, 4, 4, 1])[0]])
        headers.append([prefix + "-Remaining", random.choice(["0", "1", "17"])])
        headers.append([prefix + "-Limit", "60"])
    random.shuffle(headers)
    return headers


STATUSES = [
    200,
    204,
    301,
    302,
    307,
    400,
    401,
    403,
    404,
    408,
    409,
    418,
    422,
    429,
    500,
    501,
    502,
    503,
    504,
    599,
]


def response(random: Random) -> Case:
    """A response of the service, or of something else."""
    now = random.randint(1_600_000_000, 2_000_000_000)
    return {
        "status": random.choice(STATUSES) if random.random() < 0.9 else random.randint(100, 999),
        "headers": limits(random, now),
        "body": body(random),
        "now": now,
    }


def stamp(random: Random, at: int) -> str:
    """A time in one of the forms of the service."""
    moment = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
    forms = [f"{moment:%Y-%m-%d %H:%M:%S}", str(at), str(at * 1000 + random.randint(0, 999))]
    return random.choice(forms)


URL_PARTS = list("abcXYZ019/?&=%+-_.~!*'()#;:@,$äß日🙂")
BROKEN_TIMES = [
    "",
    "yesterday",
    "2024-02-30 10:00:00",
    "2024-3-21 17:08:22",
    "2024-03-21T17:08:22Z",
    "-5",
    "1e9",
    "17 ",
]


def webhook(random: Random) -> Case:
    """A delivery, usually genuine but for one fault."""
    secrets = ["s" + letters(random, TOKEN, 20, 80) for _ in range(random.randint(1, 3))]
    url = "https://example.com/" + "".join(random.choices(URL_PARTS, k=random.randint(0, 20)))
    other = url + "x"
    event = "call." + letters(random, "abc._", 1, 8)
    at = random.randint(1_100_000_000, 4_000_000_000)
    timestamp = stamp(random, at)
    tolerance = random.choice([0, 1, 600, 7200])
    safe = random.choice(["", "!*'()"])
    signer = random.choice([*secrets, "another"] if random.random() < 0.3 else secrets)
    text = f"{signer}|{quote(url, safe=safe)}|{event}|{timestamp}"
    digits = hmac.new(signer.encode(), text.encode(), hashlib.sha256).hexdigest()
    members: list[tuple[str, Any]] = [
        ("webhook_url", url),
        ("type", event),
        ("data", {"type": "x", "id": [1, {}]}),
    ]
    random.shuffle(members)
    headers = [
        ["X-JustCall-Signature", random.choice([digits, digits.upper()])],
        ["x-justcall-signature-version", "v1"],
        ["x-justcall-request-timestamp", timestamp],
    ]
    fault = random.choices(list(FAULTS), [12] + [1] * (len(FAULTS) - 1))[0]
    case = {
        "secrets": secrets,
        "urls": random.choice([None, [url], [other, url], [other]] if random.random() < 0.5 else [[url]]),
        "tolerance": tolerance,
        "now": at + random.choice([0, 0, 0, 1, -1, tolerance, -tolerance, tolerance + 1, -tolerance - 1]),
        "headers": headers,
        "body": written(members, random),
        "seen": random.random() < 0.05,
    }
    FAULTS[fault](random, case, members)
    return case


def written(members: list[tuple[str, Any]], random: Random) -> str:
    """The members as JSON, which may have a name twice, as bytes in a text."""
    is_ascii = random.random() < 0.5
    texts = [f"{json.dumps(name)}:{json.dumps(value, ensure_ascii=is_ascii)}" for name, value in members]
    return ("{" + random.choice([",", " ,\n\t"]).join(texts) + "}").encode().decode("latin-1")


def edit_header(index: int, texts: list[str]) -> Callable[[Random, Case, Any], None]:
    """A fault that replaces the value of a header."""

    def edit(random: Random, case: Case, members: Any) -> None:
        case["headers"][index][1] = random.choice(texts)

    return edit


def drop_header(random: Random, case: Case, members: Any) -> None:
    case["headers"].pop(random.randrange(3))


def double_header(random: Random, case: Case, members: Any) -> None:
    name, value = random.choice(case["headers"])
    case["headers"].append([name.upper(), random.choice([value, ""])])


def change_digit(random: Random, case: Case, members: Any) -> None:
    digits = case["headers"][0][1]
    at = random.randrange(64)
    case["headers"][0][1] = digits[:at] + random.choice(HEX) + digits[at + 1 :]


def change_member(random: Random, case: Case, members: Any) -> None:
    """Makes a member occur twice or never, or gives it another value."""
    at = random.randrange(len(members))
    name = members[at][0]
    new = [
        [*members, members[at]],
        [member for member in members if member[0] != name],
        [
            (name, random.choice([None, 7, "", ["x"], {"a": 1}, "x\u0000y"])) if member[0] == name else member
            for member in members
        ],
    ]
    case["body"] = written(random.choice(new), random)


BROKEN_BODIES = [
    "",
    "[]",
    "null",
    "{",
    "{}",
    '"x"',
    "{} {}",
    "\xff{}",
    '{"a":1,}',
    "{'a':1}",
    '{"a":NaN}',
    '{"a":01}',
]


def break_body(random: Random, case: Case, members: Any) -> None:
    """Adds something to the body, or replaces it."""
    body = case["body"]
    depth = random.choice([100, 126, 127, 128, 129, 200])
    nested = '"n":' + "[" * depth + "]" * depth
    case["body"] = random.choice(
        [
            random.choice(BROKEN_BODIES),
            " \r\n\t" + body + "\n",
            "\xef\xbb\xbf" + body,
            body[:-1] + "," + nested + "}",
            body[:-1] + ',"x":"\x01"}',
            body[:-1] + ',"x":"\\ud800"}',
            body[:-1] + ',"x":-0.5e+7}',
            body + "x",
            body[: random.randrange(len(body))],
        ]
    )


def nothing(random: Random, case: Case, members: Any) -> None:
    """No fault."""


FAULTS: dict[str, Callable[[Random, Case, Any], None]] = {
    "nothing": nothing,
    "signature": edit_header(0, ["", "x", "0" * 64, "0" * 63, "0" * 65, "g" * 64, " " + "0" * 64]),
    "version": edit_header(1, ["", "v2", "V1", "v1 ", "1"]),
    "timestamp": edit_header(2, BROKEN_TIMES),
    "dropped": drop_header,
    "doubled": double_header,
    "digit": change_digit,
    "member": change_member,
    "body": break_body,
}


def outcome(random: Random) -> Case:
    """What happens to a request whose pair is good."""
    ms = random.choice([1, 20, 20, 400, 3000, 20_000])
    if random.random() < 0.25:
        cause = random.choice(["resolve", "connect", "tls", "timeout", "closed", "closed", "cancelled"])
        sent = cause in ("timeout", "closed", "cancelled") and random.random() < 0.6
        return {"cause": cause, "sent": sent, "ms": ms}
    status = random.choice([200, 200, 302, 400, 401, 403, 404, 408, 422, 429, 429, 500, 502, 503, 504])
    headers = []
    if random.random() < 0.3:
        headers.append(["Retry-After", str(random.choice([0, 1, 5, 29, 40, 3600]))])
    body = random.choice(["", "<html>", '{"status":"error","message":"No."}'])
    return {"status": status, "headers": headers, "body": body, "ms": ms}


def history(random: Random, entries: list[str]) -> list[list[Any]]:
    """What is true from which time on."""
    at, found = 0, []
    for _ in range(random.choice([1, 1, 2, 3])):
        found.append([at, random.choice(entries)])
        at += random.choice([30, 200, 1000, 5000, 40_000])
    return found


def exchange(random: Random) -> Case:
    """Calls of one client, one after the other."""
    calls = [
        {
            "after_ms": random.choice([0, 100, 900, 1500, 31_000]),
            "method": random.choice(METHODS),
            "outcomes": [outcome(random) for _ in range(random.choice([0, 0, 1, 2, 4]))],
        }
        for _ in range(random.randint(1, 4))
    ]
    return {
        "max_retries": random.choice([0, 1, 2, 2, 3]),
        "timeout_ms": random.choice([0, 3000, 30_000, 30_000, 60_000]),
        "rotation_wait_ms": random.choice([0, 0, 0, 700, 10_000]),
        "load_ms": random.choice([0, 5, 300]),
        "source": history(random, ["A"] * 8 + ["B", "B", "C", "!source_unavailable"]),
        "service": history(random, ["A"] * 6 + ["B", "B", "C"]),
        "random": random.getrandbits(60),
        "calls": calls,
    }


PARTS = {"header": header, "pair": pair, "response": response, "webhook": webhook, "exchange": exchange}
