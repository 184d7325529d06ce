"""One call of the module between two markers, as targets/target.c makes it: target.py URL CA_FILE SOURCE SCENARIO."""

import contextlib
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable

import justcall_auth

BEGIN, END = "/justcall-marker-begin", "/justcall-marker-end"
WEBHOOK_URL = "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4"
SIGNATURE = {
    "x-justcall-signature": "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf",
    "x-justcall-signature-version": "v1",
    "x-justcall-request-timestamp": "2024-03-21 17:08:22",
}
BODY = b'{"webhook_url": "%s", "type": "call.completed"}' % WEBHOOK_URL.encode()
LARGE_BODY = b"{" + b" " * 200 * 1024 + b"}"
WARM = {"request", "reset", "held"}


class Target:
    """A scenario with its client."""

    def __init__(self, url: str, ca_file: str, source: str, scenario: str) -> None:
        self.url, self.ca_file, self.source, self.scenario = url, ca_file, source, scenario
        self.client: justcall_auth.Client | None = None

    def open(self) -> justcall_auth.Client:
        """Returns the client, which it creates if there is none."""
        if self.client is None:
            wait = 5.0 if self.scenario == "held" else 0.0
            self.client = justcall_auth.Client(
                self.source, base_url=self.url, ca_file=self.ca_file, timeout=6.0, rotation_wait=wait
            )
        return self.client

    def verify_webhook(self) -> None:
        """Verifies the example of the official reference."""
        verifier = justcall_auth.WebhookVerifier(self.open(), url=WEBHOOK_URL, tolerance=600)
        verifier.verify(SIGNATURE, BODY, 1711040902)

    def act(self) -> None:
        """Makes the call under test."""
        if self.scenario == "load":
            justcall_auth.Credentials.load(self.source)
        elif self.scenario == "verify":
            self.open().verify()
        elif self.scenario == "webhook":
            self.verify_webhook()
        elif self.scenario == "request":
            self.open().post("/v2.1/echo", data=LARGE_BODY)
        else:
            self.open().get("/v2.1/calls")

    def act_again(self) -> None:
        """Makes the next call, which nothing disturbs."""
        if self.scenario in {"load", "webhook"}:
            self.act()
        else:
            self.open().get("/v2.1/calls?again=1")


def report(what: str, call: Callable[[], None]) -> tuple[str, str]:
    """Makes a call. Returns the lines about its result."""
    try:
        call()
    except justcall_auth.JustCallError as error:
        text = f"text {error.name} {error} {error!r} {error.hint} {error.service_message}"
        return f"{what} {error.code} {int(error.request_sent)}", text
    except MemoryError:
        return f"{what} 3 0", "text MemoryError"
    except OSError as error:
        # A file that Python itself could not open, such as a module that is imported late.
        return f"{what} python 0", f"text {error!r}"
    return f"{what} 0 0", "text"


def descriptors() -> int:
    """Returns how many descriptors are open. The injected failure may come only now: then it is over."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return len(os.listdir("/proc/self/fd"))


def main() -> None:
    """Runs the scenario."""
    logging.getLogger("justcall_auth").addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
    target = Target(*sys.argv[1:5])
    if target.scenario in WARM:
        target.open().verify()
    print("ready", flush=True)
    if not sys.stdin.read(1):
        sys.exit(2)

    os.access(BEGIN, os.F_OK)
    lines = report("result", target.act)
    os.access(END, os.F_OK)

    if lines[0].startswith("result 401"):
        # After the service rejected the pair, calls read the source at most once a second.
        time.sleep(2)
    lines += report("again", target.act_again)
    if target.client is not None:
        with contextlib.suppress(justcall_auth.JustCallError):
            target.client.close()
        target.client = None
    print(*lines, f"descriptors {descriptors()}", sep="\n")


main()
