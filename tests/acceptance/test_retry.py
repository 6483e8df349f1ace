"""A receiver that is away for a while, one that is gone for good, and the commands that look after both."""

from pathlib import Path

from tests import configuration
from tests.acceptance.daemon import monitor, running
from tests.servers.hooks import HookServer, Reply
from tests.servers.newsroom import Newsroom, Story
from tests.wait import wait_until

AWAY = Reply(status=503, text="be right back", headers={"Retry-After": "1"})
UNWANTED = Reply(status=422, text="no such field: data")


def write_config(directory: Path, newsroom: Newsroom, hook: HookServer) -> Path:
    url = f"{newsroom.base}/feeds/one.xml"
    return configuration.write(
        directory / "config",
        monitor={"store": {"directory": str(directory / "data")}},
        feeds={"one": {"url": url, "every": "200ms", "since": "30d"}},
        rules={"talks": "talks"},
        subscribers={"desk": [{"webhook": {"url": hook.url}}]},
    )


async def test_a_receiver_that_is_away_gets_the_same_delivery_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with Newsroom().open() as newsroom, HookServer() as hook:
        hook.reply(AWAY, AWAY)
        newsroom.feeds["one"] = [Story(1, "talks")]
        async with running("--config", write_config(tmp_path, newsroom, hook)) as daemon:
            delivered = await daemon.wait_for("delivery_delivered")
            assert await daemon.end() == 0
        assert delivered["attempt"] == 3
        assert [each["reason"] for each in daemon.logged("delivery_postponed")] == [
            "server_error"
        ] * 2
    assert len(hook.received) == 3
    assert len({each.headers["webhook-id"] for each in hook.received}) == 1
    assert len({each.body for each in hook.received}) == 1


HOSTILE = (
    "talks [/red] about :smile: and [bold]mark-up[/bold] which a terminal must not obey at all"
)


async def test_a_dead_delivery_is_listed_shown_and_replayed_while_the_daemon_runs(
    tmp_path: Path,
) -> None:
    async with Newsroom().open() as newsroom, HookServer() as hook:
        hook.reply(UNWANTED)
        newsroom.feeds["one"] = [Story(1, HOSTILE)]
        config = write_config(tmp_path, newsroom, hook)
        async with running("--config", config) as daemon:
            dead = (await daemon.wait_for("delivery_given_up"))["delivery"]
            listed = monitor("deliveries", "list", "--state", "dead", "--config", config)
            _, row = listed.stdout.splitlines()  # a row is a line, however long the title is
            assert row.split()[0] == dead
            assert "desk/webhook" in row
            assert f"Story 1: {HOSTILE}"[:50] in row
            shown = monitor("deliveries", "show", dead, "--config", config).stdout
            for words in (
                "dead (payload_refused:",
                HOSTILE,
                "try 1",
                "rejected 422",
                UNWANTED.text,
            ):
                assert words in shown
            replayed = monitor("deliveries", "replay", dead, "--config", config)
            assert (replayed.returncode, replayed.stdout) == (0, "due now: 1 delivery\n")
            await daemon.wait_for("delivery_delivered", delivery=dead)
            after = monitor("deliveries", "list", "--state", "dead", "--config", config)
            assert after.stdout == "no deliveries in state dead\n"
        first, second = hook.received
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.body == second.body


async def test_a_story_that_is_refused_does_not_keep_the_next_from_being_delivered(
    tmp_path: Path,
) -> None:
    async with Newsroom().open() as newsroom, HookServer() as hook:
        hook.reply(UNWANTED)
        newsroom.feeds["one"] = [Story(1, "talks")]
        async with running("--config", write_config(tmp_path, newsroom, hook)) as daemon:
            await daemon.wait_for("delivery_given_up")
            newsroom.feeds["one"] += [Story(2, "talks again")]
            await daemon.wait_for("delivery_delivered")
            await wait_until(lambda: len(hook.received) == 2, "the second story arrives")
