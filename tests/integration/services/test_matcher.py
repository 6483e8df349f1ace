from datetime import timedelta

from monitor.core.model import Article, Match
from monitor.core.outcome import Suppression
from monitor.services.matcher import MatcherService
from monitor.streams.memory import MemoryArticleLog, MemoryFeedStore, MemoryMatchLog, MemoryStore
from monitor.telemetry import Metrics
from tests.clock import StandingClock
from tests.factories import NOW, article, feed, match

NO_WAIT = timedelta()


class Titles:
    """Matches articles whose title contains a word; fails on the word it cannot bear."""

    def __init__(self, word: str, unbearable: str = "never") -> None:
        self.word = word
        self.unbearable = unbearable

    def match(self, article: Article, now: object) -> tuple[Match, ...]:
        if self.unbearable in article.title:
            raise ArithmeticError(self.unbearable)
        found = self.word in article.title
        return (match(article_id=article.id, rule_id=self.word),) if found else ()


class Bench:
    """A matcher over a store in memory, and the logs around it."""

    def __init__(self, rules: Titles) -> None:
        self.store = MemoryStore()
        self.feeds = MemoryFeedStore(self.store)
        self.matches = MemoryMatchLog(self.store)
        self.metrics = Metrics()
        self.articles = MemoryArticleLog(self.store)
        self.service = MatcherService(self.articles, rules, StandingClock(), self.metrics)

    async def publish(self, *titles: str) -> None:
        await self.feeds.sync([feed()], NOW, timedelta())
        (lease,) = await self.feeds.claim(NOW, timedelta(minutes=1), 1)
        articles = [article(id=title, title=title) for title in titles]
        await self.feeds.record(lease, lease.state, NOW, now=NOW, articles=articles)

    async def matched(self) -> list[tuple[str, str]]:
        entries = await self.matches.read(100, NO_WAIT)
        return [(e.value.article.id, m.rule_id) for e in entries for m in e.value.matches]

    def suppressed(self, reason: Suppression) -> float:
        return float(self.metrics.suppressed.labels(reason)._value.get())


async def test_matches_go_on_in_order_and_the_rest_is_counted() -> None:
    bench = Bench(Titles("Syria"))
    await bench.publish("Syria talks", "Weather", "Syria vote")
    assert await bench.service.step() == 3
    assert await bench.matched() == [("Syria talks", "Syria"), ("Syria vote", "Syria")]
    assert bench.suppressed(Suppression.NO_RULE) == 1


async def test_new_rules_hold_from_the_next_article_on() -> None:
    bench = Bench(Titles("Syria"))
    await bench.publish("Weather today")
    bench.service.use(Titles("Weather"))
    await bench.service.step()
    assert await bench.matched() == [("Weather today", "Weather")]


async def test_an_article_that_breaks_the_matcher_costs_no_other_article() -> None:
    bench = Bench(Titles("Syria", unbearable="poison"))
    await bench.publish("Syria one", "poison", "Syria two")
    await bench.service.step()
    assert [article for article, _ in await bench.matched()] == ["Syria one", "Syria two"]
    assert bench.metrics.failures.labels("matcher")._value.get() == 1


async def test_an_article_that_always_breaks_the_matcher_is_buried_in_the_end() -> None:
    bench = Bench(Titles("Syria", unbearable="poison"))
    bench.store.min_idle = timedelta()
    await bench.publish("poison")
    while await bench.service.step():
        pass
    (buried,) = bench.store.dead
    assert buried[:2] == ("articles", article(id="poison", title="poison"))
