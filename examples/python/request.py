"""Lists the latest calls of an account: request.py [SOURCE [BASE_URL CA_FILE]]."""

from __future__ import annotations

import sys

import justcall_auth


def main(source: str = "default:", base_url: str | None = None, ca_file: str | None = None) -> int:
    """Prints a line for each call, or the error with its remedy."""
    with justcall_auth.Client(source, base_url=base_url, ca_file=ca_file) as client:
        try:
            calls = client.get("/v2.1/calls", params={"per_page": 5, "order": "desc"}).json()["data"]
        except justcall_auth.RateLimitedError as error:
            print(f"try again in {error.retry_after or 60:.0f} s", file=sys.stderr)
            return 1
        except justcall_auth.UnprocessableError as error:
            print(error, error.response and error.response.text, sep="\n", file=sys.stderr)
            return 1
    for call in calls:
        print(call["call_date"], call["contact_number"], call["call_info"]["direction"])
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
