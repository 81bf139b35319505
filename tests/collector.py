"""A collector of traces in a test: takes OTLP over HTTP, and keeps what it was sent."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True)
class Span:
    """A span as it arrived."""

    name: str
    id: bytes
    parent: bytes
    trace: bytes
    begun: int
    ended: int
    facts: dict[str, Any]
    failed: str | None


@dataclass
class Collector:
    """What has arrived."""

    address: str = ""
    spans: list[Span] = field(default_factory=list)
    resources: list[dict[str, Any]] = field(default_factory=list)

    def named(self, name: str) -> list[Span]:
        """The spans of a name, the earliest first."""
        return sorted((span for span in self.spans if span.name == name), key=lambda span: span.begun)

    def take(self, body: bytes) -> None:
        """Keep what a request brings."""
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        for several in request.resource_spans:
            self.resources.append(_facts(several.resource.attributes))
            self.spans += [_span(one) for scope in several.scope_spans for one in scope.spans]


def _span(one: Any) -> Span:
    return Span(
        name=one.name,
        id=one.span_id,
        parent=one.parent_span_id,
        trace=one.trace_id,
        begun=one.start_time_unix_nano,
        ended=one.end_time_unix_nano,
        facts=_facts(one.attributes),
        failed=one.status.message if one.status.code == 2 else None,
    )


def _facts(attributes: Any) -> dict[str, Any]:
    return {one.key: _value(one.value) for one in attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return [_value(one) for one in value.array_value.values] if kind == "array_value" else getattr(value, kind)


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens on this machine."""
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            found.take(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    found.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
