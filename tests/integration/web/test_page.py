"""The page over real HTTP: who may look, what a browser is told, and what buttons do."""

import re
from typing import Any

import pytest
from yarl import URL

from monitor.core.access import Scope, Session, digest
from monitor.ports import Draft, RecordKind
from monitor.registry import SESSIONS
from monitor.web.page.entry import COOKIE
from tests.factories import NOW, article, match, matched
from tests.integration.web.conftest import SECRETS, Answer, Desk, seen

OURS = {"Sec-Fetch-Site": "same-origin"}
VIEWS = ["/", "/live"]
BUTTONS: list[tuple[str, Scope]] = []


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


# --- what a browser is told ---


@pytest.mark.parametrize("path", ["/", "/sign-in"])
async def test_a_browser_runs_and_loads_nothing_but_ours(desk: Desk, path: str) -> None:
    await sign_in(desk)
    answer = await look(desk, path)
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    for attribute in re.findall(r'(?:src|href|action)="([^"]*)"', answer.body):
        assert attribute.startswith(("/", "#"))
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
    await desk.public.publish(matched(article=article(id="x", title="<b>Talks</b> & more")), NOW)
    both = (match(article_id="y"), match(rule_id="vote", article_id="y"))
    await desk.public.publish(matched(article=article(id="y"), matches=both), NOW)
    lines: list[str] = []
    async with desk.session.get(f"{desk.address}/live?rows=1&after=0-1") as response:
        assert response.content_type == "text/event-stream"
        while sum("</article>" in line for line in lines) < 2:
            lines.append((await response.content.readline()).decode())
    told = "".join(lines)
    assert "event: status" in told
    assert "&lt;b&gt;Talks&lt;/b&gt;" in told or "&lt;b&gt;<mark>" in told
    assert told.index('data-article="x"') < told.index('data-article="y"')
    assert told.count('data-article="y"') == 1  # two rules found it, it is one row
    assert told.count('href="/rules/vote"') == 1
    assert (await look(desk, "/live?after=nonsense")).status == 400
