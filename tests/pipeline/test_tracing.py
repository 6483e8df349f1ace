"""An article can be followed through every hop by OpenTelemetry."""

import logging
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span  # noqa: TC002
from pydantic import ValidationError

from monitor.config.schema import TracingSettings
from monitor.tracing import hop, number_of, tracing_to
from monitor.web.app import serve
from tests import configuration
from tests.acceptance.daemon import running
from tests.pipeline.stage import pipeline
from tests.servers.hooks import HookServer
from tests.servers.newsroom import Newsroom, Story


class Collector:
    """Takes spans by OTLP over HTTP."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.status = 200

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/v1/traces", self._take)
        async with serve(app, "127.0.0.1", 0) as address:
            yield f"{address}/v1/traces"

    async def _take(self, request: web.Request) -> web.Response:
        sent = ExportTraceServiceRequest.FromString(await request.read())
        for resource in sent.resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return web.Response(status=self.status)


async def test_the_hops_of_an_article_are_one_trace(tmp_path: Path, empty_server_url: str) -> None:
    collector = Collector()
    async with Newsroom().open() as newsroom, HookServer() as hook, collector.open() as endpoint:
        newsroom.feeds["one"] = [Story(1, "talks in Geneva")]
        async with (
            tracing_to(endpoint),
            pipeline(
                tmp_path,
                empty_server_url,
                feeds={"one": {"url": f"{newsroom.base}/feeds/one.xml", "since": "3650d"}},
                rules={"talks": "talks"},
                subscribers={"desk": [{"webhook": {"url": hook.url}}]},
            ) as stage,
        ):
            await stage.poll()
            [entry] = await stage.parts.public.read("0", 1, stage.clock.now() - stage.clock.now())
    traces = defaultdict(list)
    for span in collector.spans:
        traces[span.trace_id].append(span)
    [spans] = traces.values()
    by_name = {span.name: span for span in spans}
    assert list(by_name) == ["poll", "match", "route", "deliver"]
    poll = by_name.pop("poll")
    assert poll.parent_span_id == b""
    assert {span.parent_span_id for span in by_name.values()} == {poll.span_id}
    assert poll.trace_id[8:].hex() in entry.fields["data"]  # the trace that logs name
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano for span in spans)


async def test_a_failure_in_a_hop_is_on_its_span() -> None:
    collector = Collector()
    async with collector.open() as endpoint, tracing_to(endpoint):
        with pytest.raises(ValueError, match="no good"), hop("match", "ab" * 8, article="a1"):
            raise ValueError("no good")
    [span] = collector.spans
    assert span.status.code == span.status.STATUS_CODE_ERROR
    assert {each.key: each.value.string_value for each in span.attributes} == {
        "monitor.article": "a1"
    }


async def test_only_a_share_of_polls_is_traced_with_all_their_hops() -> None:
    collector = Collector()
    async with collector.open() as endpoint, tracing_to(endpoint, 0.5):
        for n in range(200):
            for name in ("poll", "match"):
                with hop(name, f"{n * 0x9E3779B97F4A7C15 % 2**64:016x}"):
                    pass
    traces = defaultdict(set)
    for span in collector.spans:
        traces[span.trace_id].add(span.name)
    assert 50 < len(traces) < 150
    assert all(names == {"poll", "match"} for names in traces.values())


async def test_a_collector_that_refuses_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    collector = Collector()
    collector.status = 400
    async with collector.open() as endpoint, tracing_to(endpoint):
        with hop("poll", "ab" * 8):
            pass
    assert any(record.levelno == logging.ERROR for record in caplog.records)


async def test_the_program_traces_what_its_configuration_says(tmp_path: Path) -> None:
    collector = Collector()
    async with Newsroom().open() as newsroom, collector.open() as endpoint:
        newsroom.feeds["one"] = [Story(1, "talks in Geneva")]
        configuration.write(
            tmp_path,
            monitor={"tracing": {"endpoint": endpoint}, "archive": {"enabled": False}},
            feeds={"one": {"url": f"{newsroom.base}/feeds/one.xml", "since": "3650d"}},
            rules={"talks": "talks"},
            subscribers={"desk": [{"console": {}}]},
        )
        env = {"MONITOR_DATA": str(tmp_path / "data")}
        async with running("--config", tmp_path, env=env) as daemon:
            await daemon.wait_for("delivery_delivered")
    assert {span.name for span in collector.spans} >= {"poll", "match", "route", "deliver"}


def test_tracing_without_its_packages_is_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http", None)
    TracingSettings()
    with pytest.raises(ValidationError, match="OpenTelemetry is not installed here"):
        TracingSettings(endpoint="http://127.0.0.1:4318/v1/traces")


def test_a_name_that_is_no_number_has_one_too() -> None:
    assert number_of("00000000000000ff") == 255
    assert number_of("0" * 16) == 1
    assert 0 < number_of("t1") == number_of("t1") < 2**64
