"""The canary takes the way of every article, and reaches nobody."""

from datetime import timedelta
from pathlib import Path

from monitor.core.canary import CANARY, canary_document
from monitor.core.outcome import Suppression
from monitor.web.app import Endpoints, serve
from tests.clock import StandingClock
from tests.pipeline.stage import pipeline

MINUTE = timedelta(minutes=1)


async def test_the_time_from_publishing_to_alert_is_measured_and_nobody_is_told(
    empty_server_url: str, tmp_path: Path, unused_tcp_port: int
) -> None:
    clock = StandingClock()
    settings = {
        "poll": {"canary": "1m", "domain_gap": "0s"},
        "listen": {"port": unused_tcp_port},
        "network": {"allow": []},  # which the canary needs not
    }
    async with pipeline(
        tmp_path / "config",
        empty_server_url,
        clock,
        monitor=settings,
        rules={"birds": "canary"},
        subscribers={"desk": [{"console": {}}]},
    ) as opened:
        endpoints = Endpoints(
            opened.parts.health, opened.metrics, dict, lambda: canary_document(clock.now(), MINUTE)
        )
        async with serve(endpoints.application(), "127.0.0.1", unused_tcp_port):
            await opened.poll()
            for _ in range(5):
                await opened.poll_after(MINUTE + timedelta(seconds=1))
        state = (await opened.parts.feeds.states([CANARY]))[CANARY]
        assert (state.reason, state.missed) == (None, 0)
        buckets = opened.metrics.exposition().decode()
        assert "monitor_canary_seconds_count 5.0" in buckets
        assert 'monitor_articles_total{kind="new"}' not in buckets
        assert opened.suppressed() == {Suppression.BASELINE: 3}
        census = await opened.parts.health.census(clock.now())
        assert sum(census.deliveries.values()) == 0


async def test_without_the_setting_there_is_no_canary(
    empty_server_url: str, tmp_path: Path
) -> None:
    async with pipeline(tmp_path / "config", empty_server_url) as opened:
        assert opened.settings.feeds == ()
