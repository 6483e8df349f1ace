"""What belongs to one article on its way: the same trace in every log line, and a span for each hop if asked for.

A poll names its trace, and its articles carry the name. It is the end of the OpenTelemetry trace id, and the id of the
span of the poll, whose children the other hops are: so nothing else has to travel with an article.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar
from hashlib import sha256
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

ROOT = "poll"
_NAME = re.compile(r"[0-9a-f]{16}")
_EXPORT_SECONDS = 5
_NOTHING = nullcontext()
_asked_root = ContextVar[int]("asked_root", default=0)


class _Switch:
    """The tracer of this process, while there is one."""

    tracer: "Tracer | None" = None


def hop(name: str, trace: str, **bound: str) -> AbstractContextManager[object]:
    """Bind `trace` and what else is given to every log line in the block, and measure it as a span of the trace."""
    logged = structlog.contextvars.bound_contextvars(trace=trace, **bound)
    return logged if _Switch.tracer is None else _both(logged, span(name, trace, **bound))


@contextmanager
def _both(
    logged: AbstractContextManager[object], measured: AbstractContextManager[object]
) -> Iterator[None]:
    with logged, measured:
        yield


def span(name: str, trace: str, **about: str) -> AbstractContextManager[object]:
    """Measure the block as a span of the trace, if spans are asked for; a failure in it is noted."""
    tracer = _Switch.tracer
    return _NOTHING if tracer is None else _measured(tracer, name, trace, about)


def _measured(
    tracer: "Tracer", name: str, trace: str, about: dict[str, str]
) -> AbstractContextManager[object]:
    from opentelemetry import trace as api  # noqa: PLC0415 - an extra
    from opentelemetry.context import Context  # noqa: PLC0415

    number, is_root = number_of(trace), name == ROOT
    poll = api.SpanContext(number, number, is_remote=True, trace_flags=api.TraceFlags(1))
    above = Context() if is_root else api.set_span_in_context(api.NonRecordingSpan(poll))
    attributes = {f"monitor.{key}": value for key, value in about.items()}
    token = _asked_root.set(number if is_root else 0)
    try:
        started = tracer.start_span(name, above, attributes=attributes)
    finally:
        _asked_root.reset(token)
    return api.use_span(started, end_on_exit=True)


def number_of(trace: str) -> int:
    """Return the id of a trace from its name, of 64 bits and never 0."""
    digits = trace if _NAME.fullmatch(trace) else sha256(trace.encode()).hexdigest()[:16]
    return int(digits, 16) or 1


@asynccontextmanager
async def tracing_to(endpoint: str, share: float = 1.0) -> AsyncIterator[None]:
    """Send spans by OTLP over HTTP while the block runs: those of a `share` of all polls, the same in every process.

    What cannot be sent is dropped. Needs the extra `otel`.
    """
    provider = await asyncio.to_thread(_provider, endpoint, share)
    _Switch.tracer = provider.get_tracer("monitor")
    try:
        yield
    finally:
        _Switch.tracer = None
        await asyncio.to_thread(provider.shutdown)


def _provider(endpoint: str, share: float) -> "TracerProvider":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import TraceIdRatioBased  # noqa: PLC0415

    class Ids(RandomIdGenerator):
        """Random ids, but for the span of a poll."""

        def generate_trace_id(self) -> int:
            return _asked_root.get() or super().generate_trace_id()

        def generate_span_id(self) -> int:
            return _asked_root.get() or super().generate_span_id()

    provider = TracerProvider(
        sampler=TraceIdRatioBased(share),
        resource=Resource.create({"service.name": "monitor"}),
        id_generator=Ids(),
        shutdown_on_exit=False,
    )
    exporter = OTLPSpanExporter(endpoint=endpoint, timeout=_EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
