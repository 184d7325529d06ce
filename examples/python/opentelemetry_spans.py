"""Creates a span for each call: python opentelemetry_spans.py [SOURCE [BASE_URL CA_FILE]]."""

from __future__ import annotations

import contextlib
import logging
import sys

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

import justcall_auth

# [snippet]
tracer = trace.get_tracer("justcall")


def on_request(call: justcall_auth.CallRecord) -> None:
    """Starts a span. The path has no numbers, so spans of the same kind have the same name."""
    call.context = tracer.start_span(f"{call.method} {call.path}", kind=trace.SpanKind.CLIENT)


def on_response(call: justcall_auth.CallRecord) -> None:
    """Ends the span."""
    span = call.context
    span.set_attribute("http.request.method", call.method)
    span.set_attribute("http.response.status_code", call.http_status)
    span.set_attribute("http.request.resend_count", max(call.attempts - 1, 0))
    if call.error:
        span.set_attribute("error.type", call.error)
        span.set_status(trace.StatusCode.ERROR)
    span.end()


# [/snippet]


def main(source: str = "default:", base_url: str | None = None, ca_file: str | None = None) -> None:
    """Makes two calls, one of which fails, and prints their spans."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
    trace.set_tracer_provider(provider)
    with justcall_auth.Client(
        source, base_url=base_url, ca_file=ca_file, on_request=on_request, on_response=on_response
    ) as client:
        client.get("/v2.1/calls/100042")
        with contextlib.suppress(justcall_auth.NotFoundError):
            client.get("/v2.1/calls/7")


if __name__ == "__main__":
    logging.getLogger("justcall_auth").setLevel(logging.ERROR)
    main(*sys.argv[1:])
