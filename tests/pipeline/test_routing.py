"""What is held, folded and suppressed, on the whole of the program, over memory and over a server."""

import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.core.matchers import parse_matchers
from monitor.core.model import Delivery, DeliveryState
from monitor.core.outcome import HoldReason, Suppression
from monitor.core.pace import Choice
from monitor.core.silences import expired, new_silence
from monitor.ports import DeliveryFilter, Draft, RecordKind
from monitor.registry import CHOICES, SILENCES
from tests.clock import StandingClock
from tests.pipeline.stage import Pipeline, load_written, pipeline
from tests.servers.feeds import FeedServer, document, feed_server, item, rss
from tests.servers.hooks import HookServer, Reply
from tests.servers.valkey import empty

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
KYIV = ZoneInfo("Europe/Kyiv")
NIGHT = {"timezone": "Europe/Kyiv", "quiet_hours": "22:00-07:00"}
RULES = {
    "story": "story",
    "alarm": {"query": "alarm", "severity": "critical"},
    "veto": "veto",
}


def kyiv(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=KYIV).astimezone(UTC)


class Newsroom:
    """One feed, one receiver, one subscriber, and what it wants."""

    def __init__(
        self, directory: Path, store: str | None, server: FeedServer, hook: HookServer
    ) -> None:
        self.clock = StandingClock()
        self.server = server
        self.hook = hook
        self._directory = directory
        self._store = store
        self._published: list[str] = []

    def written(self, desk: dict[str, Any], **routing: Any) -> dict[str, Any]:
        return {
            "feeds": {"one": {"url": f"{self.server.base}/rss", "every": "1m", "since": "30d"}},
            "rules": RULES,
            "subscribers": {"desk": {"targets": [{"webhook": {"url": self.hook.url}}], **desk}},
            **routing,
        }

    def open(self, desk: dict[str, Any], at: str, **routing: Any) -> Any:
        """Open the program at a local time of Kyiv."""
        self.clock.advance(kyiv(at) - self.clock.now())
        return pipeline(self._directory, self._store, self.clock, **self.written(desk, **routing))

    async def reload(self, program: Pipeline, desk: dict[str, Any], **routing: Any) -> None:
        settings = await load_written(self._directory, self._store, **self.written(desk, **routing))
        await program.program.use(settings)

    async def publish(self, program: Pipeline, at: str, *titles: str) -> None:
        """Let the feed say one more, and let everything happen until then and what follows."""
        await self.pass_time(program, at)
        for title in titles:
            number = len(self._published)
            self._published.append(item(number, title=title, published_at=self.clock.now()))
        said = rss(*self._published, title=f"{len(self._published)}")
        self.server.script("/rss", document(said))
        await program.poll_after(5 * MINUTE)

    async def pass_time(self, program: Pipeline, at: str) -> None:
        """Let everything happen that is due until a local time of Kyiv."""
        until = kyiv(at)
        while (due := await program.parts.ledger.next_due()) is not None and due <= until:
            self.clock.advance(max(timedelta(), due - self.clock.now()))
            await program.settle()
        self.clock.advance(until - self.clock.now())

    def digest(self) -> set[str]:
        """The titles of the only message since the last call, of which several came at one instant."""
        [titles] = self.told()
        return set(titles)

    def told(self) -> list[list[str]]:
        """The titles of each message that arrived since the last call."""
        found = [_titles(json.loads(each.body)["data"]) for each in self.hook.received]
        self.hook.received.clear()
        return found


def _titles(data: dict[str, Any]) -> list[str]:
    """Return the titles of a message, the oldest first; a webhook has the newest first."""
    alerts = data.get("alerts") or [data]
    return [each["article"]["title"] for each in reversed(alerts)]


async def delivered(program: Pipeline) -> list[Delivery]:
    found = await program.parts.ledger.find(DeliveryFilter(state=DeliveryState.DELIVERED))
    return sorted(found, key=lambda each: (each.target_id, each.seq))


