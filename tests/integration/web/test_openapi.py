"""The API keeps what its document says: schemathesis asks a real server over a real store."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from monitor.app.addedfeeds import AddedFeeds
from monitor.app.pages import in_force
from monitor.app.parts import StoreParts, open_outside
from monitor.app.program import Program
from monitor.app.ruledesk import RuleDesk
from monitor.app.subscriberdesk import SubscriberDesk
from monitor.archive.sqlite import open_sqlite
from monitor.config.rulebase import Rulebase
from monitor.config.settings import Settings
from monitor.core.access import Scope, Token, digest
from monitor.core.addresses import feed_key
from monitor.core.engine import compile_rules
from monitor.core.made import Made
from monitor.core.matchers import parse_matchers
from monitor.core.silences import new_silence
from monitor.ports import Draft, RecordKind
from monitor.registry import FEEDS, SILENCES, TOKENS
from monitor.streams.feeds import StreamFeedStore
from monitor.streams.habits import StreamHabits
from monitor.streams.health import StreamStoreHealth
from monitor.streams.ledger import StreamDeliveryLedger
from monitor.streams.log import StreamArchiveLog, StreamArticleLog, StreamMatchLog
from monitor.streams.public import StreamPublicStream
from monitor.streams.registry import StreamRegistry
from monitor.streams.store import Store
from monitor.telemetry import Metrics
from monitor.web.api.live import Tail
from monitor.web.api.making import Making
from monitor.web.api.operation import Gate, Operation
from monitor.web.api.operations import Operations
from monitor.web.api.routes import OPENAPI, add_api
from monitor.web.app import Endpoints, serve
from tests.clock import HurriedClock
from tests.factories import NOW, alert, feed, rule
from tests.integration.web.conftest import SECRETS, seen

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

DAY = timedelta(days=1)
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
EXAMPLES, SEED = 40, 1  # for each operation and phase
MADE = 3  # rules, feeds and silences, for what removes them
# Coverage would count in schemathesis, where nothing is ours, and slow it down.
UNCOUNTED = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
UNASKED = "putFeed"  # it fetches what it is given


async def reloaded() -> str:
    return ""


@dataclass
class Served:
    """The API at an address. `answered` is how its operations were answered, by method and path."""

    operations: Sequence[Operation]
    address: str = ""
    answered: set[tuple[str, str, int]] = field(default_factory=set)

    @web.middleware
    async def note(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Note how a request is answered."""
        answer = await handler(request)
        resource = request.match_info.route.resource
        if resource:
            self.answered.add((request.method, resource.canonical, answer.status))
        return answer


async def fill(making: Making, registry: StreamRegistry) -> None:
    """Make what can be removed: rules, feeds and silences."""
    for number in range(MADE):
        made = Made(settings={"query": f"word{number}"})
        await making.rules.put(f"made-{number}", made)
        added = feed(id=f"added-{number}", url=f"http://127.0.0.1/{number}")
        draft = Draft(id=added.id, value=FEEDS.encode(added), unique=feed_key(added.url))
        await registry.put(RecordKind.FEED, draft, NOW)
        silence = new_silence(
            parse_matchers("rule=talks"), starts_at=NOW, ends_at=NOW + DAY, author="ana"
        )
        draft = Draft(id=silence.id, value=SILENCES.encode(silence))
        await registry.put(RecordKind.SILENCE, draft, NOW)


@asynccontextmanager
async def serving(store: Store, directory: Path) -> AsyncIterator[Served]:
    """Serve the API over `store`, with an article, a delivery, a token and what can be removed in it."""
    registry, ledger, clock = StreamRegistry(store), StreamDeliveryLedger(store), HurriedClock()
    token = Token(name="admin", scope=Scope.ADMIN, created_at=NOW)
    draft = Draft(id=digest(SECRETS[Scope.ADMIN]), value=TOKENS.encode(token))
    await registry.put(RecordKind.TOKEN, draft, NOW)
    await ledger.enqueue(alert(), "desk/hook", NOW)
    rules = (rule(),)
    rulebase = Rulebase(
        rules={each.id: each for each in rules}, rule_set=compile_rules(rules).rules
    )
    settings = Settings(feeds=(feed(),), rulebase=rulebase)
    parts = StoreParts(
        clock=clock,
        feeds=StreamFeedStore(store),
        articles=StreamArticleLog(store, "one"),
        matches=StreamMatchLog(store, "one"),
        public=StreamPublicStream(store),
        chapters=StreamArchiveLog(store, "one"),
        ledger=ledger,
        health=StreamStoreHealth(store),
        registry=registry,
        habits=StreamHabits(store),
    )
    async with (
        open_sqlite(directory / "archive.sqlite") as archive,
        open_outside(settings, registry) as outside,
    ):
        program = Program(settings, parts, outside, Metrics())
        await archive.add([seen("a1", "Talks resume", "talks")])
        operations = Operations(
            in_force=lambda: in_force(program),
            reload=reloaded,
            archive=archive,
            feeds=parts.feeds,
            ledger=ledger,
            registry=registry,
            clock=clock,
        )
        app = Endpoints(parts.health, Metrics(), dict).application()
        making = Making(
            operations=operations,
            rules=RuleDesk(program, parts),
            feeds=AddedFeeds(program, parts, outside),
            subscribers=SubscriberDesk(program, parts),
        )
        await fill(making, registry)
        await program.catch_up()
        served = Served((*operations.all(), *making.all()))
        app.middlewares.append(served.note)
        add_api(app, making, Gate(registry, clock), Tail(parts.public))
        async with serve(app, "127.0.0.1", 0) as served.address:
            yield served


@pytest.mark.no_cover
async def test_the_api_keeps_what_its_document_says(store: Store, tmp_path: Path) -> None:
    async with serving(store, tmp_path) as served:
        words = [
            f"--config-file={CONFIGURATION}",
            "run",
            served.address + OPENAPI,
            f"--header=Authorization: Bearer {SECRETS[Scope.ADMIN]}",
            "--checks=all",
            "--exclude-checks=allow_header_conformance",  # a rule may be called `check`
            "--exclude-path=/api/stream",  # which does not end
            f"--exclude-operation-id={UNASKED}",
            f"--max-examples={EXAMPLES}",
            f"--seed={SEED}",
            "--continue-on-failure",
            "--generation-database=none",
            "--output-truncate=true",
        ]
        process = await asyncio.create_subprocess_exec(
            SCHEMATHESIS,
            *words,
            cwd=tmp_path,
            env=UNCOUNTED | {"SCHEMATHESIS_HOOKS": str(HOOKS)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        report, _ = await process.communicate()
    assert process.returncode == 0, report.decode()
    assert b"Tested: 23" in report
    wanted = {
        (each.method, each.path, each.status) for each in served.operations if each.name != UNASKED
    }
    assert wanted <= served.answered, "each operation is asked for what there is"
