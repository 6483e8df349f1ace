"""The settings of files with what people made beside them in the store, for commands that look at both."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from monitor.config.added import join, with_added
from monitor.config.made import merge
from monitor.config.settings import Settings
from monitor.core.made import Made
from monitor.core.model import Feed
from monitor.ports import Registry
from monitor.registry import FEEDS, RULES, SUBSCRIBERS, Roster


async def with_made(settings: Settings, registry: Registry) -> Settings:
    """Return settings with the rules, feeds and subscribers of the registry, as a program that runs has them."""
    rules, subscribers = Roster(registry, RULES), Roster(registry, SUBSCRIBERS)
    feeds = Roster(registry, FEEDS)
    for roster in (rules, subscribers, feeds):
        await roster.refresh()
    return await asyncio.to_thread(_whole, settings, rules.values, feeds.values, subscribers.values)


def _whole(
    settings: Settings,
    rules: Mapping[str, Made],
    feeds: Mapping[str, Feed],
    subscribers: Mapping[str, Made],
) -> Settings:
    rulebase = merge(settings.rulebase, rules, settings.rulebase).carried_out()
    filed = {feed.id for feed in settings.feeds}
    added = (feed for id_, feed in feeds.items() if id_ not in filed)
    whole = replace(
        settings,
        rulebase=rulebase,
        routing=replace(settings.routing, shadow=rulebase.shadow),
        feeds=(*settings.feeds, *added),
    )
    return with_added(whole, join(settings, subscribers))
