"""What every `ArticleLog` and `MatchLog` promises."""

import asyncio
from datetime import timedelta

import pytest

from monitor.core.chapter import Chapter, Decision
from monitor.core.model import Article, FeedState, MatchedArticle
from monitor.core.outcome import Suppression
from monitor.ports import ArticleLog, Entry, MatchLog
from monitor.streams import bounds
from tests.contracts.store.conftest import HASTY, Ports
from tests.factories import NOW, article, feed, match
from tests.wait import wait_until

MINUTE = timedelta(minutes=1)
NOT_AT_ALL = timedelta()

goes_over = pytest.mark.parametrize("min_idle", [HASTY], ids=["hasty"])


async def append(ports: Ports, *articles: Article, feed_id: str = "example-world") -> None:
    """Append articles the way they come: through a poll."""
    await ports.feeds.sync([feed(id=feed_id, url=f"http://{feed_id}.example/")], NOW, NOT_AT_ALL)
    [lease] = await ports.feeds.claim(NOW, MINUTE, 1)
    await ports.feeds.record(lease, FeedState(), NOW, now=NOW, articles=articles)


async def one(log: ArticleLog) -> Entry[Article]:
    [entry] = await log.read(10, MINUTE)
    return entry


async def one_match(log: MatchLog) -> Entry[MatchedArticle]:
    [entry] = await log.read(10, MINUTE)
    return entry


async def test_an_article_is_handed_to_one_consumer(ports: Ports) -> None:
    await append(ports, article())
    assert (await one(ports.articles("first"))).value == article()
    assert await ports.articles("second").read(10, NOT_AT_ALL) == []


async def test_read_returns_empty_when_nothing_comes(ports: Ports) -> None:
    assert await ports.articles("c").read(10, timedelta(milliseconds=30)) == []


async def test_read_wakes_for_an_article_that_comes_later(ports: Ports) -> None:
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(ports.articles("c").read(10, MINUTE))
        await asyncio.sleep(0)
        await append(ports, article())
    assert [entry.value for entry in reading.result()] == [article()]


async def test_read_respects_the_limit(ports: Ports) -> None:
    for n in range(4):
        await append(ports, article(id=f"a{n}"), article(id=f"b{n}"), feed_id=f"f{n}")
    log = ports.articles("c")
    seen: set[str] = set()
    while entries := await log.read(3, NOT_AT_ALL):
        assert len(entries) <= 3
        seen |= {entry.value.id for entry in entries}
    assert len(seen) == 8


async def test_articles_of_one_feed_keep_their_order(ports: Ports) -> None:
    await append(ports, *(article(id=f"a{n}") for n in range(5)))
    log = ports.articles("c")
    ids: list[str] = []
    while entries := await log.read(2, NOT_AT_ALL):
        ids += [entry.value.id for entry in entries]
    assert ids == ["a0", "a1", "a2", "a3", "a4"]


async def test_forward_moves_the_article_with_its_matches(ports: Ports) -> None:
    await append(ports, article())
    entry = await one(ports.articles("c"))
    matches = (match(), match(rule_id="geneva"))
    assert await ports.articles("c").forward(entry, matches)
    matched = await one_match(ports.matches("c"))
    assert matched.value == MatchedArticle(article=article(), matches=matches)


async def test_forward_without_matches_finishes_the_article(ports: Ports) -> None:
    await append(ports, article())
    log = ports.articles("c")
    assert await log.forward(await one(log), ())
    articles, matches, _ = (await ports.health.census(NOW)).logs
    assert (articles.length, articles.pending, matches.length) == (0, 0, 0)


async def test_forwarding_twice_appends_once(ports: Ports) -> None:
    await append(ports, article())
    log = ports.articles("c")
    entry = await one(log)
    assert await log.forward(entry, (match(),))
    assert not await log.forward(entry, (match(),))
    assert (await ports.health.census(NOW)).logs[1].length == 1


async def test_a_match_is_done_once(ports: Ports) -> None:
    await append(ports, article())
    log = ports.articles("c")
    await log.forward(await one(log), (match(),))
    matches = ports.matches("c")
    entry = await one_match(matches)
    assert await matches.done(entry)
    assert not await matches.done(entry)
    assert (await ports.health.census(NOW)).logs[1].length == 0


