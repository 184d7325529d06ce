"""A service for the deployments: makes a call each second, and prints the generation of its pair."""

from __future__ import annotations

import os
import sys
import time

import justcall_auth


def main() -> None:
    """Makes calls until the process ends, or as many as the first argument."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else -1
    with justcall_auth.Client(
        base_url=os.environ.get("JUSTCALL_BASE_URL"),
        ca_file=os.environ.get("JUSTCALL_CA_FILE"),
        # Calls wait until the new pair arrives in the source.
        rotation_wait=float(os.environ.get("JUSTCALL_ROTATION_WAIT", "120")),
        timeout=180,
    ) as client:
        client.verify()
        while count:
            status = client.get("/v2.1/calls", params={"per_page": 1}).http_status
            print(f"{status} generation {client.generation}", flush=True)
            count -= 1
            time.sleep(float(os.environ.get("PAUSE", "1")))


if __name__ == "__main__":
    main()
