"""Runs commands with the module, one per line, and answers each with "done …" or "failed …".

target.py PAIR_FILE URL CA_FILE. Keeps no copy of the pair itself, except between `plant` and `unplant`.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading

import justcall_auth

PAIR_FILE, URL, CA_FILE = sys.argv[1:]
LEVELS = {"0": "auto", "1": "strict", "2": "heap", "3": "secretmem"}

settings = {"base_url": URL, "ca_file": CA_FILE, "max_retries": 0}
source = "file:" + PAIR_FILE
client = None
response = None
error = None
planted = None
stopping = threading.Event()
working = []
results = []


def result_of(work):
    """Calls `work`. Returns "ok", or the name of its error and the reason if there is one; stores the error."""
    global error
    try:
        work()
    except justcall_auth.JustCallError as raised:
        error = raised.with_traceback(None)
        return " ".join(filter(None, [raised.name, getattr(raised, "reason", None)]))
    return "ok"


def verify(calls):
    last = "ok"
    while not stopping.is_set() if calls < 0 else calls > 0:
        last = result_of(client.verify)
        calls -= calls > 0
    results.append(last)


def start(threads, calls):
    stopping.clear()
    results.clear()
    if threads == 1 and calls > 0:
        verify(calls)
        return
    for _ in range(threads):
        working.append(threading.Thread(target=verify, args=(calls,)))
        working[-1].start()


def finish():
    while working:
        working.pop().join()
    return next((last for last in results if last != "ok"), "ok")


def request(method, path, size):
    global response
    drop()

    def send():
        global response
        response = client.request(method, path, data=bytes(size) if size else None)

    return result_of(send)


def webhooks(count, signature, timestamp):
    """Verifies a webhook `count` times. The library computes the signature each time."""
    verifier = justcall_auth.WebhookVerifier(client, url=justcall_auth.ANY_URL)
    headers = {
        "x-justcall-signature": signature,
        "x-justcall-signature-version": "v1",
        "x-justcall-request-timestamp": timestamp,
    }
    body = b'{"type":"call.completed","webhook_url":"https://a.b/c"}'
    last = "ok"
    for _ in range(count):
        last = result_of(lambda: verifier.verify(headers, body, int(timestamp)))
    return last


def replace():
    """Replaces the client's pair with that in the file."""
    client.replace(justcall_auth.Credentials.load("file:" + PAIR_FILE))


def drop():
    global response, error
    response = error = None
    return "ok"


def new_client():
    global client
    client = justcall_auth.Client(source, **settings)


def load():
    """Lets the client read its source, by requesting the protection level."""
    return client.protection.obtained


def plant():
    global planted
    planted = bytearray(4096)
    with open(PAIR_FILE, "rb", buffering=0) as file:
        if not file.readinto(planted):
            raise OSError("the file is empty")
    return f"{ctypes.addressof(ctypes.c_char.from_buffer(planted)):x}"


def unplant():
    planted[:] = bytes(len(planted))
    return "ok"


def cancel():
    """Ends the waiting calls. Returns their result."""
    stopping.set()
    client.close()
    return finish()


def raise_error(event):
    raise RuntimeError(event.message)


def end():
    global client
    drop()
    client.close()
    client = None
    return "ok"


def setting(name, value):
    settings[name] = value
    return "ok"


def new_source(words):
    global source
    source = " ".join(words)
    return "ok"


def run_command(word, *rest):
    if word == "verify":
        start(int(rest[1]), int(rest[0]))
        return finish()
    if word == "loop":
        start(int(rest[0]), -1)
        return "started"
    if word == "stop":
        stopping.set()
        return finish()
    if word == "webhooks":
        return webhooks(int(rest[0]), *rest[1:])
    if word == "request":
        return request(rest[0], rest[1], int(rest[2]))
    commands = {
        "client": lambda: result_of(new_client),
        "load": load,
        "cancel": cancel,
        "raise": lambda: setting("on_event", raise_error),
        "drop": drop,
        "replace": lambda: result_of(replace),
        "free": end,
        "plant": plant,
        "unplant": unplant,
        "source": lambda: new_source(rest),
        "timeout": lambda: setting("timeout", float(rest[0]) / 1000),
        "retries": lambda: setting("max_retries", int(rest[0])),
        "proxy": lambda: setting("proxy", rest[0]),
        "level": lambda: setting("memory_protection", LEVELS[rest[0]]),
    }
    return commands[word]()


for line in sys.stdin:
    try:
        answer = "done " + run_command(*line.split())
    except Exception as raised:  # The harness reports every failure.
        answer = f"failed {type(raised).__name__} {raised}".replace("\n", " ")
    os.write(1, (answer + "\n").encode())
