"""Lists calls with requests: python adapter_requests.py [SOURCE [BASE_URL CA_FILE]]."""

from __future__ import annotations

import logging
import sys

import requests

import justcall_auth
from justcall_auth.requests import JustCallAdapter


# [snippet]
def session(client: justcall_auth.Client, base_url: str) -> requests.Session:
    """Returns a session that sends the requests for the base URL with the pair of the client."""
    session = requests.Session()
    session.mount(base_url, JustCallAdapter(client))
    return session


# [/snippet]


def main(
    source: str = "default:", base_url: str = "https://api.justcall.io", ca_file: str | None = None
) -> None:
    """Prints how many calls the first page has."""
    client = justcall_auth.Client(source, base_url=base_url, rotation_wait=10)
    with client, session(client, base_url) as http:
        response = http.get(f"{base_url}/v2.1/calls", params={"per_page": 5}, verify=ca_file or True)
        calls = response.json()["data"]
    print(f"{len(calls)} calls")


if __name__ == "__main__":
    # The program prints the error, so a warning would repeat it.
    logging.getLogger("justcall_auth").setLevel(logging.ERROR)
    try:
        main(*sys.argv[1:])
    except justcall_auth.JustCallError as error:
        sys.exit(str(error))
