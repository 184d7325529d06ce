"""Makes calls until its standard input ends: soak.py URL CA_FILE SOURCE THREADS CLIENTS PLANT.

It does the same as targets/soak.c, whose first comment describes it.
"""

import contextlib
import logging
import os
import select
import sys
import threading
import warnings
from collections.abc import Callable

import justcall_auth

URL, CA_FILE, SOURCE = sys.argv[1:4]
THREADS, CLIENTS = map(int, sys.argv[4:6])
PLANT = sys.argv[6]
WEBHOOK_URL = "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4"
SIGNATURE = {
    "x-justcall-signature": "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf",
    "x-justcall-signature-version": "v1",
    "x-justcall-request-timestamp": "2024-03-21 17:08:22",
}
BODY = b'{"webhook_url": "%s", "type": "call.completed"}' % WEBHOOK_URL.encode()

lock = threading.Lock()
counts = [0, 0]
lost: list[bytearray] = []
is_over = threading.Event()


def count(expected: str, work: Callable[[], object]) -> None:
    """Makes a call, which must end with the error `expected`, or `ok`."""
    name = "ok"
    try:
        work()
    except justcall_auth.JustCallError as error:
        name = error.name
    with lock:
        counts[0] += 1
        counts[1] += name != expected
        if name != expected and counts[1] < 10:
            print(f"{name}, not {expected}", file=sys.stderr)


def new_client() -> justcall_auth.Client:
    """Creates a client."""
    return justcall_auth.Client(SOURCE, base_url=URL, ca_file=CA_FILE, max_retries=0, timeout=60)


def lose() -> None:
    """The planted bugs. Each loses one thing in each round."""
    if PLANT == "memory":
        lost.append(bytearray(b"1") * 262144)
    elif PLANT == "descriptor":
        os.open("/dev/null", os.O_RDONLY)
    elif PLANT == "thread":
        threading.Thread(target=is_over.wait).start()


def work(client: justcall_auth.Client, *, is_first: bool) -> None:
    """Makes calls."""
    while not is_over.is_set():
        count("ok", client.verify)
        count("ok", lambda: client.get("/v2.1/calls"))
        count("ok", lambda: client.post("/v2.1/echo", data=b" " * 2048))
        count("not_found", lambda: client.get("/v2.1/missing"))
        count("connection_failed", lambda: client.post("/v2.1/lost", data=b"{}"))
        verifier = justcall_auth.WebhookVerifier(client, url=WEBHOOK_URL, tolerance=600)
        count("webhook_mismatch", lambda: verifier.verify(SIGNATURE, BODY, 1711040902))  # noqa: B023
        count("ok", lambda: justcall_auth.Credentials.load(SOURCE))
        if is_first:
            with new_client() as another:
                count("ok", another.verify)
            lose()


def crowd() -> None:
    """Creates many clients at the same time, which share a connection."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(new_client()) for _ in range(CLIENTS)]
        for client in clients:
            count("ok", client.verify)


def main() -> None:
    """Runs until the input ends."""
    logging.getLogger("justcall_auth").addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
    with new_client() as client:
        crowd()
        threads = [
            threading.Thread(target=work, args=[client], kwargs={"is_first": number == 0})
            for number in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        while not select.select([sys.stdin], [], [], 1.0)[0]:
            print(f"calls {counts[0]} failed {counts[1]}", flush=True)
        is_over.set()
        for thread in threads:
            thread.join()
        print(f"calls {counts[0]} failed {counts[1]}", flush=True)


main()
