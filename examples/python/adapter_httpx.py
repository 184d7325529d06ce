"""Lists calls with httpx: python adapter_httpx.py [SOURCE [BASE_URL CA_FILE]]."""

from __future__ import annotations

import asyncio
import logging
import ssl
import sys

import httpx

import justcall_auth
from justcall_auth.httpx import JustCallAsyncTransport, JustCallTransport


# [snippet]
def blocking(client: justcall_auth.Client, base_url: str, context: ssl.SSLContext) -> httpx.Client:
    """Returns a client of httpx that sends its requests with the pair of `client`."""
    transport = JustCallTransport(client, httpx.HTTPTransport(verify=context))
    return httpx.Client(transport=transport, base_url=base_url)


def asynchronous(client: justcall_auth.Client, base_url: str, context: ssl.SSLContext) -> httpx.AsyncClient:
    """Does the same for asyncio and trio."""
    transport = JustCallAsyncTransport(client, httpx.AsyncHTTPTransport(verify=context))
    return httpx.AsyncClient(transport=transport, base_url=base_url)


# [/snippet]


async def count(client: justcall_auth.Client, base_url: str, context: ssl.SSLContext) -> int:
    """Returns how many calls the first page has."""
    async with asynchronous(client, base_url, context) as http:
        return len((await http.get("/v2.1/calls", params={"per_page": 5})).json()["data"])


def main(
    source: str = "default:", base_url: str = "https://api.justcall.io", ca_file: str | None = None
) -> None:
    """Prints how many calls the first page has, twice."""
    context = ssl.create_default_context(cafile=ca_file)
    with justcall_auth.Client(source, base_url=base_url, rotation_wait=10) as client:
        with blocking(client, base_url, context) as http:
            calls = http.get("/v2.1/calls", params={"per_page": 5}).json()["data"]
        print(f"{len(calls)} calls, {asyncio.run(count(client, base_url, context))} calls")


if __name__ == "__main__":
    # The program prints the error, so a warning would repeat it.
    logging.getLogger("justcall_auth").setLevel(logging.ERROR)
    try:
        main(*sys.argv[1:])
    except justcall_auth.JustCallError as error:
        sys.exit(str(error))
