"""Lists the latest calls repeatedly, through resets: rotation.py SOURCE [BASE_URL CA_FILE [SECONDS]]."""

from __future__ import annotations

import logging
import sys
import time

import justcall_auth


def main(
    source: str,
    base_url: str | None = None,
    ca_file: str | None = None,
    seconds: str = "60",
) -> None:
    """Lists the calls until one fails."""
    # No pair is valid from a reset until the source has the new pair. Calls wait up to 20 s for it.
    # [snippet calls]
    with justcall_auth.Client(source, base_url=base_url, ca_file=ca_file, rotation_wait=20) as client:
        while True:
            print(len(client.get("/v2.1/calls?per_page=5").json()["data"]), "calls", flush=True)
            time.sleep(float(seconds))
    # [/snippet calls]


if __name__ == "__main__":
    # Prints the events of the pair: the warnings and `rotated`.
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(*sys.argv[1:])
