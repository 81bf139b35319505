"""How does somebody see a turn and a deployment in a tool for traces?

By OpenTelemetry, sent over OTLP/HTTP when `OTEL_EXPORTER_OTLP_ENDPOINT` (or `…_TRACES_ENDPOINT`) says where to; else
nothing of it is imported. Spans are made when what they show is over: what is done waits for none of it, and a turn
that found nothing to do leaves none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from time import perf_counter
from typing import Any

from reconciler import __version__
from reconciler.model.deployment import Deployment
from reconciler.telemetry import stages
from reconciler.telemetry.logs import logger

log = logger("daemon")

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_LAST_WORDS = 3.0
"""Seconds that what is still to be sent may take at the end."""
_MOST = 200
"""Stages of one trace; of a turn with more, the later ones are left out."""
_traces: Traces | None = None


@contextmanager
def tracing(environ: Mapping[str, str], now: Callable[[], datetime]) -> Iterator[None]:
    """Send traces as long as this lasts, where the variables of this process say so."""
    global _traces  # like the log: one for the process
    provider = _provider() if _wanted(environ) else None
    if provider is None:
        yield
        return
    _traces = Traces(provider.get_tracer("reconciler", __version__), now)
    stages.watch(_traces.ended)
    try:
        yield
    finally:
        stages.watch(None)
        _traces = None
        # A collector that does not answer must not keep a process from ending.
        ending = threading.Thread(target=provider.shutdown, daemon=True, name="traces")
        ending.start()
        ending.join(_LAST_WORDS)


def traced(tell: Callable[[Deployment], None]) -> Callable[[Deployment], None]:
    """`tell`, which then makes a span of each deployment that has ended, too, where traces are sent."""

    def told(deployment: Deployment) -> None:
        tell(deployment)
        if _traces is not None and not deployment.active:
            _traces.deployment(deployment)

    return told


def _wanted(environ: Mapping[str, str]) -> bool:
    disabled = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return not disabled and any(environ.get(name, "").strip() for name in ENDPOINTS)


def _provider() -> Any:
    """What spans are handed to; None where OpenTelemetry is not installed."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        log.warning("traces.unavailable", error=str(error), next="install reconciler[otel], or unset the endpoint")
        return None
    # What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say goes before this.
    named = Resource({SERVICE_NAME: "reconciler", SERVICE_VERSION: __version__})
    said = Resource.create()
    own = {key: value for key, value in said.attributes.items() if not str(value).startswith("unknown_service")}
    provider = TracerProvider(resource=named.merge(Resource(own)), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class Traces:
    """Makes spans of what is over."""

    def __init__(self, tracer: Any, now: Callable[[], datetime]) -> None:
        self._tracer = tracer
        self._now = now
        self._within = threading.local()

    def ended(self, stage: stages.Stage) -> None:
        """A stage is over. With the outermost one of a thread the whole trace is told, if it is worth it."""
        known: list[stages.Stage] = self._within.__dict__.setdefault("stages", [])
        if stage.depth:
            if len(known) < _MOST:
                known.append(stage)
            return
        self._within.stages = []
        if stage.facts or stage.error is not None:
            self._tell(stage, known)

    def deployment(self, deployment: Deployment) -> None:
        """A deployment that was claimed has ended."""
        begun, over = deployment.started_at, deployment.finished_at
        if begun is None or over is None:
            return
        facts = {
            "id": deployment.id,
            "app": deployment.app,
            "environment": deployment.environment,
            "number": deployment.number,
            "cause": deployment.cause,
            "status": deployment.status,
            "attempts": deployment.attempts + 1,
            "commit": deployment.commit,
            "versions": [part.number for part in deployment.traffic],
        }
        span = self._begin("deployment", facts, _nanoseconds(begun))
        if deployment.status == "failed":
            self._fail(span, deployment.error or "it failed")
        span.end(end_time=_nanoseconds(over))

    def _tell(self, outermost: stages.Stage, within: list[stages.Stage]) -> None:
        """Lengths come from a clock that nobody sets; when it was comes from the other one, looked at now."""
        offset = _nanoseconds(self._now()) - round(perf_counter() * 1e9)
        from opentelemetry.trace import set_span_in_context

        parents: list[Any] = []
        for one in sorted([outermost, *within], key=lambda stage: (stage.begun, stage.depth)):
            del parents[one.depth :]
            context = set_span_in_context(parents[-1]) if parents else None
            span = self._begin(one.name, one.facts, offset + round(one.begun * 1e9), context)
            if one.error is not None:
                self._fail(span, f"{type(one.error).__name__}: {one.error}")
            span.end(end_time=offset + round(one.ended * 1e9))
            parents.append(span)

    def _begin(self, name: str, facts: Mapping[str, Any], at: int, context: Any = None) -> Any:
        attributes = {f"reconciler.{key}": value for key, value in facts.items() if value is not None}
        from opentelemetry.context import Context

        return self._tracer.start_span(name, context=context or Context(), attributes=attributes, start_time=at)

    @staticmethod
    def _fail(span: Any, why: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        span.set_status(Status(StatusCode.ERROR, why[:1_000]))


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000) * 1_000
