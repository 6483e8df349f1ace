"""The page over real HTTP: who may look, what a browser is told, and what buttons do."""

import asyncio
import re
from typing import Any

import pytest
from yarl import URL

from monitor.core.access import Scope, Session, digest
from monitor.core.chapter import Chapter
from monitor.ports import Draft, RecordKind
from monitor.registry import SESSIONS
from monitor.web.page.entry import COOKIE
from tests.factories import NOW, article, match, matched
from tests.integration.web.conftest import SECRETS, Answer, Desk, seen

OURS = {"Sec-Fetch-Site": "same-origin"}
VIEWS = [
    "/",
    "/live",
    "/feeds",
    "/feeds/example-world",
    "/deliveries",
    "/deliveries/d1",
    "/silences",
    "/subscribers",
    "/subscribers/editor",
    "/articles/a1",
    "/stories/a1",
    "/rules",
    "/rules/talks",
    "/editor?rule=talks",
]
BUTTONS = [
    ("/feeds", Scope.WRITE),
    ("/feeds/example-world/poll", Scope.WRITE),
    ("/feeds/example-world/remove", Scope.WRITE),
    ("/deliveries/d1/replay", Scope.WRITE),
    ("/silences", Scope.WRITE),
    ("/silences/s1/expire", Scope.WRITE),
    ("/subscribers/test", Scope.WRITE),
    ("/subscribers/save", Scope.ADMIN),
    ("/subscribers/floods/remove", Scope.ADMIN),
    ("/editor/try", Scope.READ),
    ("/editor/backtest", Scope.READ),
    ("/editor/save", Scope.WRITE),
    ("/rules/floods/remove", Scope.WRITE),
]


async def look(desk: Desk, path: str, **more: Any) -> Answer:
    answer = await desk.ask("GET", path, None, allow_redirects=False, **more)
    return Answer(answer.status, answer.body.decode(), answer.headers)


async def press(desk: Desk, path: str, headers: dict[str, str] = OURS, **form: str) -> Answer:
    answer = await desk.ask("POST", path, None, data=form, headers=headers, allow_redirects=False)
    return Answer(answer.status, answer.body.decode(), answer.headers)


async def sign_in(desk: Desk, scope: Scope = Scope.ADMIN) -> None:
    assert (await press(desk, "/sign-in", token=SECRETS[scope])).status == 303


# --- who may look ---


@pytest.mark.parametrize("path", [*VIEWS, "/?rule=talks"])
async def test_strangers_are_asked_to_sign_in_and_led_back(desk: Desk, path: str) -> None:
    answer = await look(desk, path)
    assert answer.status == 303
    assert URL(answer.headers["Location"]).query["next"] == path
    signed = await press(desk, "/sign-in", token=SECRETS[Scope.READ], next=path)
    assert (signed.status, signed.headers["Location"]) == (303, path)


async def test_a_token_becomes_a_cookie_that_scripts_cannot_read(desk: Desk) -> None:
    signed = await press(desk, "/sign-in", token=SECRETS[Scope.READ])
    cookie = signed.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert SECRETS[Scope.READ] not in cookie
    assert "Secure" not in cookie
    behind = await press(
        desk, "/sign-in", OURS | {"X-Forwarded-Proto": "https"}, token=SECRETS[Scope.READ]
    )
    assert "Secure" in behind.headers["Set-Cookie"].split("; ")
    assert (await look(desk, "/")).status == 303  # the session of this test takes no secure cookie


async def test_a_wrong_token_is_refused_and_guessing_is_slowed(desk: Desk) -> None:
    gate, desk.gate = desk.gate, None
    assert gate
    for _ in range(20):
        answer = await press(desk, "/sign-in", token="mon_wrong")
        assert (answer.status, "not good" in answer.body) == (401, True)
    assert (await press(desk, "/sign-in", token="mon_wrong")).status == 429


