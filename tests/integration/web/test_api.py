import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from monitor.core.access import Scope, Token, digest
from monitor.core.chapter import Chapter, Decision
from monitor.core.outcome import HoldReason, Suppression
from monitor.ports import Draft, RecordKind
from monitor.registry import SILENCES, TOKENS, Roster
from monitor.web.api.live import Live
from monitor.web.api.operation import RATE, STRANGER_RATE
from monitor.web.app import serve
from tests.factories import NOW, article, matched
from tests.integration.web.conftest import Desk, seen
from tests.wait import wait_until

HOUR = timedelta(hours=1)
ROUTES = [
    ("GET", "/api/articles", Scope.READ),
    ("GET", "/api/articles/a1", Scope.READ),
    ("GET", "/api/matches", Scope.READ),
    ("GET", "/api/rules", Scope.READ),
    ("GET", "/api/rules/talks", Scope.READ),
    ("PUT", "/api/rules/new", Scope.WRITE),
    ("DELETE", "/api/rules/new", Scope.WRITE),
    ("POST", "/api/rules/check", Scope.READ),
    ("POST", "/api/backtest", Scope.READ),
    ("GET", "/api/feeds", Scope.READ),
    ("GET", "/api/feeds/example-world", Scope.READ),
    ("PUT", "/api/feeds/new", Scope.WRITE),
    ("DELETE", "/api/feeds/new", Scope.WRITE),
    ("GET", "/api/subscribers", Scope.READ),
    ("GET", "/api/subscribers/desk", Scope.READ),
    ("PUT", "/api/subscribers/new", Scope.ADMIN),
    ("DELETE", "/api/subscribers/new", Scope.ADMIN),
    ("GET", "/api/deliveries", Scope.READ),
    ("GET", "/api/deliveries/d1", Scope.READ),
    ("POST", "/api/deliveries/d1/replay", Scope.WRITE),
    ("GET", "/api/silences", Scope.READ),
    ("POST", "/api/silences", Scope.WRITE),
    ("DELETE", "/api/silences/s1", Scope.WRITE),
    ("POST", "/api/reload", Scope.ADMIN),
    ("GET", "/api/stream", Scope.READ),
]


# --- who may ask ---


async def test_the_table_of_routes_is_complete(desk: Desk) -> None:
    document = (await desk.ask("GET", "/api/openapi.json", None)).body
    described = {
        (method.upper(), path.count("/"))
        for path, each in document["paths"].items()
        for method in each
    }
    assert {(method, path.count("/")) for method, path, _ in ROUTES} == described
    assert sum(map(len, document["paths"].values())) == len(ROUTES)


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
async def test_nothing_is_told_without_a_good_token(
    desk: Desk, method: str, path: str, scope: Scope
) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer mon_wrong"},
        {"Authorization": "Basic bW9uaXRvcg=="},
        {"Authorization": "Bearer "},
    ):
        answer = await desk.ask(method, path, None, headers=headers)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert "monitor tokens create" in answer.body["detail"]
    if scope is not Scope.READ:
        answer = await desk.ask(method, path, Scope.READ)
        assert (answer.status, answer.body["title"]) == (403, "Forbidden")
    else:
        stream = path == "/api/stream"
        answer = await desk.ask(
            method, path, scope, headers={"Last-Event-ID": "x"} if stream else {}
        )
        assert answer.status not in {401, 403}


async def test_a_token_ends(desk: Desk) -> None:
    secret = "mon_short_lived"
    token = Token(name="short", scope=Scope.READ, created_at=NOW, expires_at=NOW + HOUR)
    draft = Draft(id=digest(secret), value=TOKENS.encode(token))
    await desk.registry.put(RecordKind.TOKEN, draft, NOW)
    headers = {"Authorization": f"Bearer {secret}"}
    assert (await desk.ask("GET", "/api/rules", None, headers=headers)).status == 200
    desk.clock.advance(HOUR)
    assert (await desk.ask("GET", "/api/rules", None, headers=headers)).status == 401


async def test_who_asks_too_often_is_told_how_long_to_wait(desk: Desk) -> None:
    gate, desk.gate = desk.gate, None
    assert gate
    for _ in range(RATE.burst):
        assert (await desk.ask("GET", "/api/rules", Scope.READ)).status == 200
    refused = await desk.ask("GET", "/api/rules", Scope.READ)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
    assert (await desk.ask("GET", "/api/rules", Scope.WRITE)).status == 200
    desk.clock.advance(RATE.every)
    assert (await desk.ask("GET", "/api/rules", Scope.READ)).status == 200
    for _ in range(STRANGER_RATE.burst):
        assert (await desk.ask("GET", "/api/rules", None)).status == 401
    assert (await desk.ask("GET", "/api/rules", None)).status == 429