@pytest.fixture(params=["memory", "server"])
def store_url(request: pytest.FixtureRequest) -> str | None:
    """Return the URL of each kind of store; none for the one in memory."""
    if request.param == "memory":
        return None
    url: str = request.getfixturevalue("server_url")
    return url


@pytest.fixture
async def newsroom(store_url: str | None, tmp_path: Path) -> Any:
    if store_url:
        await empty(store_url)
    async with feed_server() as server, HookServer() as hook:
        yield Newsroom(tmp_path / "config", store_url, server, hook)


async def test_quiet_hours_hold_and_then_tell_one_digest_in_order(newsroom: Newsroom) -> None:
    async with newsroom.open(NIGHT, "2026-01-15T21:50") as program:
        await newsroom.publish(program, "2026-01-15T21:50", "Story 1")
        assert newsroom.told() == [["Story 1"]]
        for hour, title in (("22:10", "Story 2"), ("23:30", "Story 3"), ("23:50", "Story 4")):
            await newsroom.publish(program, f"2026-01-15T{hour}", title)
        await newsroom.pass_time(program, "2026-01-16T06:59")
        assert newsroom.told() == []
        await newsroom.pass_time(program, "2026-01-16T07:00")
        assert newsroom.told() == [["Story 2", "Story 3", "Story 4"]]
        digest = (await delivered(program))[-1]
        assert (digest.because, digest.because_of) == (
            HoldReason.QUIET_HOURS,
            "22:00-07:00 Europe/Kyiv",
        )
        await newsroom.publish(program, "2026-01-16T07:10", "Story 5")
        assert newsroom.told() == [["Story 5"]]
        assert program.suppressed() == {}


async def test_night_in_which_the_clock_is_turned_ends_at_seven(newsroom: Newsroom) -> None:
    async with newsroom.open(NIGHT, "2026-03-28T23:00") as program:
        await newsroom.publish(program, "2026-03-28T23:00", "Story 1")
        assert kyiv("2026-03-29T07:00") - kyiv("2026-03-28T23:00") == 7 * HOUR
        await newsroom.pass_time(program, "2026-03-29T06:59")
        assert newsroom.told() == []
        await newsroom.pass_time(program, "2026-03-29T07:00")
        assert newsroom.told() == [["Story 1"]]


async def test_what_is_held_never_hides_what_is_critical(newsroom: Newsroom) -> None:
    """After an alert of low severity, a cooldown elsewhere hid a critical one."""
    desk = NIGHT | {"schedule": "daily at 12:00", "budget": 1}
    async with newsroom.open(desk, "2026-01-15T23:00") as program:
        await newsroom.publish(program, "2026-01-15T23:00", "Story 1")
        assert newsroom.told() == []
        await newsroom.publish(program, "2026-01-15T23:10", "Story 2: alarm", "Alarm 3")
        assert sorted(newsroom.told()) == [["Alarm 3"], ["Story 2: alarm"]]
        await newsroom.pass_time(program, "2026-01-16T12:00")
        assert newsroom.told() == [["Story 1"]]


async def test_edit_that_makes_an_article_critical_is_told_at_once(newsroom: Newsroom) -> None:
    async with newsroom.open(NIGHT, "2026-01-15T23:00") as program:
        await newsroom.publish(program, "2026-01-15T23:00", "Story 1")
        newsroom.clock.advance(HOUR)
        edited = item(0, title="Story 1: alarm", published_at=newsroom.clock.now())
        newsroom.server.script("/rss", document(rss(edited, title="edited")))
        await program.poll_after(5 * MINUTE)
        assert newsroom.told() == [["Story 1: alarm"]]
        (alarm,) = await delivered(program)
        assert [match.rule_id for match in alarm.alert.matches] == ["alarm"]