async def test_a_session_ends_with_its_token_by_itself_and_by_signing_out(desk: Desk) -> None:
    await sign_in(desk, Scope.WRITE)
    assert (await look(desk, "/")).status == 200
    await desk.registry.remove(RecordKind.TOKEN, digest(SECRETS[Scope.WRITE]), NOW)
    assert (await look(desk, "/")).status == 303
    await sign_in(desk, Scope.READ)
    [kept] = [each for each in desk.session.cookie_jar if each.key == COOKIE]
    assert (await press(desk, "/sign-out")).status == 303
    assert (await look(desk, "/", cookies={COOKIE: kept.value})).status == 303
    over = Session(token=digest(SECRETS[Scope.READ]), expires_at=NOW)
    draft = Draft(id=digest("over"), value=SESSIONS.encode(over))
    await desk.registry.put(RecordKind.SESSION, draft, NOW)
    assert (await look(desk, "/", cookies={COOKIE: "over"})).status == 303


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/feeds\r\nX: y", "/"),
        ("/rules?query=a", "/rules?query=a"),
    ],
)
async def test_signing_in_leads_nowhere_else(desk: Desk, asked: str, led: str) -> None:
    signed = await press(desk, "/sign-in", token=SECRETS[Scope.READ], next=asked)
    assert signed.headers["Location"] == led


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
@pytest.mark.parametrize(
    ("path", "scope"), [("/sign-in", Scope.READ), ("/sign-out", Scope.READ), *BUTTONS]
)
async def test_other_sites_press_no_buttons(
    desk: Desk, path: str, scope: Scope, headers: dict[str, str]
) -> None:
    await sign_in(desk)
    answer = await press(desk, path, headers, token=SECRETS[scope])
    assert (answer.status, "another site" in answer.body) == (403, True)


async def test_a_browser_without_fetch_metadata_says_its_origin(desk: Desk) -> None:
    signed = await press(desk, "/sign-in", {"Origin": desk.address}, token=SECRETS[Scope.READ])
    assert signed.status == 303


@pytest.mark.parametrize(("path", "scope"), BUTTONS)
async def test_buttons_are_for_those_who_may(desk: Desk, path: str, scope: Scope) -> None:
    assert (await press(desk, path)).status == 401
    if scope is not Scope.READ:
        await sign_in(desk, Scope.READ)
        assert (await press(desk, path)).status == 403


# --- what a browser is told ---


@pytest.mark.parametrize(
    "path", ["/sign-in", *(each for each in VIEWS if each not in {"/live", "/deliveries/d1"})]
)
async def test_a_browser_runs_and_loads_nothing_but_ours(desk: Desk, path: str) -> None:
    await sign_in(desk)
    await desk.keep(seen("a1", "Talks", "talks"))
    answer = await look(desk, path)
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    for loaded in re.findall(r'(?:src|<link[^>]* href|action)="([^"]*)"', answer.body):
        assert loaded.startswith("/")
    assert not re.search(r"<style|<script(?! src)| style=| on\w+=", answer.body)
    files = re.findall(r'"(/static/[^"]*)"', answer.body)
    assert len(files) == 3
    for file in files:
        sent = await look(desk, file)
        assert "immutable" in sent.headers["Cache-Control"]
        assert sent.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/static/x/page.js", "/static/x/..%2f..%2fsite.py", "/static/x/%2e%2e"]
)
async def test_only_the_files_of_the_page_are_served(desk: Desk, path: str) -> None:
    assert (await desk.session.get(URL(desk.address + path, encoded=True))).status == 404


# --- matches ---


async def test_matches_are_shown_with_what_was_found_marked(desk: Desk) -> None:
    await sign_in(desk, Scope.READ)
    await desk.keep(seen("a1", "Talks resume in Geneva", "talks"), seen("a2", "Weather"))
    shown = (await look(desk, "/")).body
    assert "<mark>Talks</mark> resume in Geneva" in shown
    assert "Weather" not in shown
    assert 'href="/rules/talks"' in shown


