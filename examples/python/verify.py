"""Verifies a pair: verify.py [SOURCE [BASE_URL CA_FILE]]."""

from __future__ import annotations

import logging
import sys

import justcall_auth


def main(source: str = "default:", base_url: str | None = None, ca_file: str | None = None) -> int:
    """Prints the account of the pair, or the error with its remedy."""
    try:
        with justcall_auth.Client(source, base_url=base_url, ca_file=ca_file) as client:
            account = client.verify()
    except justcall_auth.JustCallError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"account: {account.id}\nemail:   {account.email}\nplan:    {account.plan}")
    return 0


if __name__ == "__main__":
    # The program prints the error, so a warning would repeat it.
    logging.getLogger("justcall_auth").setLevel(logging.ERROR)
    sys.exit(main(*sys.argv[1:]))
