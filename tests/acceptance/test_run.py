"""The installed `monitor` command as its users run it: a subprocess, a feed in, alerts out."""

import json
import signal
from pathlib import Path

import aiohttp

from tests.acceptance.daemon import monitor, running
from tests.crash.stage import audit, write_config
from tests.servers.newsroom import Newsroom, Story


async def test_a_story_reaches_every_subscriber_it_is_routed_to_and_no_other(
    tmp_path: Path,
) -> None:
    async with Newsroom().open() as newsroom:
        newsroom.feeds["one"] = [Story(1, "talks"), Story(2, "weather"), Story(3, "vote")]
        config = write_config(tmp_path / "config", newsroom, str(tmp_path / "data"))
        async with running("--config", config) as daemon:
            await audit(newsroom)
            assert await daemon.end() == 0
        assert newsroom.repeats() == 0
        assert set(newsroom.told()) == newsroom.expected()


async def test_one_trace_follows_an_article_from_poll_to_delivery(tmp_path: Path) -> None:
    async with Newsroom().open() as newsroom:
        newsroom.feeds["one"] = [Story(1, "vote")]
        config = write_config(tmp_path / "config", newsroom, str(tmp_path / "data"))
        async with running("--config", config) as daemon:
            delivered = await daemon.wait_for("delivery_delivered")
            polled = await daemon.wait_for("feed_polled", articles=1)
            matched = await daemon.wait_for("article_matched")
        assert delivered["trace"] == matched["trace"] == polled["trace"]


async def test_a_restart_tells_nobody_again(tmp_path: Path) -> None:
    async with Newsroom().open() as newsroom:
        newsroom.feeds["one"] = [Story(1, "talks")]
        config = write_config(tmp_path / "config", newsroom, str(tmp_path / "data"))
        async with running("--config", config):
            await audit(newsroom)
        newsroom.feeds["one"] += [Story(2, "talks")]
        async with running("--config", config):
            await audit(newsroom)
        assert newsroom.repeats() == 0


async def test_endpoints_answer_for_operators(tmp_path: Path) -> None:
    async with Newsroom().open() as newsroom:
        newsroom.feeds["one"] = [Story(1, "talks"), Story(2, "weather")]
        config = write_config(tmp_path / "config", newsroom, str(tmp_path / "data"))
        async with running("--config", config) as daemon, aiohttp.ClientSession() as session:
            address = await daemon.address()
            await audit(newsroom)
            async with session.get(f"{address}/healthz") as answer:
                assert answer.status == 200
            async with session.get(f"{address}/readyz") as answer:
                assert (answer.status, (await answer.json())["status"]) == (200, "ok")
            async with session.get(f"{address}/metrics") as answer:
                text = await answer.text()
        assert 'monitor_suppressed_total{reason="no_rule"} 1.0' in text
        assert 'monitor_articles_total{kind="new"} 2.0' in text


async def test_a_changed_rule_file_takes_effect_without_a_restart(tmp_path: Path) -> None:
    async with Newsroom().open() as newsroom:
        config = write_config(tmp_path / "config", newsroom, str(tmp_path / "data"))
        rules = config / "rules.yaml"
        rules.write_text(
            json.dumps(
                {"rules": [{"id": "vote", "query": "nothing"}, {"id": "talks", "query": "nothing"}]}
            )
        )
        async with running("--config", config) as daemon:
            await daemon.wait_for("feed_polled", feed="one")
            write_config(config, newsroom, str(tmp_path / "data"))
            await daemon.wait_for("config_reloaded")
            newsroom.feeds["one"] = [Story(1, "vote")]
            await audit(newsroom)


async def test_a_change_that_needs_a_restart_says_so(tmp_path: Path) -> None:
    async with Newsroom().open() as newsroom:
        config = write_config(tmp_path / "config", newsroom, str(tmp_path / "data"))
        async with running("--config", config) as daemon:
            await daemon.wait_for("feed_polled", feed="one")
            process = json.loads((config / "monitor.yaml").read_text())
            process["poll"]["concurrency"] = 3
            (config / "monitor.yaml").write_text(json.dumps(process))
            said = await daemon.wait_for("restart_needed")
        assert said["sections"] == ["poll"]


async def test_a_broken_reload_is_refused_with_its_place_and_the_old_rules_stay(
    tmp_path: Path,
) -> None:
    async with Newsroom().open() as newsroom:
        config = write_config(tmp_path / "config", newsroom, str(tmp_path / "data"))
        async with running("--config", config) as daemon, aiohttp.ClientSession() as session:
            address = await daemon.address()
            await daemon.wait_for("feed_polled", feed="one")
            (config / "rules.yaml").write_text("rules:\n  - id: talks\n    qery: talks\n")
            daemon.process.send_signal(signal.SIGHUP)
            refused = await daemon.wait_for("config_refused")
            assert "rules.yaml:3:5" in refused["problems"]
            assert "did you mean 'query'" in refused["problems"]
            async with session.get(f"{address}/readyz") as answer:
                assert "config" in (await answer.json())["problems"]
            newsroom.feeds["one"] = [Story(1, "vote")]
            await audit(newsroom)


async def test_services_in_processes_of_their_own_share_one_store(tmp_path: Path) -> None:
    async with Newsroom().open() as newsroom:
        newsroom.feeds["one"] = [Story(1, "talks and vote")]
        config = write_config(tmp_path / "config", newsroom, str(tmp_path / "data"))
        options = ("--config", config, "--only")
        async with (
            running(*options, "poller"),
            running(*options, "matcher,router"),
            running(*options, "deliverer,housekeeper"),
        ):
            await audit(newsroom)
        assert newsroom.repeats() == 0


async def test_without_a_network_it_runs_and_says_per_feed_why_nothing_comes(
    tmp_path: Path,
) -> None:
    async with Newsroom().open() as newsroom:
        config = write_config(tmp_path / "config", newsroom, str(tmp_path / "data"))
    async with running("--config", config) as daemon:  # the newsroom is closed: nothing listens
        failed = await daemon.wait_for("poll_failed", feed="one")
        assert failed["reason"] == "connect"
        await daemon.wait_for("poll_failed", feed="two")
        shown = monitor("status", "--config", config)
        assert shown.returncode == 0, shown.stderr
        assert "one" in shown.stdout
        assert "127.0.0.1" in shown.stdout
        assert await daemon.end() == 0


async def test_ctrl_c_ends_it_as_cleanly_as_sigterm(tmp_path: Path) -> None:
    async with Newsroom().open() as newsroom:
        config = write_config(tmp_path / "config", newsroom, str(tmp_path / "data"))
        async with running("--config", config) as daemon:
            await daemon.wait_for("feed_polled", feed="one")
            assert await daemon.end(signal.SIGINT) == 0
        assert "Traceback" not in "".join(daemon.raw)


def test_an_unknown_service_is_refused_with_those_there_are(tmp_path: Path) -> None:
    refused = monitor("run", "--only", "poler", "--config", tmp_path)
    assert refused.returncode == 2
    assert "no service poler; there are poller" in refused.stderr