async def test_matches_are_filtered(desk: Desk) -> None:
    await sign_in(desk, Scope.READ)
    await desk.keep(
        seen("a1", "Talks resume", "talks"), seen("a2", "Talks on a vote", "talks", "vote")
    )
    for query, ids in (
        ("rule=vote", ["a2"]),
        ("q=resume", ["a1"]),
        ("feed=example-world", ["a2", "a1"]),
        ("feed=other", []),
        ("lang=EN", ["a2", "a1"]),
        ("lang=fr", []),
        ("severity=critical", []),
        ("severity=nonsense", ["a2", "a1"]),
    ):
        shown = (await look(desk, f"/?{query}")).body
        assert re.findall(r'data-article="(\w+)"', shown) == ids, query
    wrong = (await look(desk, "/?q=talks+AND+(")).body
    assert "at character" in wrong


async def test_older_matches_are_a_page_further(desk: Desk) -> None:
    await sign_in(desk, Scope.READ)
    await desk.keep(*(seen(f"a{n}", f"Talks {n}", "talks") for n in range(45)))
    first = (await look(desk, "/")).body
    [older] = re.findall(r'rel="next" href="([^"]*)"', first)
    second = (await look(desk, older)).body
    assert re.findall(r'data-article="(\w+)"', second) == ["a4", "a3", "a2", "a1", "a0"]
    assert 'rel="next"' not in second
    assert "data-live" not in second


async def test_matches_are_told_as_rows_while_they_come(desk: Desk) -> None:
    await sign_in(desk, Scope.READ)
    await desk.public.publish(matched(article=article(id="x", title="Talks & <b>more</b>")), NOW)
    both = (match(article_id="y"), match(rule_id="vote", article_id="y"))
    await desk.public.publish(matched(article=article(id="y"), matches=both), NOW)
    lines: list[str] = []
    async with desk.session.get(f"{desk.address}/live?rows=1&after=0-1") as response:
        assert response.content_type == "text/event-stream"
        while sum("</article>" in line for line in lines) < 2:
            lines.append((await response.content.readline()).decode())
    told = "".join(lines)
    assert "event: status" in told
    assert "<mark>Talks</mark> &amp; &lt;b&gt;more&lt;/b&gt;" in told
    assert told.index('data-article="x"') < told.index('data-article="y"')
    assert told.count('data-article="y"') == 1  # two rules found it, it is one row
    assert told.count('href="/rules/vote"') == 1
    assert (await look(desk, "/live?after=nonsense")).status == 400


async def test_a_server_that_stops_lets_those_who_look_go(desk: Desk) -> None:
    await sign_in(desk, Scope.READ)
    assert desk.tail
    async with desk.session.get(f"{desk.address}/live") as response:
        desk.tail.stop()
        async with asyncio.timeout(10):
            assert "event: status" in (await response.read()).decode()


# --- feeds, deliveries, silences, subscribers ---


async def test_feeds_are_shown_and_polled(desk: Desk) -> None:
    await sign_in(desk)
    assert "Example World" in (await look(desk, "/feeds?q=WORLD")).body
    assert "0 feeds" in (await look(desk, "/feeds?q=other")).body
    assert "not polled yet" in (await look(desk, "/feeds/example-world")).body
    assert "3 new or edited" in (await press(desk, "/feeds/example-world/poll")).body
    assert (await look(desk, "/feeds/none")).status == 404
    assert (await press(desk, "/feeds/none/poll")).status == 404


async def test_deliveries_are_shown_and_sent_again(desk: Desk) -> None:
    await sign_in(desk)
    delivery = await desk.deliver()
    listed = (await look(desk, "/deliveries?state=pending&target=desk%2Fhook&q=geneva")).body
    assert delivery.id in listed
    assert delivery.id not in (await look(desk, "/deliveries?state=dead")).body
    assert delivery.id in (await look(desk, "/deliveries?state=nonsense")).body
    assert "Talks resume in Geneva" in (await look(desk, f"/deliveries/{delivery.id}")).body
    again = await press(desk, f"/deliveries/{delivery.id}/replay")
    assert (again.status, again.headers["Location"]) == (303, f"/deliveries/{delivery.id}")
    assert (await press(desk, "/deliveries/none/replay")).status == 404


