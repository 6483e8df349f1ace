"""What is served over HTTP, put together: endpoints for operators, links of messages, the API."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, timedelta, tzinfo
from functools import partial

from monitor.app.addedfeeds import AddedFeeds
from monitor.app.parts import Outside, StoreParts
from monitor.app.program import Program
from monitor.app.ruledesk import RuleDesk
from monitor.app.subscriberdesk import SubscriberDesk
from monitor.app.trying import send_test
from monitor.config.rules import examples_in
from monitor.core.canary import canary_document
from monitor.core.links import Linker
from monitor.core.model import Feed
from monitor.ports import Archive, Clock
from monitor.telemetry import Metrics
from monitor.web.api.live import Tail
from monitor.web.api.making import Making
from monitor.web.api.operation import Gate
from monitor.web.api.operations import InForce, Operations
from monitor.web.api.routes import add_api
from monitor.web.app import Endpoints, serve
from monitor.web.links import LinkPages
from monitor.web.page.backstage import Backstage, Example
from monitor.web.page.routes import add_page
from monitor.web.page.site import load_site
from monitor.web.syndication import RuleFeeds
from monitor.web.websub import HubPages


@asynccontextmanager
async def open_pages(
    program: Program,
    parts: StoreParts,
    outside: Outside,
    metrics: Metrics,
    *,
    archive: Archive | None,
    linker: Linker | None,
    problems: Callable[[], Mapping[str, str]],
    reload: Callable[[], Awaitable[None]],
) -> AsyncIterator[None]:
    """Listen while the block runs. `reload` reads the configuration again, `problems` says what came of it."""

    async def reload_now() -> str:
        await reload()
        return problems().get("config", "")

    canary = _canary(parts.clock, program.settings.poll.canary)
    application = Endpoints(parts.health, metrics, problems, canary).application()
    if linker:
        zone_of = partial(_zone_of, program)
        LinkPages(linker, parts.registry, parts.ledger, parts.clock, zone_of).add_to(application)
    if program.callback:
        HubPages(program.callback, program.settings.poll.max_bytes).add_to(application)
    tail = Tail(parts.public)
    operations = Operations(
        in_force=lambda: in_force(program),
        reload=reload_now,
        archive=archive,
        feeds=parts.feeds,
        ledger=parts.ledger,
        registry=parts.registry,
        clock=parts.clock,
    )
    gate = Gate(parts.registry, parts.clock)
    making = Making(
        operations=operations,
        rules=RuleDesk(program, parts),
        feeds=AddedFeeds(program, parts, outside),
        subscribers=SubscriberDesk(program, parts),
    )
    add_api(application, making, gate, tail)
    RuleFeeds(lambda: program.settings.rules, archive, gate).add_to(application)

    async def poll(feed: Feed) -> str:
        # They read documents, and the daemon is to load no parser of them.
        from monitor.app.feeds import FeedDesk  # noqa: PLC0415
        from monitor.app.pollwords import poll_in_words  # noqa: PLC0415

        return "\n".join(poll_in_words(await FeedDesk(program.settings, parts).poll(feed, outside)))

    backstage = Backstage(
        operations=operations,
        making=making,
        tail=tail,
        health=parts.health,
        places=lambda: program.settings.rulebase.places,
        examples=lambda rule_id: examples_of(program, rule_id),
        problems=problems,
        poll=poll,
        send_test=lambda target: send_test(outside, target, parts.clock),
    )
    add_page(application, await asyncio.to_thread(load_site), backstage, gate)
    listen = program.settings.listen
    async with serve(application, listen.host, listen.port), asyncio.TaskGroup() as group:
        following = group.create_task(tail.run())
        yield
        following.cancel()


def in_force(program: Program) -> InForce:
    """Return what a program works by, as the API and the page are to know it."""
    settings = program.settings
    return InForce(
        rules=settings.rules,
        rule_set=settings.rule_set,
        feeds=program.listing.feeds,
        filed=program.listing.files,
        routing=settings.routing,
        places=settings.rulebase.places,
        made=settings.rulebase.made,
        left_out=settings.rulebase.left_out,
        subscribers=settings.subscribers,
        added=program.added.in_force.keys(),
        untold={**program.added.left_out, **program.added.unready},
    )


def examples_of(program: Program, rule_id: str) -> list[Example]:
    """Return what a rule in force must find and must not."""
    given = program.settings.rulebase.examples.get(rule_id)
    tried = examples_in(given) if given else ()
    return [Example(article=each.article, wanted=each.wanted) for each in tried]


def _canary(clock: Clock, every: timedelta | None) -> Callable[[], str] | None:
    return None if every is None else lambda: canary_document(clock.now(), every)


def _zone_of(program: Program, target_id: str) -> tzinfo:
    """Return where the clocks of whoever reads at a target are; UTC where there is no such target any more."""
    zones = (each.zone for each in program.settings.targets if each.id == target_id)
    return next(zones, UTC)
