"""Lists calls with aiohttp: python adapter_aiohttp.py [SOURCE [BASE_URL CA_FILE]]."""

from __future__ import annotations

import asyncio
import logging
import ssl
import sys

import aiohttp

import justcall_auth
from justcall_auth.aiohttp import JustCallMiddleware


# [snippet]
async def count(client: justcall_auth.Client, base_url: str, context: ssl.SSLContext) -> int:
    """Returns how many calls the first page has."""
    connector = aiohttp.TCPConnector(ssl=context)
    middleware = JustCallMiddleware(client)
    async with (
        aiohttp.ClientSession(base_url, connector=connector, middlewares=[middleware]) as session,
        session.get("/v2.1/calls", params={"per_page": 5}) as response,
    ):
        return len((await response.json())["data"])


# [/snippet]


def main(
    source: str = "default:", base_url: str = "https://api.justcall.io", ca_file: str | None = None
) -> None:
    """Prints how many calls the first page has."""
    context = ssl.create_default_context(cafile=ca_file)
    with justcall_auth.Client(source, base_url=base_url, rotation_wait=10) as client:
        print(f"{asyncio.run(count(client, base_url, context))} calls")


if __name__ == "__main__":
    # The program prints the error, so a warning would repeat it.
    logging.getLogger("justcall_auth").setLevel(logging.ERROR)
    try:
        main(*sys.argv[1:])
    except justcall_auth.JustCallError as error:
        sys.exit(str(error))