async def test_daily_and_hourly_digests_come_at_their_local_times(newsroom: Newsroom) -> None:
    targets = [
        {"name": "hourly", "webhook": {"url": newsroom.hook.url}, "schedule": "hourly"},
        {"name": "daily", "webhook": {"url": newsroom.hook.url}, "schedule": "daily at 08:30"},
    ]
    desk = {"timezone": "Asia/Kathmandu", "targets": targets}  # 5:45 ahead of UTC
    async with newsroom.open(desk, "2026-01-15T10:00") as program:
        await newsroom.publish(program, "2026-01-15T10:00", "Story 1", "Story 2")
        await newsroom.pass_time(program, "2026-01-15T10:14")  # 13:59 there
        assert newsroom.told() == []
        await newsroom.pass_time(program, "2026-01-15T10:15")
        assert newsroom.digest() == {"Story 1", "Story 2"}
        await newsroom.pass_time(program, "2026-01-16T04:45")
        assert newsroom.digest() == {"Story 1", "Story 2"}
        assert [each.target_id for each in await delivered(program)] == [
            *("desk/daily", "desk/hourly")
        ]


async def test_budget_tells_the_surplus_later_and_deletes_nothing(newsroom: Newsroom) -> None:
    desk = {"budget": 2, "timezone": "Europe/Kyiv"}
    async with newsroom.open(desk, "2026-01-15T12:10") as program:
        await newsroom.publish(program, "2026-01-15T12:10", *(f"Story {n}" for n in range(5)))
        at_once = newsroom.told()
        assert [len(titles) for titles in at_once] == [1, 1]
        await newsroom.publish(program, "2026-01-15T12:30", "Story 5", "Alarm 6")
        assert newsroom.told() == [["Alarm 6"]]
        await newsroom.pass_time(program, "2026-01-15T13:00")
        [surplus] = newsroom.told()
        assert sorted(surplus + at_once[0] + at_once[1]) == [f"Story {n}" for n in range(6)]
        assert (await delivered(program))[-1].because is HoldReason.ALLOWANCE
        await newsroom.publish(program, "2026-01-15T13:10", "Story 7", "Story 8")
        assert sorted(newsroom.told()) == [["Story 7"], ["Story 8"]]
        assert program.suppressed() == {}


GROUPED = {"subscriber": "desk", "group_by": ["rule"], "group_interval": "30m"}


async def test_first_of_a_group_is_told_at_once_and_the_rest_together(newsroom: Newsroom) -> None:
    async with newsroom.open({}, "2026-01-15T12:00", route=GROUPED) as program:
        await newsroom.publish(program, "2026-01-15T12:00", "Story 1")
        assert newsroom.told() == [["Story 1"]]
        await newsroom.publish(program, "2026-01-15T12:10", "Story 2", "Veto 3")
        assert newsroom.told() == [["Veto 3"]]  # another rule, another group
        await newsroom.publish(program, "2026-01-15T12:20", "Story 4", "Alarm 5")
        assert newsroom.told() == [["Alarm 5"]]  # critical
        await newsroom.pass_time(program, "2026-01-15T12:40")
        assert newsroom.told() == [["Story 2", "Story 4"]]


async def test_groups_count_in_the_budget(newsroom: Newsroom) -> None:
    by_story = {"subscriber": "desk", "group_by": ["story"], "group_interval": "10m"}
    async with newsroom.open({"budget": 2}, "2026-01-15T12:10", route=by_story) as program:
        await newsroom.publish(program, "2026-01-15T12:10", *(f"Story {n}" for n in range(5)))
        at_once = newsroom.told()
        assert [len(titles) for titles in at_once] == [1, 1]
        await newsroom.pass_time(program, "2026-01-15T13:00")
        [surplus] = newsroom.told()
        assert sorted(surplus + at_once[0] + at_once[1]) == [f"Story {n}" for n in range(5)]


async def test_group_is_not_told_in_quiet_hours(newsroom: Newsroom) -> None:
    async with newsroom.open(NIGHT, "2026-01-15T21:30", route=GROUPED) as program:
        await newsroom.publish(program, "2026-01-15T21:30", "Story 1")
        assert newsroom.told() == [["Story 1"]]
        await newsroom.publish(program, "2026-01-15T21:45", "Story 2")
        await newsroom.pass_time(program, "2026-01-16T06:59")
        assert newsroom.told() == []
        await newsroom.pass_time(program, "2026-01-16T07:00")
        assert newsroom.told() == [["Story 2"]]