async def test_silences_are_set_and_ended(desk: Desk) -> None:
    await sign_in(desk, Scope.WRITE)
    made = {"matchers": 'rule="talks"', "comment": "<b>enough</b>"}
    assert (await press(desk, "/silences", OURS, **made)).status == 303
    shown = (await look(desk, "/silences")).body
    assert "&lt;b&gt;enough&lt;/b&gt;" in shown
    assert "active" in shown
    [id_] = re.findall(r"/silences/(\w+)/expire", shown)
    assert (await press(desk, f"/silences/{id_}/expire")).status == 303
    assert "expired" in (await look(desk, "/silences")).body
    wrong = await press(desk, "/silences", matchers="rule talks", comment="kept")
    assert (wrong.status, 'value="kept"' in wrong.body) == (422, True)
    assert (await press(desk, "/silences", matchers="")).status == 422
    assert (await press(desk, "/silences/none/expire")).status == 404


async def test_a_target_is_tried(desk: Desk) -> None:
    await sign_in(desk, Scope.WRITE)
    assert "desk/console" in (await look(desk, "/subscribers")).body
    tried = (await press(desk, "/subscribers/test", target="desk/console")).body
    assert "rejected, unauthorized: desk/console says no" in tried
    assert (await press(desk, "/subscribers/test", target="none")).status == 404


MORNINGS = """\
route: {match: {rule: talks}}
schedule: daily at 08:00
targets:
  - console: {}
"""


async def test_a_subscriber_is_added_changed_and_removed(desk: Desk) -> None:
    await sign_in(desk)
    assert "desk@example.org" in (await look(desk, "/subscribers/editor")).body
    saved = await press(desk, "/subscribers/save", name="mornings", text=MORNINGS)
    assert (saved.status, saved.headers["Location"]) == (303, "/subscribers?said=saved")
    shown = (await look(desk, "/subscribers?said=saved")).body
    assert "mornings/console" in shown
    assert "/subscribers/editor?name=mornings" in shown
    assert "/subscribers/editor?name=desk" not in shown
    before = (await look(desk, "/subscribers/editor?name=mornings")).body
    assert "schedule: daily at 08:00" in before
    wrong = MORNINGS.replace("talks", "walks")
    refused = await press(desk, "/subscribers/save", before="mornings", name="mornings", text=wrong)
    assert refused.status == 422
    assert "line 1: unknown rule &#39;walks&#39; (did you mean &#39;talks&#39;?)" in refused.body
    assert "rule: walks" in refused.body
    for name in ("mornings", "desk"):
        taken = await press(desk, "/subscribers/save", name=name, text=MORNINGS)
        assert (taken.status, "already" in taken.body) == (409, True)
    assert (await press(desk, "/subscribers/mornings/remove")).status == 303
    assert "mornings" not in (await look(desk, "/subscribers")).body
    assert (await look(desk, "/subscribers/editor?name=mornings")).status == 404
    assert (await press(desk, "/subscribers/desk/remove")).status == 409


async def test_who_may_not_change_subscribers_sees_so(desk: Desk) -> None:
    await sign_in(desk, Scope.WRITE)
    assert "that needs admin" in (await look(desk, "/subscribers/editor")).body
    assert (await press(desk, "/subscribers/save", name="x", text=MORNINGS)).status == 403


# --- why ---


