"""The settings of files with what people made beside them in the store, for commands that look at both."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from monitor.config.added import join, with_added
from monitor.config.made import merge
from monitor.config.settings import Settings
from monitor.core.made import Made
from monitor.core.model import Feed
from monitor.ports import RecordKind, Registry
from monitor.registry import FEEDS, RULES, SUBSCRIBERS, Roster


async def with_subscribers(settings: Settings, registry: Registry) -> Settings:
    """Return settings with the subscribers of the registry, as a program that runs has them."""
    subscribers = Roster(registry, SUBSCRIBERS)
    await subscribers.refresh()
    return with_added(settings, await asyncio.to_thread(join, settings, subscribers.values))


async def with_made(
    settings: Settings, registry: Registry, feeds: Collection[str] = ()
) -> Settings:
    """Return settings with the rules and subscribers of the registry, as a program that runs has them.

    Of the feeds there, which may be a million, those with the ids in `feeds` are read.
    """
    rules, subscribers = Roster(registry, RULES), Roster(registry, SUBSCRIBERS)
    for roster in (rules, subscribers):
        await roster.refresh()
    filed = {feed.id for feed in settings.feeds}
    records = [await registry.get(RecordKind.FEED, id_) for id_ in feeds if id_ not in filed]
    added = [FEEDS.decode(record.value) for record in records if record]
    return await asyncio.to_thread(_whole, settings, rules.values, added, subscribers.values)


def _whole(
    settings: Settings,
    rules: Mapping[str, Made],
    feeds: Sequence[Feed],
    subscribers: Mapping[str, Made],
) -> Settings:
    rulebase = merge(settings.rulebase, rules, settings.rulebase).carried_out()
    whole = replace(
        settings,
        rulebase=rulebase,
        routing=replace(settings.routing, shadow=rulebase.shadow),
        feeds=(*settings.feeds, *feeds),
    )
    return with_added(whole, join(settings, subscribers))
