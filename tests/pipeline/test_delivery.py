"""The whole program against receivers in trouble: real sockets, a real server, and a clock that the test moves."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from monitor.config.load import load
from monitor.core.breaker import CONFIRM, TargetStatus, enable
from monitor.core.holding import Hold
from monitor.core.jitter import JITTER
from monitor.core.model import DeliveryState
from monitor.core.outcome import DeliveryReason, HoldReason
from monitor.core.retry import WEBHOOK
from monitor.ports import DeliveryFilter
from tests import configuration
from tests.clock import StandingClock
from tests.factories import NOW, alert, article
from tests.pipeline.stage import Pipeline, pipeline
from tests.servers.hooks import HookServer, Reply
from tests.servers.slack import FakeSlack

SECOND, MINUTE, HOUR, DAY = (
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)
DOWN = Reply(status=503)
HOOK = "desk/webhook"


class Desk:
    """Receivers of one subscriber, and a program that has nothing to do but to deliver to them."""

    def __init__(self, directory: Path, store: str, hook: HookServer, slack: FakeSlack) -> None:
        self.directory = directory
        self.store = store
        self.hook = hook
        self.slack = slack
        self.clock = StandingClock()

    @asynccontextmanager
    async def open(self, *targets: dict[str, Any]) -> AsyncIterator[Pipeline]:
        self.directory.mkdir(exist_ok=True)
        (self.directory / "slack-url").write_text(self.slack.url)
        written = {"subscribers": {"desk": list(targets) or [self.webhook()]}}
        async with pipeline(self.directory, self.store, self.clock, **written) as program:
            yield program

    def webhook(self, **more: Any) -> dict[str, Any]:
        return {"webhook": {"url": self.hook.url, **more}}

    def chat(self) -> dict[str, Any]:
        return {"slack": {"webhook_url_file": "slack-url"}}

    async def tell(
        self, program: Pipeline, *numbers: int, target: str = HOOK, hold: Hold | None = None
    ) -> None:
        for n in numbers:
            told = alert(
                article=article(id=f"a{n}", title=f"Story {n}.", seen_at=self.clock.now()),
                created_at=self.clock.now(),
            )
            assert await program.parts.ledger.enqueue(told, target, self.clock.now(), hold)

    def heard(self) -> list[str]:
        """The titles that the webhook was sent, digests taken apart."""
        return [
            each["article"]["title"]
            for request in self.hook.received
            for data in [json.loads(request.body)["data"]]
            for each in data.get("alerts", [data])
        ]

    def read(self, n: int) -> int:
        """In how many messages of the chat a story was told."""
        return sum(f"Story {n}." in json.dumps(message) for message in self.slack.messages)


@pytest.fixture
async def desk(empty_server_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with HookServer() as hook, FakeSlack() as slack:
        yield Desk(tmp_path / "config", empty_server_url, hook, slack)


def titles(*numbers: int) -> list[str]:
    return sorted(f"Story {n}." for n in numbers)


async def states(program: Pipeline, target: str = HOOK) -> Counter[DeliveryState]:
    found = await program.parts.ledger.find(DeliveryFilter(target_id=target, limit=10_000))
    return Counter(each.state for each in found)


# --- 410 ---


async def test_one_410_costs_a_minute_and_no_alert(desk: Desk) -> None:
    async with desk.open() as program:
        desk.hook.reply(Reply(status=410))
        await desk.tell(program, *range(6))
        await program.settle()
        asked = len(desk.hook.received)
        assert asked <= 2  # the other one was under way
        await program.finish()
        assert sorted(set(desk.heard())) == titles(*range(6))
        assert await states(program) == {DeliveryState.DELIVERED: 6}
        assert desk.clock.now() - NOW < 3 * MINUTE


async def test_a_410_that_is_confirmed_disables_the_target_and_is_told_by_another(
    desk: Desk,
) -> None:
    async with desk.open(desk.webhook(), desk.chat()) as program:
        desk.hook.default = Reply(status=410)
        await desk.tell(program, 1, 2, 3)
        await program.settle()
        desk.clock.advance(CONFIRM)
        await program.finish()
        health = (await program.parts.ledger.health([HOOK]))[HOOK]
        assert (health.status, health.reason) == (TargetStatus.DISABLED, DeliveryReason.GONE)
        [notice] = desk.slack.messages
        assert f"{HOOK} is switched off" in json.dumps(notice)
        asked = len(desk.hook.received)
        desk.clock.advance(3 * DAY)
        await program.settle()
        assert len(desk.hook.received) == asked
        assert sum((await states(program)).values()) == 3
        assert DeliveryState.DEAD not in await states(program)


async def test_when_the_only_target_is_disabled_whoever_the_routes_name_is_told(
    desk: Desk,
) -> None:
    desk.directory.mkdir(exist_ok=True)
    (desk.directory / "slack-url").write_text(desk.slack.url)
    written = {
        "subscribers": {"desk": [desk.webhook()], "ops": [desk.chat()], "others": [desk.chat()]},
        "route": {
            "subscriber": "desk",
            "routes": [
                {"match": {"rule": "monitor.target-disabled"}, "subscriber": "ops"},
                {"match": {"severity": "critical"}, "subscriber": "others"},
            ],
        },
    }
    async with pipeline(desk.directory, desk.store, desk.clock, **written) as program:
        desk.hook.default = Reply(status=410)
        await desk.tell(program, 1)
        await program.settle()
        desk.clock.advance(CONFIRM)
        await program.finish()
        [notice] = desk.slack.messages
        assert f"{HOOK} is switched off" in json.dumps(notice)
        [told] = await program.parts.ledger.find(DeliveryFilter(target_id="ops/slack"))
        assert (told.state, told.alert.subscriber) == (DeliveryState.DELIVERED, "ops")


# --- consent ---


def agreed(**headers: str) -> Reply:
    return Reply(headers={"WebHook-Allowed-Origin": "monitor.example", **headers})


async def test_who_does_not_agree_is_told_elsewhere_and_gets_all_once_it_does(desk: Desk) -> None:
    webhook = desk.webhook(origin="monitor.example")
    async with desk.open(webhook, desk.chat()) as program:
        desk.hook.default = Reply(status=405)
        await desk.tell(program, 1, 2, 3)
        await program.settle()
        desk.clock.advance(CONFIRM)
        await program.finish()
        health = (await program.parts.ledger.health([HOOK]))[HOOK]
        assert (health.status, health.reason) == (
            TargetStatus.DISABLED,
            DeliveryReason.NO_CONSENT,
        )
        assert {each.method for each in desk.hook.received} == {"OPTIONS"}
        [notice] = desk.slack.messages
        assert "remove 'origin' from the target" in json.dumps(notice)
        desk.hook.received.clear()
        desk.hook.default = agreed()
        await program.parts.ledger.set_health(HOOK, health, enable(health, desk.clock.now()))
        await program.finish()
        assert await states(program) == {DeliveryState.DELIVERED: 3}
    posts = [each for each in desk.hook.received if each.method == "POST"]
    asked = [each for each in desk.hook.received if each.method == "OPTIONS"]
    assert len(posts) == 3
    assert len(asked) <= 2  # two were under way at once
    desk.hook.received.clear()
    desk.hook.default = Reply(status=405)
    desk.hook.reply(Reply())
    async with desk.open(webhook, desk.chat()) as restarted:
        await desk.tell(restarted, 4)
        await restarted.finish()
        assert await states(restarted) == {DeliveryState.DELIVERED: 4}


async def test_no_more_is_sent_than_the_receiver_agreed_to(desk: Desk) -> None:
    async with desk.open(desk.webhook(origin="monitor.example") | {"rate": "2/s"}) as program:
        desk.hook.default = agreed(**{"WebHook-Allowed-Rate": "6"})
        await desk.tell(program, 0)
        await program.settle()
        assert desk.hook.received[0].headers["webhook-request-rate"] == "120"
        desk.clock.advance(MINUTE)
        start, before = desk.clock.now(), len(desk.hook.received)
        await desk.tell(program, 1, 2, 3)
        await program.settle()
        assert len(desk.hook.received) == before + 1
        await program.finish()
        assert await states(program) == {DeliveryState.DELIVERED: 4}
        assert desk.clock.now() - start == 20 * SECOND


# --- an outage ---


async def test_people_are_told_after_an_outage_what_they_missed_in_digests(desk: Desk) -> None:
    async with desk.open(desk.chat()) as program:
        for _ in range(200):
            desk.slack.answer(503, "service_unavailable")
        await desk.tell(program, *range(31), target="desk/slack")
        for _ in range(30):
            desk.clock.advance(HOUR)
            await program.settle()
        assert desk.slack.messages == []
        desk.slack.answers.clear()
        await program.finish()
        assert [desk.read(n) for n in range(31)] == [1] * 31
        assert len(desk.slack.messages) < 12
        assert "Could not be sent earlier" in json.dumps(desk.slack.messages[-1])


async def test_programs_get_what_they_missed_by_a_replay_only(desk: Desk) -> None:
    async with desk.open() as program:
        desk.hook.default = DOWN
        await desk.tell(program, 1, 2)
        for _ in range(100):
            desk.clock.advance(HOUR)
            await program.settle()
        assert await states(program) == {DeliveryState.DEAD: 2}
        desk.hook.received.clear()
        desk.hook.default = Reply()
        desk.clock.advance(DAY)
        await program.finish()
        assert desk.heard() == []
        dead = await program.parts.ledger.find(DeliveryFilter(state=DeliveryState.DEAD))
        for each in dead:
            assert await program.parts.ledger.replay(each.id, desk.clock.now())
        await program.finish()
        assert sorted(desk.heard()) == titles(1, 2)
        assert {r.headers["webhook-id"] for r in desk.hook.received} == {
            f"msg_{each.id}" for each in dead
        }


async def test_a_storm_of_5xx_is_retried_no_faster_than_the_schedule_and_comes_back_spread_out(
    empty_server_url: str, tmp_path: Path
) -> None:
    receivers, each, storm = 20, 3, 60 * SECOND
    clock, moments = StandingClock(), Counter[datetime]()
    async with AsyncExitStack() as stack:
        hooks = [
            await stack.enter_async_context(HookServer(default=DOWN)) for _ in range(receivers)
        ]
        targets = [{"name": f"t{n}", "webhook": {"url": one.url}} for n, one in enumerate(hooks)]
        program = await stack.enter_async_context(
            pipeline(tmp_path / "config", empty_server_url, clock, subscribers={"desk": targets})
        )
        for n in range(receivers * each):
            told = alert(article=article(id=f"a{n}"), created_at=clock.now())
            await program.parts.ledger.enqueue(told, f"desk/t{n % receivers}", clock.now())
        await program.settle()
        while True:
            due = await program.parts.ledger.next_due()
            assert due is not None
            if due - NOW >= storm:
                break
            clock.advance(due - clock.now())
            await program.settle()
        sent = sum(len(hook.received) for hook in hooks)
        scheduled = receivers * each * _tries_within(storm)
        assert sent <= 1.1 * scheduled
        for hook in hooks:
            hook.default = Reply()
            hook.received.clear()
        clock.advance(storm - (clock.now() - NOW))
        before = 0
        while (due := await program.parts.ledger.next_due()) is not None:
            clock.advance(max(due - clock.now(), timedelta()))
            await program.settle()
            total = sum(len(hook.received) for hook in hooks)
            moments[clock.now().replace(microsecond=0)] += total - before
            before = total
        found = await program.parts.ledger.find(DeliveryFilter(limit=10_000))
    assert {one.state for one in found} == {DeliveryState.DELIVERED}
    assert len(found) == receivers * each
    assert sum(moments.values()) == receivers * each
    assert max(moments.values()) <= receivers * each / 4  # no second sees a quarter of it all
    assert max(moments) - NOW <= storm + WEBHOOK[2] * (1 + JITTER)


def _tries_within(span: timedelta) -> int:
    """How often one delivery is tried in a span, if every wait is as short as it may be."""
    tries, at = 0, timedelta()
    for wait in WEBHOOK:
        if at >= span:
            break
        tries += 1
        at += wait * (1 - JITTER)
    return tries


# --- Retry-After ---


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("7", 7 * SECOND, 7 * SECOND),
        ("Thu, 15 Jan 2026 12:02:00 GMT", 2 * MINUTE, 2 * MINUTE),
        ("Thu, 15 Jan 2026 11:00:00 GMT", SECOND, SECOND),
        ("1000000000", HOUR, HOUR),
        ("0", SECOND, SECOND),
        ("-5", MINUTE, 2 * MINUTE),
        ("soon", MINUTE, 2 * MINUTE),
    ],
)
async def test_retry_after_holds_back_the_whole_lane_in_every_form(
    value: str, least: timedelta, most: timedelta, desk: Desk
) -> None:
    async with desk.open() as program:
        desk.hook.reply(*[Reply(status=429, headers={"Retry-After": value})] * 2)
        await desk.tell(program, *range(6))
        await program.settle()
        assert len(desk.hook.received) == 2  # as many as were under way
        due = await program.parts.ledger.next_due()
        assert due is not None
        assert least <= due - NOW <= most
        await program.finish()
        assert await states(program) == {DeliveryState.DELIVERED: 6}
        assert len(desk.hook.received) == 8


# --- rate and order ---


async def test_no_more_is_sent_than_the_rate_of_a_target_allows(desk: Desk) -> None:
    for rate, at_once, gap in (("4/s", 4, SECOND / 4), ("30/m", 1, 2 * SECOND)):
        desk.hook.received.clear()
        desk.clock.advance(HOUR)
        async with desk.open(desk.webhook() | {"rate": rate}) as program:
            start = desk.clock.now()
            numbers = [*range(12)] if at_once > 1 else [*range(20, 32)]
            await desk.tell(program, *numbers)
            await program.settle()
            assert len(desk.hook.received) == at_once
            await program.finish()
            assert sorted(desk.heard()) == titles(*numbers)
            assert desk.clock.now() - start == (12 - at_once) * gap


async def test_without_a_rate_ten_a_second_are_sent(desk: Desk) -> None:
    async with desk.open() as program:
        await desk.tell(program, *range(12))
        await program.settle()
        assert len(desk.hook.received) == 10


async def test_one_that_fails_does_not_let_the_next_ones_pass_where_order_is_wanted(
    desk: Desk,
) -> None:
    async with desk.open(desk.webhook(ordered=True)) as program:
        desk.hook.reply(Reply(), DOWN, Reply(reset=True), DOWN)
        for n in range(5):
            await desk.tell(program, n)
        await program.settle()
        assert desk.heard() == [f"Story {n}." for n in (0, 1)]
        await program.finish()
        bodies = [json.loads(request.body)["data"] for request in desk.hook.received]
        assert [each["seq"] for each in bodies] == [1, 2, 2, 2, 2, 3, 4, 5]
        assert await states(program) == {DeliveryState.DELIVERED: 5}


async def test_what_is_given_up_lets_the_next_one_go_where_order_is_wanted(desk: Desk) -> None:
    async with desk.open(desk.webhook(ordered=True)) as program:
        desk.hook.reply(Reply(status=400))
        await desk.tell(program, 1, 2)
        await program.settle()
        assert desk.heard() == ["Story 1.", "Story 2."]
        assert await states(program) == {DeliveryState.DEAD: 1, DeliveryState.DELIVERED: 1}


# --- the clock jumps ---


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
async def test_a_jump_of_the_clock_loses_nothing_and_keeps_nothing_new_waiting(
    jump: timedelta, desk: Desk
) -> None:
    async with desk.open() as program:
        desk.hook.reply(DOWN, Reply(status=429, headers={"Retry-After": "30"}))
        await desk.tell(program, 1, 2)
        await program.settle()
        await program.parts.ledger.claim(desk.clock.now(), MINUTE, 9, timedelta())
        desk.clock.advance(jump)
        await desk.tell(program, 3)
        await program.finish()
        assert sorted(set(desk.heard())) == titles(1, 2, 3)
        assert await states(program) == {DeliveryState.DELIVERED: 3}


# --- a secret changes ---


async def test_a_secret_can_change_while_alerts_are_on_their_way(desk: Desk) -> None:
    old, new = "whsec_" + "QUFB" * 11, "whsec_" + "QkJC" * 11
    desk.directory.mkdir(exist_ok=True)
    (desk.directory / "old").write_text(old)
    (desk.directory / "new").write_text(new)
    async with desk.open(desk.webhook(secret_file="old")) as program:
        desk.hook.reply(DOWN)
        await desk.tell(program, 1)
        await program.settle()
        both = desk.webhook(secret_file="new", previous_secret_file="old")
        configuration.write(desk.directory, subscribers={"desk": [both]})
        changed = await asyncio.to_thread(load, desk.directory, {"REDIS_URL": desk.store})
        await program.program.use(changed)
        await program.finish()
    first, second = desk.hook.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert len(first.headers["webhook-signature"].split()) == 1
    for request, secret in ((first, old), (second, old), (second, new)):
        _verify(request.headers, request.body, secret)


def _verify(headers: Any, body: bytes, secret: str) -> None:
    """Check a signature as a receiver does whose clock stands where the test's does."""
    signed = Webhook(secret).sign(
        headers["webhook-id"],
        datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz=NOW.tzinfo),
        body.decode(),
    )
    assert signed in headers["webhook-signature"].split()