# --- articles ---


async def test_articles_are_searched_and_paged(desk: Desk) -> None:
    await desk.keep(*(seen(f"a{n}", f"Talks number {n}", "talks") for n in range(5)))
    await desk.keep(seen("b", "Weather"))
    first = (await desk.ask("GET", "/api/articles?query=talks&limit=2")).body
    assert [one["id"] for one in first["articles"]] == ["a4", "a3"]
    assert first["articles"][0]["spans"][0]["text"] == "Talks"
    rest = (await desk.ask("GET", f"/api/articles?query=talks&cursor={first['next']}")).body
    assert [one["id"] for one in rest["articles"]] == ["a2", "a1", "a0"]
    assert rest["next"] is None
    everything = (await desk.ask("GET", "/api/articles?limit=1")).body
    assert [one["id"] for one in everything["articles"]] == ["b"]
    by_rule = (await desk.ask("GET", "/api/articles?rule=talks&limit=9")).body
    assert len(by_rule["articles"]) == 5


async def test_matches_are_listed_with_who_was_told_and_who_was_not(desk: Desk) -> None:
    await desk.keep(
        seen("a0", "Weather"),
        seen("a1", "Talks resume", "talks", "vote"),
        seen("a2", "Talks end", "talks"),
        Chapter(
            article=article(id="a1", title="Talks resume", fingerprint="a1"),
            decisions=(
                Decision(
                    rule_ids=("talks", "vote"),
                    subscriber="desk",
                    target_id="desk/hook",
                    delivery_id="d1",
                    held=HoldReason.QUIET_HOURS,
                    detail="22:00-07:00 UTC",
                ),
                Decision(rule_ids=("vote",), suppressed=Suppression.NO_ROUTE),
            ),
            decided_at=NOW,
        ),
    )
    first = (await desk.ask("GET", "/api/matches?limit=1")).body
    assert [each["article"]["id"] for each in first["matches"]] == ["a2"]
    assert first["matches"][0]["alerts"] == []
    [second] = (await desk.ask("GET", f"/api/matches?cursor={first['next']}")).body["matches"]
    assert second["article"]["id"] == "a1"
    assert [each["rule"] for each in second["matches"]] == ["talks", "vote"]
    assert second["matches"][0]["spans"][0]["text"] == "Talks"
    told, not_told = second["alerts"]
    assert (told["target"], told["delivery"], told["held"]) == ("desk/hook", "d1", "quiet_hours")
    assert (not_told["suppressed"], not_told["delivery"]) == ("no_route", None)
    by_rule = (await desk.ask("GET", "/api/matches?rule=vote")).body["matches"]
    assert [each["article"]["id"] for each in by_rule] == ["a1"]


async def test_a_search_goes_on_until_it_has_as_many_as_it_is_asked_for(desk: Desk) -> None:
    await desk.keep(
        *(seen(f"a{n}", "Talks resume" if n % 50 == 0 else "Resume of talks") for n in range(1200))
    )
    wanted = [f"a{n}" for n in range(1150, -1, -50)]
    for limit in (1, 5, 24, 100):
        path = f"/api/articles?query=%22talks resume%22&limit={limit}"
        found = (await desk.ask("GET", path)).body["articles"]
        assert [one["id"] for one in found] == wanted[:limit]


async def test_the_story_of_an_article_is_told(desk: Desk) -> None:
    decision = Decision(rule_ids=("talks",), suppressed=Suppression.NO_ROUTE)
    await desk.keep(
        seen("a1", "Talks", "talks"),
        Chapter(article=article(), decisions=(decision,), decided_at=NOW),
    )
    delivery = await desk.deliver()
    told = (await desk.ask("GET", "/api/articles/a1")).body
    assert told["article"] == "a1"
    assert any("no_route" in event["said"] for event in told["events"])
    by_delivery = (await desk.ask("GET", f"/api/articles/{delivery.id}")).body
    assert any(delivery.id in event["said"] for event in by_delivery["events"])
    assert (await desk.ask("GET", "/api/articles/unknown")).status == 404


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/api/articles?limt=3", "unknown parameter 'limt'"),
        ("/api/articles?limit=3&limit=4", "more than once"),
        ("/api/articles?limit=0", "`int` >= 1"),
        ("/api/articles?since=yesterday", "Invalid RFC3339"),
        ("/api/articles?since=2026-01-15T12:00:00", "timezone"),
        ("/api/articles?until=0.5", "Invalid RFC3339"),
        ("/api/articles?limit=5.0", "Expected `int`, got `str`"),
        ("/api/articles?limit=%D9%A5", "Expected `int`, got `str`"),
        ("/api/articles?query=" + "x" * 2001, "length <= 2000"),
        ("/api/deliveries?state=lost", "Invalid enum value"),
    ],
)
async def test_wrong_parameters_are_named(desk: Desk, path: str, detail: str) -> None:
    answer = await desk.ask("GET", path)
    assert answer.status == 400
    assert detail in answer.body["detail"]
    assert answer.headers["Content-Type"].startswith("application/problem+json")


