"""What becomes of every entry that was ever published: alerted, or counted under a reason. Nothing else."""

import json
from datetime import timedelta
from pathlib import Path

from monitor.core.model import DeliveryState
from monitor.core.outcome import Suppression
from tests.factories import NOW
from tests.pipeline.stage import Pipeline, pipeline
from tests.servers.feeds import document, feed_server, item, rss
from tests.servers.hooks import HookServer

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

# Each article is found by at most one rule and each rule leads to at most one target, so that things can be added up.
RULES = {"talks": "talks", "vote": "vote", "weather": "weather", "quake": "quake"}
ROUTE = {
    "routes": [  # and nobody for `vote`
        {"match": {"rule": "talks"}, "subscriber": "desk"},
        {"match": {"rule": "weather"}, "subscriber": "asleep"},
        {"match": {"rule": "quake"}, "subscriber": "unreachable"},
    ]
}

BACKLOG = [item(n, title=f"Old talks {n}", published_at=NOW - n * DAY) for n in range(1, 11)]
OLD = item(11, title="Talks, misspelt", published_at=NOW - 60 * DAY)
TALKS = item(20, title="Talks resume", published_at=NOW)
VOTE = item(21, title="A vote is due", published_at=NOW)
WEATHER = item(22, title="Weather turns", published_at=NOW)
QUAKE = item(23, title="Quake reported", published_at=NOW)
SPORT = item(24, title="Sport", published_at=NOW)
TALKS_EDITED = item(20, title="Talks resume in Geneva", published_at=NOW)
SPORT_EDITED = item(24, title="Sport and talks", published_at=NOW)
OLD_EDITED = item(11, title="Talks, corrected", published_at=NOW - 60 * DAY)
SLID_BACK = item(30, title="Talks of last season", published_at=NOW - 90 * DAY)

# What two feeds say at three polls.
SCRIPT = [
    ([*BACKLOG, OLD], []),
    ([TALKS, VOTE, WEATHER, QUAKE, SPORT, *BACKLOG, OLD], [TALKS]),
    (
        [TALKS_EDITED, VOTE, WEATHER, QUAKE, SPORT_EDITED, *BACKLOG, OLD_EDITED, SLID_BACK],
        [TALKS],
    ),
]
PUBLISHED = len({(feed, entry) for poll in SCRIPT for feed in (0, 1) for entry in poll[feed]})


async def test_published_is_alerted_plus_suppressed_by_reason(
    empty_server_url: str, tmp_path: Path
) -> None:
    async with feed_server() as server, HookServer() as hook:
        urls = (f"{server.base}/first", f"{server.base}/second")
        async with pipeline(
            tmp_path,
            empty_server_url,
            feeds={name: {"url": url, "every": "1h"} for name, url in zip("ab", urls, strict=True)},
            rules=RULES,
            subscribers={
                "desk": [{"webhook": {"url": hook.url}}],
                "unreachable": [{"webhook": {"url": "https://10.0.0.1/hook"}}],
                "asleep": [],
            },
            route=ROUTE,
        ) as program:
            for first, second in SCRIPT:
                server.script("/first", document(rss(*first)))
                server.script("/second", document(rss(*second)))
                await program.poll()
                program.clock.advance(HOUR)
            census = await program.parts.health.census(program.clock.now())

    assert program.suppressed() == {
        Suppression.BASELINE: 11,
        Suppression.LATE: 1,  # slid back
        Suppression.NO_RULE: 1,  # sport
        Suppression.NO_ROUTE: 1,  # the vote
        Suppression.NO_TARGET: 1,  # the weather
        Suppression.ALREADY_TOLD: 2,  # the talks in the other feed, and edited
        Suppression.OLD_EDIT: 1,
    }
    told = [json.loads(each.body)["data"]["article"]["title"] for each in hook.received]
    assert sorted(told) == ["Sport and talks", "Talks resume"]
    deliveries = {state: count for state, count in census.deliveries.items() if count}
    assert deliveries == {DeliveryState.DELIVERED: 2, DeliveryState.DEAD: 1}
    waiting = {log.name: log.length for log in census.logs}
    assert (census.dead_entries, waiting["articles"], waiting["matches"]) == (0, 0, 0)

    taken_in = articles(program)
    assert taken_in == {"new": 6, "edited": 3}
    silent = program.suppressed()
    before_matching = silent[Suppression.BASELINE] + silent[Suppression.LATE]
    assert sum(taken_in.values()) + before_matching == PUBLISHED
    assert sum(deliveries.values()) + sum(silent.values()) == PUBLISHED


def articles(program: Pipeline) -> dict[str, int]:
    return {
        kind: int(program.metrics.articles.labels(kind)._value.get()) for kind in ("new", "edited")
    }
