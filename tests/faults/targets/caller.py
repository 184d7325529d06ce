"""Makes the calls that its standard input names, one per line, and prints a row for each.

`targets/caller.c` and `src/bin/caller.rs` do the same. `src/vectors/caller.rs` describes the lines.
"""

import logging
import sys
import time
import warnings

import justcall_auth

WEBHOOK_URL = "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4"
SIGNATURE = {
    "x-justcall-signature": "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf",
    "x-justcall-signature-version": "v1",
    "x-justcall-request-timestamp": "2024-03-21 17:08:22",
}
TOLERANCE = 600


def open_client(base_url: str, ca_file: str, source: str, timeout: str, retries: str) -> justcall_auth.Client:
    """Creates the client of `open BASE_URL CA_FILE SOURCE TIMEOUT_MS RETRIES`."""
    return justcall_auth.Client(
        source,
        base_url=base_url,
        ca_file=ca_file,
        timeout=int(timeout) / 1000,
        max_retries=int(retries),
        proxy="",
    )


def call(client: justcall_auth.Client, words: list[str]) -> int:
    """Makes a call. Returns its HTTP status, which is 200 for an account and 0 for a webhook."""
    match words:
        case ["verify"]:
            client.verify()
            return 200
        case ["webhook"]:
            verifier = justcall_auth.WebhookVerifier(client, url=WEBHOOK_URL, tolerance=TOLERANCE)
            body = f'{{"webhook_url": "{WEBHOOK_URL}", "type": "call.completed"}}'
            verifier.verify(SIGNATURE, body.encode(), int(time.time()))
            return 0
        case ["get", path]:
            return client.get(path).http_status
        case ["post", path, length]:
            return client.request("POST", path, data=b" " * int(length)).http_status
    raise SystemExit(f"unknown call {words}")


def row(error: justcall_auth.JustCallError) -> str:
    """Returns the row of a failed call."""
    wait = -1 if error.retry_after is None else round(error.retry_after * 1000)
    text = f"{error} {error!r} {error.hint} {error.service_message}"
    return f"{error.name} {error.http_status} {int(error.request_sent)} {wait} {text}"


def main() -> None:
    """Reads the lines."""
    logging.getLogger("justcall_auth").addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
    client = None
    for line in sys.stdin:
        words = line.rstrip("\n").split(" ")
        try:
            if words[0] == "open":
                client = open_client(*words[1:])
                printed = "ok 0 1 -1"
            else:
                printed = f"ok {call(client, words)} 1 -1"
        except justcall_auth.JustCallError as error:
            printed = row(error).replace("\n", " ")
        print(printed, flush=True)


main()
