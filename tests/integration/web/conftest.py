"""The API over a store in memory and an archive on disk, served on a real port."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import CookieJar, web

from monitor.app.addedfeeds import AddedFeeds
from monitor.app.pages import examples_of, in_force
from monitor.app.parts import StoreParts, open_outside
from monitor.app.program import Program
from monitor.app.ruledesk import RuleDesk
from monitor.app.subscriberdesk import SubscriberDesk
from monitor.archive.sqlite import SqliteArchive, open_sqlite
from monitor.config.rulebase import Rulebase
from monitor.config.schema import NetworkSettings
from monitor.config.secrets import SecretSource
from monitor.config.settings import Settings
from monitor.core.access import Scope, Token, digest
from monitor.core.chapter import Chapter
from monitor.core.engine import compile_rules
from monitor.core.model import Attempt, Delivery, Feed
from monitor.core.outcome import DeliveryReason, Verdict
from monitor.core.targets import ConsoleTarget, Subscriber, Target
from monitor.ports import DeliveryFilter, Draft, RecordKind
from monitor.registry import TOKENS
from monitor.streams.memory import (
    MemoryArchiveLog,
    MemoryArticleLog,
    MemoryDeliveryLedger,
    MemoryFeedStore,
    MemoryHabits,
    MemoryMatchLog,
    MemoryPublicStream,
    MemoryRegistry,
    MemoryStore,
    MemoryStoreHealth,
)
from monitor.telemetry import Metrics
from monitor.web.api.live import Tail
from monitor.web.api.making import Making
from monitor.web.api.operation import Gate
from monitor.web.api.operations import Operations
from monitor.web.api.routes import add_api
from monitor.web.app import Endpoints, serve
from monitor.web.page.backstage import Backstage, Example
from monitor.web.page.routes import add_page
from monitor.web.page.site import load_site
from monitor.web.syndication import RuleFeeds
from tests.clock import StandingClock
from tests.factories import NOW, alert, article, feed, match, rule
from tests.servers.feeds import LOOPBACK
from tests.servers.tasks import running_task

SECRETS = {scope: f"mon_{scope}_{'x' * 30}" for scope in Scope}


SITE = load_site()
EXAMPLES = {
    "talks": [
        Example(article=article(title="Talks resume"), wanted=True),
        Example(article=article(title="Talks fail"), wanted=False),
    ]
}
HOOK_KEY = "whsec_" + base64.b64encode(bytes(32)).decode()
DESK = Subscriber(name="desk", targets=(ConsoleTarget(id="desk/console", subscriber="desk"),))


async def polled(asked: Feed) -> str:
    return f"{asked.id}: 3 new or edited"


async def tested(target: Target) -> Attempt:
    return Attempt(
        number=1,
        started_at=NOW,
        duration=timedelta(milliseconds=12),
        verdict=Verdict.REJECTED,
        reason=DeliveryReason.UNAUTHORIZED,
        detail=f"{target.id} says no",
    )


@dataclass
class Answer:
    status: int
    body: Any
    headers: Any


@dataclass
class Desk:
    """Who asks the API, and what stands behind it."""

    address: str
    session: aiohttp.ClientSession
    store: MemoryStore
    archive: SqliteArchive
    ledger: MemoryDeliveryLedger
    registry: MemoryRegistry
    public: MemoryPublicStream
    clock: StandingClock
    app: web.Application
    reloads: list[str] = field(default_factory=list)
    gate: Gate | None = None
    tail: Tail | None = None

    def headers(self, scope: Scope | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {SECRETS[scope]}"} if scope else {}

    async def ask(
        self, method: str, path: str, scope: Scope | None = Scope.ADMIN, **more: Any
    ) -> Answer:
        headers = self.headers(scope) | more.pop("headers", {})
        # Every test has a whole allowance.
        if self.gate:
            self.gate._allowances.clear()
        async with self.session.request(
            method, self.address + path, headers=headers, **more
        ) as response:
            raw = await response.read()
            is_json = "json" in response.content_type
            return Answer(
                response.status,
                await response.json(content_type=None) if is_json else raw,
                response.headers,
            )

    async def deliver(self, **changes: Any) -> Delivery:
        delivery_id = await self.ledger.enqueue(alert(**changes), "desk/hook", NOW)
        assert delivery_id
        [found] = await self.ledger.find(DeliveryFilter(limit=1))
        return found

    async def keep(self, *chapters: Chapter) -> None:
        await self.archive.add(chapters)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def open_desk(directory: Path) -> AsyncIterator[Desk]:
    store, clock = MemoryStore(), StandingClock()
    registry, public = MemoryRegistry(store), MemoryPublicStream(store)
    ledger, feeds = MemoryDeliveryLedger(store), MemoryFeedStore(store)
    rules = (rule(), rule(id="vote", name="Vote", query="vote* OR council"))
    rulebase = Rulebase(
        rules={each.id: each for each in rules},
        rule_set=compile_rules(rules).rules,
        places={"talks": "rules.yaml:2", "vote": "rules.yaml:4"},
    )
    settings = Settings(
        feeds=(feed(),),
        rulebase=rulebase,
        subscribers=(DESK,),
        secret_source=SecretSource(directory, {"MONITOR_SECRET_HOOK": HOOK_KEY, "PATH": "/bin"}),
        network=NetworkSettings.model_validate({"allow": [str(LOOPBACK)]}),
    )
    parts = StoreParts(
        clock=clock,
        feeds=feeds,
        articles=MemoryArticleLog(store, "one"),
        matches=MemoryMatchLog(store, "one"),
        public=public,
        chapters=MemoryArchiveLog(store, "one"),
        ledger=ledger,
        health=MemoryStoreHealth(store),
        registry=registry,
        habits=MemoryHabits(store),
    )
    reloads: list[str] = []

    async def reload() -> str:
        reloads.append("asked")
        return "feeds.yaml:1:1: a mistake" if len(reloads) > 1 else ""

    for scope, secret in SECRETS.items():
        token = Token(name=scope, scope=scope, created_at=NOW)
        await registry.put(
            RecordKind.TOKEN, Draft(id=digest(secret), value=TOKENS.encode(token)), NOW
        )
    async with (
        open_sqlite(directory / "archive.sqlite") as archive,
        open_outside(settings, registry) as outside,
    ):
        program = Program(settings, parts, outside, Metrics())
        operations = Operations(
            in_force=lambda: in_force(program),
            reload=reload,
            archive=archive,
            feeds=feeds,
            ledger=ledger,
            registry=registry,
            clock=clock,
        )
        app = Endpoints(MemoryStoreHealth(store), Metrics(), dict).application()
        gate, tail = Gate(registry, clock), Tail(public)
        making = Making(
            operations=operations,
            rules=RuleDesk(program, parts),
            feeds=AddedFeeds(program, parts, outside),
            subscribers=SubscriberDesk(program, parts),
        )
        add_api(app, making, gate, tail)
        RuleFeeds(lambda: program.settings.rules, archive, gate).add_to(app)
        backstage = Backstage(
            operations=operations,
            making=making,
            tail=tail,
            health=MemoryStoreHealth(store),
            places=lambda: program.settings.rulebase.places,
            examples=lambda id_: EXAMPLES.get(id_) or examples_of(program, id_),
            problems=dict,
            poll=polled,
            send_test=tested,
        )
        add_page(app, SITE, backstage, gate)
        async with (
            running_task(tail.run()),
            serve(app, "127.0.0.1", 0) as address,
            aiohttp.ClientSession(cookie_jar=CookieJar(unsafe=True)) as session,
        ):
            yield Desk(
                address,
                session,
                store,
                archive,
                ledger,
                registry,
                public,
                clock,
                app,
                reloads,
                gate,
                tail,
            )


def seen(id_: str = "a1", title: str = "Talks resume in Geneva", *rules: str) -> Chapter:
    return Chapter(
        article=article(id=id_, title=title, fingerprint=id_),
        matches=tuple(match(rule_id=one, article_id=id_) for one in rules),
    )