async def test_an_article_says_what_became_of_it_and_why(desk: Desk) -> None:
    await sign_in(desk, Scope.READ)
    await desk.keep(seen("a1", "Talks resume", "talks", "gone"))
    shown = (await look(desk, "/articles/a1")).body
    assert "seen in Example World" in shown
    assert 'Why <a dir="auto" href="/rules/talks">' in shown
    assert "gone is no longer a rule" in shown
    other = (await look(desk, "/articles/a1?rule=vote")).body
    assert 'Why not <a dir="auto" href="/rules/vote">' in other
    assert (await look(desk, "/articles/none")).status == 404
    delivery = await desk.deliver()
    assert "<mark>Talks</mark> resume" in (await look(desk, f"/articles/{delivery.id}")).body


async def test_a_story_shows_its_articles_and_sources(desk: Desk) -> None:
    await sign_in(desk, Scope.READ)
    await desk.keep(
        seen("a1", "Talks resume in Geneva", "talks"),
        seen("a2", "Talks resume in Geneva, again", "talks"),
        Chapter(
            article=article(id="a3", title="TALKS RESUME in Geneva - Other", feed_name="Other")
        ),
        seen("a4", "", "talks"),
    )
    for id_ in ("a1", "a3"):
        shown = (await look(desk, f"/stories/{id_}")).body
        assert re.findall(r'data-article="(\w+)"', shown) == ["a1", "a3"]
        assert "2 articles in 2 sources" in shown
    assert "1 article in 1 source" in (await look(desk, "/stories/a4")).body
    assert (await look(desk, "/stories/none")).status == 404


# --- rules ---


async def test_rules_are_listed_with_what_they_found(desk: Desk) -> None:
    await sign_in(desk, Scope.READ)
    await desk.keep(seen("a1", "Talks", "talks"), seen("a2", "Talks again", "talks"))
    shown = (await look(desk, "/rules?q=TALKS")).body
    assert 'aria-label="2 matches of talks"' in shown
    assert "/rules/vote" not in shown
    one = (await look(desk, "/rules/talks")).body
    assert "rules.yaml:2" in one
    assert "found, as it must be:" in one
    assert "found, but must not be:" in one
    assert (await look(desk, "/rules/none")).status == 404


async def test_a_mistake_is_marked_at_its_place(desk: Desk) -> None:
    await sign_in(desk, Scope.READ)
    answer = (await press(desk, "/editor/try", query="talks AND (vote")).body
    assert 'data-position="10"' in answer
    assert "<html" not in answer


async def test_a_query_is_previewed_with_its_tree_and_examples(desk: Desk) -> None:
    await sign_in(desk, Scope.READ)
    await desk.keep(seen("a1", "Talks resume"), seen("a2", "Vote on talks", "vote"))
    answer = (
        await press(
            desk, "/editor/try", query="talks AND NOT vote", match="Talks\n\nNews", no_match="Talks"
        )
    ).body
    assert re.findall(r'data-article="(\w+)"', answer) == ["a1"]
    assert "1 in 7 days" in answer
    assert answer.count('class="yes"') == 1
    assert answer.count('class="no"') == 2
    assert "NOT vote" in answer
    empty = (await press(desk, "/editor/try", query="unheard")).body
    assert "It finds nothing" in empty


async def test_a_backtest_draws_days_and_says_what_a_change_gains_and_loses(desk: Desk) -> None:
    await sign_in(desk, Scope.READ)
    await desk.keep(
        seen("a1", "Talks resume", "talks"),
        seen("a2", "Talks fail", "talks"),
        seen("a3", "Council"),
    )
    form = {"query": "council OR resume", "rule": "talks", "period": "7d"}
    shown = (await press(desk, "/editor/backtest", OURS, **form)).body
    assert "<title>2026-01-15: 2 articles, 2 stories</title>" in shown
    assert shown.count("<rect") == 2 * 8
    assert "+1</b> gained" in shown
    assert re.search(r"1</b> lost", shown)
    broken = (await press(desk, "/editor/backtest", query="(")).body
    assert "data-position=" in broken
    assert "<svg" not in broken
