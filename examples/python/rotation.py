"""Lists the latest calls again and again, through resets: rotation.py SOURCE [BASE_URL CA_FILE [SECONDS]]."""

from __future__ import annotations

import sys
import time

import justcall_auth


def happened(event: justcall_auth.Event) -> None:
    """Shows what happens to the pair; `logging`'s logger `justcall_auth` is told the same."""
    print(f"{event.name}: {event.message}", file=sys.stderr, flush=True)


def main(
    source: str,
    base_url: str | None = None,
    ca_file: str | None = None,
    seconds: str = "60",
) -> None:
    """Goes on until a call fails."""
    # From a reset until the new pair is in the source no pair works: calls wait so long for it.
    client = justcall_auth.Client(
        source, base_url=base_url, ca_file=ca_file, rotation_wait=20, on_event=happened
    )
    with client:
        while True:
            calls = client.get("/v2.1/calls", params={"per_page": 5}).json()["data"]
            print(f"{len(calls)} calls", flush=True)
            time.sleep(float(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