# --- what other monitors lose ---


async def test_many_alerts_at_once_are_all_told_at_the_pace_of_the_channel(desk: Desk) -> None:
    """Not one is dropped for coming too soon after another (worldmonitor PR 516, chmonitor PR 2837)."""
    async with desk.open(desk.chat()) as program:
        await desk.tell(program, *range(40), target="desk/slack")
        await program.finish()
    assert [desk.read(n) for n in range(40)] == [1] * 40
    assert len(desk.slack.messages) - 1 <= (desk.clock.now() - NOW) / SECOND


async def test_a_digest_gathered_by_several_workers_has_every_alert(desk: Desk) -> None:
    """Huginn keeps a digest in the memory of one process and loses a part (issues 2389, 2438)."""
    hold = Hold(group="hourly", reason=HoldReason.DIGEST, until=NOW + HOUR)
    async with desk.open() as one, desk.open() as two, desk.open() as three:
        for n, program in enumerate([one, two, three] * 7):
            await desk.tell(program, n, hold=hold)
        desk.clock.advance(HOUR)
        for program in (one, two, three):
            await program.settle()
    assert sorted(desk.heard()) == titles(*range(21))
    assert len(desk.hook.received) == 1


async def test_a_429_is_not_taken_for_a_send_that_worked_nor_for_one_to_repeat_for_ever(
    desk: Desk,
) -> None:
    """Alertmanager drops it (issue 2111), ElastAlert repeats what was told (issue 1345)."""
    async with desk.open() as program:
        desk.hook.reply(*[Reply(status=429)] * 9)
        await desk.tell(program, 1)
        await program.finish()
        for _ in range(3):
            desk.clock.advance(DAY)
            await program.settle()
    assert len(desk.hook.received) == 10
    assert len({each.headers["webhook-id"] for each in desk.hook.received}) == 1
