"""Requests several lists at once: async_client.py [SOURCE [BASE_URL CA_FILE]]."""

from __future__ import annotations

import asyncio
import sys

import justcall_auth

PATHS = ["/v2.1/users", "/v2.1/phone-numbers", "/v2.1/user_groups"]


async def main(source: str = "default:", base_url: str | None = None, ca_file: str | None = None) -> int:
    """Prints the length of each list, and the number of calls."""
    async with justcall_auth.AsyncClient(source, base_url=base_url, ca_file=ca_file) as client:
        for response in await asyncio.gather(*(client.get(path) for path in PATHS)):
            print(response.json()["count"])
        print(len([call["id"] async for call in client.pages("/v2.1/calls")]))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