async def test_muted_route_counts_what_it_does_not_tell(newsroom: Newsroom) -> None:
    lunch = {
        "name": "lunch",
        "time_intervals": [
            {
                "times": [{"start_time": "12:00", "end_time": "13:00"}],
                "location": "Europe/Kyiv",
            }
        ],
    }
    route = {"subscriber": "desk", "routes": [{"mute_time_intervals": ["lunch"]}]}
    opened = newsroom.open({}, "2026-01-15T12:00", route=route, time_intervals=[lunch])
    async with opened as program:
        await newsroom.publish(program, "2026-01-15T12:00", "Story 1")
        await newsroom.publish(program, "2026-01-15T13:00", "Story 2")
        assert newsroom.told() == [["Story 2"]]
        assert program.suppressed() == {Suppression.MUTED: 1}


async def test_source_inhibits_what_says_less_until_its_window_ends(newsroom: Newsroom) -> None:
    rule = {"source_matchers": "rule=veto", "target_matchers": "rule=story", "window": "1h"}
    async with newsroom.open({}, "2026-01-15T12:00", inhibit_rules=[rule]) as program:
        await newsroom.publish(program, "2026-01-15T12:00", "Story 1")
        await newsroom.publish(program, "2026-01-15T12:10", "A veto, a story 2")
        assert newsroom.told() == [["Story 1"], ["A veto, a story 2"]]
        (*_, veto) = await delivered(program)
        assert [match.rule_id for match in veto.alert.matches] == ["veto"]
        await newsroom.publish(program, "2026-01-15T13:00", "Story 3")
        assert newsroom.told() == []
        await newsroom.publish(program, "2026-01-15T13:15", "Story 4")
        assert newsroom.told() == [["Story 4"]]
        assert program.suppressed() == {Suppression.INHIBITED: 2}


async def test_silence_counts_from_the_next_article_on_until_it_is_ended(
    newsroom: Newsroom,
) -> None:
    async with newsroom.open({}, "2026-01-15T12:00") as program:
        now = newsroom.clock.now()
        silence = new_silence(
            parse_matchers("rule=story"), starts_at=now, ends_at=now + DAY, author="ana"
        )

        async def put(value: bytes) -> None:
            draft = Draft(id=silence.id, value=value)
            await program.parts.registry.put(RecordKind.SILENCE, draft, newsroom.clock.now())

        await newsroom.publish(program, "2026-01-15T12:00", "Story 1")
        await put(SILENCES.encode(silence))
        await newsroom.publish(program, "2026-01-15T12:10", "Story 2", "Veto 3")
        assert newsroom.told() == [["Story 1"], ["Veto 3"]]
        await put(SILENCES.encode(expired(silence, newsroom.clock.now())))
        await newsroom.publish(program, "2026-01-15T12:20", "Story 4")
        assert newsroom.told() == [["Story 4"]]
        assert program.suppressed() == {Suppression.SILENCED: 1}


async def test_silence_counts_for_what_waits_too(newsroom: Newsroom) -> None:
    async with newsroom.open(NIGHT, "2026-01-15T23:00") as program:
        await newsroom.publish(program, "2026-01-15T23:00", "Story 1", "Veto 2")
        now = newsroom.clock.now()
        silence = new_silence(
            parse_matchers("rule=story"), starts_at=now, ends_at=now + DAY, author="ana"
        )
        draft = Draft(id=silence.id, value=SILENCES.encode(silence))
        await program.parts.registry.put(RecordKind.SILENCE, draft, now)
        await newsroom.pass_time(program, "2026-01-16T07:00")
        assert newsroom.told() == [["Veto 2"]]
        assert program.suppressed() == {Suppression.SILENCED: 1}