@goes_over
async def test_what_a_silent_consumer_holds_goes_to_another(ports: Ports) -> None:
    await append(ports, article())
    held = await one(ports.articles("silent"))
    taken_over = await one(ports.articles("alive"))
    assert taken_over.id == held.id
    assert taken_over.deliveries == 2


@goes_over
async def test_who_finishes_first_wins(ports: Ports) -> None:
    await append(ports, article())
    slow, fast = ports.articles("slow"), ports.articles("fast")
    entry = await one(slow)
    again = await one(fast)
    assert await fast.forward(again, ())
    assert not await slow.forward(entry, (match(),))
    assert (await ports.health.census(NOW)).logs[1].length == 0


async def test_a_consumer_that_starts_again_finds_what_it_held(ports: Ports) -> None:
    await append(ports, article())
    before = await one(ports.articles("c"))
    [after] = await ports.articles("c").read(10, NOT_AT_ALL)
    assert after.id == before.id
    assert after.deliveries == 2


async def test_another_consumer_does_not_take_what_is_fresh(ports: Ports) -> None:
    await append(ports, article())
    await one(ports.articles("busy"))
    assert await ports.articles("other").read(10, NOT_AT_ALL) == []


@goes_over
async def test_an_article_nobody_can_finish_is_buried(ports: Ports) -> None:
    await append(ports, article())
    for n in range(bounds.MAX_DELIVERIES):
        assert (await one(ports.articles("c"))).deliveries == n + 1
    assert await ports.articles("c").read(10, 2 * HASTY) == []
    census = await ports.health.census(NOW)
    assert census.dead_entries == 1
    assert census.logs[0].length == 0


async def test_two_consumers_share_the_work(ports: Ports) -> None:
    for n in range(4):
        await append(ports, article(id=f"a{n}"), article(id=f"b{n}"), feed_id=f"f{n}")
    seen: list[str] = []

    async def work(name: str) -> None:
        log = ports.articles(name)
        while entries := await log.read(1, timedelta(milliseconds=20)):
            seen.extend([entry.value.id for entry in entries if await log.forward(entry, ())])

    async with asyncio.TaskGroup() as group:
        group.create_task(work("first"))
        group.create_task(work("second"))
    await wait_until(lambda: len(seen) == 8, "all articles were handled")
    assert len(set(seen)) == 8


async def test_what_is_matched_and_what_is_routed_is_left_for_the_archive(ports: Ports) -> None:
    await append(ports, article())
    log, matches = ports.articles("c"), ports.matches("c")
    await log.forward(await one(log), (match(),))
    decided = Chapter(
        article=article(),
        decisions=(Decision(rule_ids=("talks",), suppressed=Suppression.NO_ROUTE),),
        decided_at=NOW,
    )
    await matches.done(await one_match(matches), decided)
    records = ports.chapters("c")
    entries = [*await records.read(10, MINUTE), *await records.read(10, NOT_AT_ALL)]
    assert [entry.value for entry in entries] == [
        Chapter(article=article(), matches=(match(),)),
        decided,
    ]
    assert await records.done(entries) == 2
    assert await records.done(entries) == 0
    assert (await ports.health.census(NOW)).logs[2].length == 0


async def test_an_article_without_a_match_is_left_for_the_archive(ports: Ports) -> None:
    await append(ports, article())
    log = ports.articles("c")
    await log.forward(await one(log), ())
    [entry] = await ports.chapters("c").read(10, MINUTE)
    assert entry.value == Chapter(article=article())


async def test_an_archive_that_is_behind_holds_nothing_up(ports: Ports) -> None:
    await append(ports, *(article(id=f"a{n}") for n in range(5)))
    log = ports.articles("c")
    while entries := await log.read(10, NOT_AT_ALL):
        for entry in entries:
            assert await log.forward(entry, ())
    census = await ports.health.census(NOW)
    assert (census.logs[0].length, census.logs[2].length, census.archive_missed) == (0, 3, 2)