# --- rules ---


async def test_rules_in_force_are_listed(desk: Desk) -> None:
    rules = (await desk.ask("GET", "/api/rules")).body["rules"]
    assert [(one["id"], one["query"]) for one in rules] == [
        ("talks", "talks"),
        ("vote", "vote* OR council"),
    ]


async def test_a_query_is_checked_at_its_place(desk: Desk) -> None:
    good = await desk.ask("POST", "/api/rules/check", json={"query": "( talks )  AND @vote"})
    assert (good.status, good.body["query"]) == (200, "talks AND @vote")
    bad = await desk.ask("POST", "/api/rules/check", json={"query": "talks AND (vote"})
    assert (bad.status, bad.body["position"]) == (422, 10)
    unknown = await desk.ask("POST", "/api/rules/check", json={"query": "entity:nobody"})
    assert "nobody" in unknown.body["detail"]


async def test_a_query_is_tried_on_the_archive(desk: Desk) -> None:
    await desk.keep(
        seen("a1", "Talks resume"), seen("a2", "Talks resume"), seen("a3", "Talks fail")
    )
    await desk.keep(seen("a4", "Council to vote"))
    asked = {"query": "talks AND NOT fail", "since": "2026-01-01T00:00:00Z", "against": "vote"}
    tested = (await desk.ask("POST", "/api/backtest", json=asked)).body
    assert (tested["seen"], tested["articles"], tested["stories"]) == (4, 2, 1)
    assert tested["days"] == [{"day": "2026-01-15", "articles": 2, "stories": 1}]
    assert (sorted(tested["gained"]), tested["lost"]) == (["a1", "a2"], ["a4"])
    unknown = await desk.ask("POST", "/api/backtest", json=asked | {"against": "none"})
    assert unknown.status == 404


@pytest.mark.parametrize("name", ["since", "until"])
async def test_an_instant_of_a_backtest_says_its_zone(desk: Desk, name: str) -> None:
    asked = {"query": "talks", "since": "2026-01-01T00:00:00Z", name: "2026-01-01T00:00:00"}
    answer = await desk.ask("POST", "/api/backtest", json=asked)
    assert answer.status == 422
    assert name in answer.body["detail"]


async def test_the_longest_query_fits_into_an_address(desk: Desk) -> None:
    longest = "語" * 2000
    answer = await desk.ask("GET", f"/api/articles?query={longest}")
    assert (answer.status, answer.body["articles"]) == (200, [])


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"data": "{", "headers": {"Content-Type": "application/json"}}, 422),
        ({"data": b"\xff", "headers": {"Content-Type": "application/json"}}, 422),
        ({"data": "{}", "headers": {"Content-Type": "application/json"}}, 422),
        ({"data": "[" * 100_000, "headers": {"Content-Type": "application/json"}}, 422),
        ({"data": "query=talks"}, 415),
        ({"json": {"query": "x" * 400_000}}, 413),
        ({"json": {"query": 5}}, 422),
    ],
)
async def test_bodies_that_are_none_are_refused(
    desk: Desk, more: dict[str, Any], status: int
) -> None:
    assert (await desk.ask("POST", "/api/rules/check", **more)).status == status


# --- feeds and deliveries ---


async def test_feeds_say_how_they_do(desk: Desk) -> None:
    listed = (await desk.ask("GET", "/api/feeds")).body
    assert (await desk.ask("GET", "/api/feeds/example-world")).body["origin"] == "file"
    assert [one["id"] for one in listed["feeds"]] == ["example-world"]
    shown = (await desk.ask("GET", "/api/feeds/example-world")).body
    assert (shown["url"], shown["polled_at"]) == ("http://news.example/rss", None)
    assert (await desk.ask("GET", "/api/feeds/none")).status == 404
    assert (await desk.ask("GET", "/api/feeds?limit=1")).body["next"] == "example-world"


