"""Serves the counters of a client to Prometheus: serve.py [PORT [SOURCE [BASE_URL CA_FILE]]]."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import justcall_auth

OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def serve(client: justcall_auth.Client, port: int) -> ThreadingHTTPServer:
    """Serves the client's usage at `/metrics` on a loopback port, on a separate thread."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = client.usage.encode() if self.path == "/metrics" else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", OPEN_METRICS)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Logs no scrapes."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main(
    port: str = "9101", source: str = "default:", base_url: str | None = None, ca_file: str | None = None
) -> int:
    """Lists the calls once for every line on standard input."""
    client = justcall_auth.Client(source, base_url=base_url, ca_file=ca_file)
    with client, serve(client, int(port)) as server:
        print(f"http://127.0.0.1:{server.server_port}/metrics", flush=True)
        for _ in sys.stdin:
            try:
                client.get("/v2.1/calls")
            except justcall_auth.JustCallError as error:
                print(error, file=sys.stderr)
        server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
