"""Lists the latest calls again and again, through resets: rotation.py SOURCE [BASE_URL CA_FILE [SECONDS]]."""

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
    """Goes on until a call fails."""
    # From a reset until the new pair is in the source no pair works: calls wait up to 20 s for it.
    # [snippet calls]
    with justcall_auth.Client(source, base_url=base_url, ca_file=ca_file, rotation_wait=20) as client:
        while True:
            print(len(client.get("/v2.1/calls?per_page=5").json()["data"]), "calls", flush=True)
            time.sleep(float(seconds))
    # [/snippet calls]


if __name__ == "__main__":
    # Shows what happens to the pair: the warnings, and that it was rotated.
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(*sys.argv[1:])