async def test_deliveries_are_listed_shown_and_replayed(desk: Desk) -> None:
    delivery = await desk.deliver()
    listed = (await desk.ask("GET", "/api/deliveries?state=pending&target=desk/hook")).body
    assert [one["id"] for one in listed["deliveries"]] == [delivery.id]
    shown = (await desk.ask("GET", f"/api/deliveries/{delivery.id}")).body
    assert (shown["state"], shown["rules"], shown["attempts"]) == ("pending", ["talks"], [])
    again = await desk.ask("POST", f"/api/deliveries/{delivery.id}/replay", Scope.WRITE)
    assert again.status == 200
    assert (await desk.ask("POST", "/api/deliveries/none/replay")).status == 404


# --- silences ---


async def test_silences_are_made_listed_and_ended(desk: Desk) -> None:
    asked = {
        "matchers": 'rule="talks", severity=~"info|warning"',
        "ends_at": (NOW + HOUR).isoformat(),
        "author": "desk",
        "comment": "enough",
    }
    made = await desk.ask("POST", "/api/silences", Scope.WRITE, json=asked)
    assert (made.status, made.body["status"]) == (201, "active")
    roster = Roster(desk.registry, SILENCES)
    await roster.refresh()
    assert [silence.author for silence in roster.values.values()] == ["desk"]
    ended = await desk.ask("DELETE", f"/api/silences/{made.body['id']}")
    assert (ended.status, ended.body) == (204, b"")
    [listed] = (await desk.ask("GET", "/api/silences")).body["silences"]
    assert (listed["id"], listed["status"]) == (made.body["id"], "expired")
    assert (await desk.ask("DELETE", "/api/silences/none")).status == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"matchers": "rule talks"},
        {"matchers": 'rule=~"(["'},
        {"ends_at": NOW.isoformat()},
        {"ends_at": (NOW + 400 * 24 * HOUR).isoformat()},
        {"starts_at": (NOW + 2 * HOUR).isoformat()},
        {"author": ""},
    ],
)
async def test_silences_that_make_no_sense_are_refused(desk: Desk, changes: dict[str, str]) -> None:
    asked = {"matchers": "rule=talks", "ends_at": (NOW + HOUR).isoformat(), "author": "desk"}
    answer = await desk.ask("POST", "/api/silences", json=asked | changes)
    assert answer.status == 422
    assert answer.body["detail"]


# --- operate ---


async def test_the_configuration_is_read_again(desk: Desk) -> None:
    assert (await desk.ask("POST", "/api/reload")).body == {"problems": ""}
    assert (await desk.ask("POST", "/api/reload")).body["problems"].startswith("feeds.yaml:1:1")


# --- the stream ---


async def test_matches_are_told_as_they_come_and_resumed(desk: Desk) -> None:
    async def listen(count: int, **headers: str) -> list[str]:
        lines: list[str] = []
        async with desk.session.get(
            f"{desk.address}/api/stream", headers=desk.headers(Scope.READ) | headers
        ) as response:
            assert response.content_type == "text/event-stream"
            while sum(line.startswith("data:") for line in lines) < count:
                lines.append((await response.content.readline()).decode().strip())
                if lines[-1].startswith("retry:") and not headers:
                    await desk.public.publish(matched(article=article(id="live")), NOW)
        return lines

    await desk.public.publish(matched(article=article(id="before")), NOW)
    fresh = await listen(1)
    assert '"live"' in "".join(fresh)
    assert "event: match" in fresh
    resumed = "".join(await listen(2, **{"Last-Event-ID": "0"}))
    assert resumed.index('"before"') < resumed.index('"live"')


async def test_a_listener_who_does_not_read_gives_its_place_to_others(desk: Desk) -> None:
    assert desk.tail
    assert desk.gate
    app = web.Application()
    app.router.add_get("/stream", Live(desk.tail, desk.gate, timedelta(milliseconds=100)).stream)
    token = desk.headers(Scope.READ)["Authorization"]
    async with serve(app, "127.0.0.1", 0) as address:
        url = urlsplit(address)
        reader, writer = await asyncio.open_connection(url.hostname, url.port, limit=1024)
        writer.write(f"GET /stream HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode())
        await reader.readuntil(b"retry: 3000")
        large = "x" * 500_000
        for n in range(40):
            await desk.public.publish(matched(article=article(id=f"l{n}", body=large)), NOW)
        tail = desk.tail
        await wait_until(lambda: tail.listeners == 0, "its place is free")
        writer.close()


async def test_a_server_that_stops_lets_its_listeners_go(desk: Desk) -> None:
    assert desk.tail
    async with desk.session.get(
        f"{desk.address}/api/stream", headers=desk.headers(Scope.READ)
    ) as response:
        desk.tail.stop()
        async with asyncio.timeout(10):
            assert "retry:" in (await response.read()).decode()
