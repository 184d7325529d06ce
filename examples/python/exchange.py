"""Sends a call with Python's http.client: python exchange.py [SOURCE [BASE_URL [CA_FILE [SECONDS]]]]."""

import http.client
import logging
import socket
import ssl
import sys
import time
from urllib.parse import urlsplit

from justcall_auth import Action, Client, Exchange, JustCallError


def send(exchange: Exchange, context: ssl.SSLContext) -> None:
    """Sends the request of the exchange, and reports the result."""
    url = urlsplit(exchange.url)
    # The timeout applies to each read. After the deadline the exchange ends the call.
    connection = http.client.HTTPSConnection(url.netloc, timeout=exchange.remaining, context=context)
    try:
        connection.connect()
    except ssl.SSLError:
        return exchange.failed("tls", request_sent=False)
    except socket.gaierror:
        return exchange.failed("resolve", request_sent=False)
    except TimeoutError:
        return exchange.failed("timeout", request_sent=False)
    except OSError:
        return exchange.failed("connect", request_sent=False)
    try:
        # Called immediately before the request is sent: the response counts for this pair.
        headers = {**exchange.headers, "Authorization": exchange.authorization()}
        connection.request(exchange.method, f"{url.path}?{url.query}", exchange.body, headers)
        response = connection.getresponse()
        exchange.answered(response.status, response.getheaders(), response.read())
    except TimeoutError:
        exchange.failed("timeout", request_sent=True)
    except (OSError, http.client.HTTPException):
        exchange.failed("closed", request_sent=True)
    finally:
        connection.close()


def main(
    source: str = "default:",
    base_url: "str | None" = None,
    ca_file: "str | None" = None,
    timeout: str = "30",
) -> "str | None":
    """Prints the number of calls. Returns the text of the error, if there is one."""
    context = ssl.create_default_context(cafile=ca_file)
    client = Client(source, base_url=base_url, rotation_wait=10, timeout=float(timeout))
    try:
        with client, client.exchange("GET", "/v2.1/calls", params={"per_page": 5}) as exchange:
            while (action := exchange.next()) is not Action.DONE:
                if action is Action.SEND:
                    send(exchange, context)
                elif action is Action.LOAD:
                    exchange.load()
                else:
                    time.sleep(action.seconds)
            calls = exchange.response().json()
    except JustCallError as error:
        return str(error)
    print(f"{len(calls['data'])} calls")
    return None


if __name__ == "__main__":
    # The program prints the error, so a warning would repeat it.
    logging.getLogger("justcall_auth").setLevel(logging.ERROR)
    sys.exit(main(*sys.argv[1:]))