async def test_reader_chooses_a_digest_or_leaves(newsroom: Newsroom) -> None:
    async with newsroom.open({}, "2026-01-15T12:00") as program:

        async def choose(**chosen: Any) -> None:
            choice = Choice(subscriber="desk", target_id="desk/webhook", **chosen)
            draft = Draft(id=choice.target_id, value=CHOICES.encode(choice))
            await program.parts.registry.put(RecordKind.CHOICE, draft, newsroom.clock.now())

        await choose(schedule="hourly")
        await newsroom.publish(program, "2026-01-15T12:10", "Story 1", "Story 2")
        assert newsroom.told() == []
        await newsroom.pass_time(program, "2026-01-15T13:00")
        assert newsroom.digest() == {"Story 1", "Story 2"}
        await choose(unsubscribed=True)
        await newsroom.publish(program, "2026-01-15T13:10", "Alarm 3")
        assert newsroom.told() == []
        assert program.suppressed() == {Suppression.UNSUBSCRIBED: 1}


async def test_failing_target_does_not_stop_the_digest_of_another(newsroom: Newsroom) -> None:
    sound, broken = newsroom.hook.url, "http://127.0.0.1:1/"
    targets = [
        {"name": "broken", "webhook": {"url": broken}},
        {"name": "sound", "webhook": {"url": sound}},
    ]
    async with newsroom.open(NIGHT | {"targets": targets}, "2026-01-15T23:00") as program:
        await newsroom.publish(program, "2026-01-15T23:00", "Story 1", "Story 2")
        await newsroom.pass_time(program, "2026-01-16T07:00")
        assert newsroom.digest() == {"Story 1", "Story 2"}
        retried = await program.parts.ledger.find(DeliveryFilter(state=DeliveryState.RETRY))
        assert [each.target_id for each in retried] == ["desk/broken"]


async def test_digest_that_a_receiver_refuses_for_a_while_arrives_once(newsroom: Newsroom) -> None:
    async with newsroom.open(NIGHT, "2026-01-15T23:00") as program:
        await newsroom.publish(program, "2026-01-15T23:00", "Story 1", "Story 2")
        newsroom.hook.reply(Reply(status=429, headers={"retry-after": "60"}), Reply(status=503))
        await newsroom.pass_time(program, "2026-01-16T09:00")
        ids = {each.headers["webhook-id"] for each in newsroom.hook.received}
        assert (len(newsroom.hook.received), len(ids)) == (3, 1)
        (digest,) = await delivered(program)
        assert digest.attempts == 3


async def test_changed_wishes_count_from_the_next_article_on(newsroom: Newsroom) -> None:
    async with newsroom.open({"schedule": "hourly"}, "2026-01-15T12:00") as program:
        await newsroom.publish(program, "2026-01-15T12:00", "Story 1")
        await newsroom.reload(program, {})
        await newsroom.publish(program, "2026-01-15T12:10", "Story 2")
        assert newsroom.told() == [["Story 2"]]
        await newsroom.reload(program, {}, route={"subscriber": "desk", "routes": [QUIET_ROUTE]})
        await newsroom.publish(program, "2026-01-15T12:20", "Story 3")
        await newsroom.pass_time(program, "2026-01-15T13:00")
        assert newsroom.told() == [["Story 1", "Story 3"]]


QUIET_ROUTE = {"matchers": "rule=story", "schedule": "hourly"}


async def test_several_programs_share_one_budget(empty_server_url: str, tmp_path: Path) -> None:
    async with feed_server() as server, HookServer() as hook, AsyncExitStack() as stack:
        newsroom = Newsroom(tmp_path / "config", empty_server_url, server, hook)
        crew = [
            await stack.enter_async_context(newsroom.open({"budget": 3}, "2026-01-15T12:10"))
            for _ in range(2)
        ]
        await newsroom.publish(crew[0], "2026-01-15T12:10", "Story 1", "Story 2")
        await newsroom.publish(crew[1], "2026-01-15T12:20", "Story 3", "Story 4", "Story 5")
        assert len(newsroom.told()) == 3
        await newsroom.pass_time(crew[1], "2026-01-15T13:00")
        [surplus] = newsroom.told()
        assert len(surplus) == 2
