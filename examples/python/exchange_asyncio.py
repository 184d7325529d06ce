"""Sends calls on an event loop: python exchange_asyncio.py [SOURCE [BASE_URL [CA_FILE [SECONDS]]]]."""

import asyncio
import logging
import socket
import ssl
import sys
from urllib.parse import urlsplit

from justcall_auth import Action, Client, Exchange, JustCallError, Response


async def exchange_bytes(
    exchange: Exchange, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bytes:
    """Writes the request. Returns the bytes that arrive until the server closes the connection."""
    url = urlsplit(exchange.url)
    body = exchange.body or b""
    headers = {
        **exchange.headers,
        "Host": url.netloc,
        "Content-Length": str(len(body)),
        "Connection": "close",
        # Called immediately before the request is sent: the response counts for this pair.
        "Authorization": exchange.authorization(),
    }
    # HTTP/1.0, so that the response is not chunked.
    lines = [f"{exchange.method} {url.path}?{url.query} HTTP/1.0", *map(": ".join, headers.items()), "", ""]
    writer.write("\r\n".join(lines).encode() + body)
    return await reader.read()


# [snippet]
async def send(exchange: Exchange, context: ssl.SSLContext) -> None:
    """Sends the request of the exchange, and reports the result. Any HTTP client can be used."""
    url = urlsplit(exchange.url)
    connecting = asyncio.open_connection(url.hostname, url.port or 443, ssl=context)
    try:
        reader, writer = await asyncio.wait_for(connecting, exchange.remaining)
    except asyncio.TimeoutError:
        return exchange.failed("timeout", request_sent=False)
    except ssl.SSLError:
        return exchange.failed("tls", request_sent=False)
    except socket.gaierror:
        return exchange.failed("resolve", request_sent=False)
    except OSError:
        return exchange.failed("connect", request_sent=False)
    try:
        response = await asyncio.wait_for(exchange_bytes(exchange, reader, writer), exchange.remaining)
        head, _, content = response.partition(b"\r\n\r\n")
        status, *fields = head.decode("latin-1").split("\r\n")
        pairs = [(name, value.strip()) for name, _, value in (field.partition(":") for field in fields)]
        exchange.answered(int(status.split()[1]), pairs, content)
    except asyncio.TimeoutError:
        exchange.failed("timeout", request_sent=True)
    except (OSError, IndexError, ValueError):
        exchange.failed("closed", request_sent=True)
    finally:
        writer.close()


async def get(client: Client, path: str, context: ssl.SSLContext) -> Response:
    """Does the same as `client.get(path)`, without blocking a thread."""
    with client.exchange("GET", path) as exchange:
        while (action := exchange.next()) is not Action.DONE:
            if action is Action.SEND:
                await send(exchange, context)
            elif action is Action.LOAD:
                await asyncio.to_thread(exchange.load)
            else:
                await asyncio.sleep(action.seconds)
        return exchange.response()


# [/snippet]


async def main(
    source: str = "default:",
    base_url: "str | None" = None,
    ca_file: "str | None" = None,
    timeout: str = "30",
) -> None:
    """Requests three pages concurrently, and prints the status of each."""
    context = ssl.create_default_context(cafile=ca_file)
    with Client(source, base_url=base_url, rotation_wait=10, timeout=float(timeout)) as client:
        paths = [f"/v2.1/calls?per_page=5&page={page}" for page in range(3)]
        calls = (get(client, path, context) for path in paths)
        # Every call ends before the client is closed: one that is left would fail later, with a second error.
        results = await asyncio.gather(*calls, return_exceptions=True)
    for path, result in zip(paths, results):
        if isinstance(result, BaseException):
            raise result
        print(f"{result.http_status} {path}")


if __name__ == "__main__":
    # The program prints the error, so a warning would repeat it.
    logging.getLogger("justcall_auth").setLevel(logging.ERROR)
    try:
        asyncio.run(main(*sys.argv[1:]))
    except JustCallError as error:
        sys.exit(str(error))
