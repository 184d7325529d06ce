"""Counts the calls of an account by direction: pages.py [SOURCE [BASE_URL CA_FILE]]."""

from __future__ import annotations

import collections
import sys

import justcall_auth


def main(source: str = "default:", base_url: str | None = None, ca_file: str | None = None) -> int:
    """Prints a line for each direction, from all pages of the list."""
    with justcall_auth.Client(source, base_url=base_url, ca_file=ca_file) as client:
        calls = client.pages("/v2.1/calls", params={"per_page": 20})
        counts = collections.Counter(call["call_info"]["direction"] for call in calls)
    for direction, count in sorted(counts.items()):
        print(direction, count)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
