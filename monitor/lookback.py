"""Looks back over ports: search the archive, try a rule on it, tell the story of an article."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo

from monitor.core.account import Event, Sent, account
from monitor.core.chapter import Kept
from monitor.core.model import Article, DeliveryState, Match
from monitor.core.rehearsal import Rehearsal
from monitor.core.trial import Difference, Found, Tally, Trial
from monitor.ports import Archive, DeliveryLedger, Page

ZoneOf = Callable[[str], tzinfo]  # where the clocks of a subscriber are

_AT_ONCE = 500  # articles read and tried in one go, in threads


async def search(archive: Archive, trial: Trial, which: Page) -> AsyncIterator[Found]:
    """Yield the articles that the trial finds, newest first, at most as many as `which` says.

    The archive picks those that can be found, the engine decides. Raise `ArchiveError` as the archive does.
    """
    left, page = which.limit, replace(which, narrowing=trial.narrowing)
    at_once = min(_AT_ONCE, 2 * left)  # of what can be found, most is
    while left > 0:
        candidates = await archive.page(replace(page, limit=at_once))
        for found in (await asyncio.to_thread(_find, trial, candidates))[:left]:
            yield found
            left -= 1
        if len(candidates) < at_once:
            return
        page = replace(page, before=candidates[-1].number)
        at_once = min(_AT_ONCE, 2 * at_once)


def _find(trial: Trial, candidates: Sequence[Kept]) -> list[Found]:
    return [
        Found(
            kept=kept,
            match=match,
            told=any(one.rule_id == trial.rule.id for one in kept.matches),
        )
        for kept in candidates
        if (match := trial.find(kept.article))
    ]


@dataclass(slots=True)
class Backtest:
    """What a trial found out of `seen` articles, its `newest` first; `difference` to what it is compared with.

    `alerts` is how many messages that would have made, if there were routes to ask.
    """

    seen: int = 0
    alerts: int | None = None
    tally: Tally = field(default_factory=Tally)
    newest: list[Found] = field(default_factory=list)
    difference: Difference | None = None


async def backtest(
    archive: Archive,
    trial: Trial,
    which: Page,
    limit: int,
    against: Trial | str | None = None,
    rehearsal: Rehearsal | None = None,
) -> Backtest:
    """Ask a trial of every article of the pages `which`; keep the newest `limit` of those that it finds.

    What never came to matching is left out: a rule would have alerted nobody of it.
    Compare with what another trial finds, or with what the rule of an id found when the articles came. With a
    `rehearsal`, count the alerts.
    """
    tested, found = Backtest(), dict[str, Article]()
    tested.seen = await archive.count(which.since, which.until)
    async for one in _search_matched(archive, trial, which):
        article = one.kept.article
        tested.tally.add(article)
        if rehearsal:
            rehearsal.add(article, one.match)
        found.setdefault(article.id, article)
        if len(tested.newest) < limit:
            tested.newest.append(one)
    tested.alerts = rehearsal.alerts if rehearsal else None
    if against is not None:
        told = await _told(archive, which, against)
        tested.difference = Difference(
            gained={id_: article for id_, article in found.items() if id_ not in told},
            lost={id_: article for id_, article in told.items() if id_ not in found},
        )
    return tested


async def _search_matched(archive: Archive, trial: Trial, which: Page) -> AsyncIterator[Found]:
    async for one in search(archive, trial, which):
        if one.kept.suppressed is None:
            yield one


async def _told(archive: Archive, which: Page, against: Trial | str) -> dict[str, Article]:
    told: dict[str, Article] = {}
    if isinstance(against, Trial):
        async for one in _search_matched(archive, against, which):
            told.setdefault(one.kept.article.id, one.kept.article)
        return told
    page = replace(which, rule=against, limit=_AT_ONCE)
    while kept := await archive.page(page):
        for each in kept:
            told.setdefault(each.article.id, each.article)
        page = replace(page, before=kept[-1].number)
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An article in its newest text, the matches that it had, and what is known of it."""

    article: Article
    matches: tuple[Match, ...]
    events: tuple[Event, ...]


async def stories(
    archive: Archive | None, ledger: DeliveryLedger, zone_of: ZoneOf, wanted: str
) -> list[Story]:
    """Tell of the article of this id, or of every article that the delivery of this id tells; maybe of none."""
    delivery = await ledger.get(wanted)
    if delivery is None:
        told = await _story(archive, ledger, zone_of, wanted, (), None)
        return [told] if told else []
    articles = {alert.article.id: alert.article for alert in delivery.alerts}
    found = [
        await _story(archive, ledger, zone_of, id_, (wanted,), article)
        for id_, article in articles.items()
    ]
    return [each for each in found if each]


async def _story(
    archive: Archive | None,
    ledger: DeliveryLedger,
    zone_of: ZoneOf,
    article_id: str,
    deliveries: Sequence[str],
    article: Article | None,
) -> Story | None:
    versions = await archive.versions(article_id) if archive else ()
    decided = await archive.decided(article_id) if archive else ()
    newest = versions[-1].article if versions else article
    if newest is None:
        return None
    ids = [one.delivery_id for each in decided for one in each.decisions if one.delivery_id]
    sent = await _sent(ledger, zone_of, dict.fromkeys([*ids, *deliveries]))
    matches = versions[-1].matches if versions else ()
    return Story(article=newest, matches=matches, events=account(versions, decided, sent))


async def _sent(ledger: DeliveryLedger, zone_of: ZoneOf, ids: Iterable[str]) -> list[Sent]:
    """Return deliveries that are still kept, and the digests that they were folded into."""
    waiting, found = list(ids), dict[str, Sent]()
    while waiting:
        delivery = await ledger.get(waiting.pop(0))
        if delivery and delivery.id not in found:
            attempts = await ledger.attempts(delivery.id)
            zone = zone_of(delivery.alerts[0].subscriber)
            found[delivery.id] = Sent(delivery=delivery, attempts=attempts, zone=zone)
            if delivery.state is DeliveryState.FOLDED:
                waiting.append(delivery.detail)
    return list(found.values())
