"""The page in a real browser, over a monitor at work."""

import re
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.browser.stage import Stage
from tests.servers.hooks import Reply
from tests.wait import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")

VIEWS = (
    "/",
    "/?q=talks+AND+(",
    "/rules",
    "/rules/talks",
    "/editor?rule=talks",
    "/feeds",
    "/feeds/one",
    "/deliveries",
    "/silences",
    "/subscribers",
    "/subscribers/editor",
)
IN_THE_DARK = (
    "/",
    "/?q=talks+AND+(",
    "/rules/talks",
    "/editor?rule=talks",
    "/feeds",
    "/deliveries",
)
PAYLOADS = (
    "<script>hurt()</script>",
    "<img src=x onerror=hurt()>",
    '"><svg onload=hurt()>',
    "' autofocus onfocus=hurt() x='",
    "</title><script>hurt()</script>",
    "</textarea><script>hurt()</script>",
    "<iframe srcdoc='<script>parent.hurt()</script>'></iframe>",
    "<a href=javascript:hurt()>x</a>",
    "{{ hurt() }} {% raw %} ${hurt()} <%= hurt() %>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=hurt()>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "\u2028\u2029\u0000<!--<img src=--><img src=x onerror=hurt()>",
)
LINKS = (
    "javascript:hurt()",
    "JaVaScRiPt:hurt()",
    "data:text/html,<script>hurt()</script>",
    "vbscript:hurt()",
    'https://news.example/" onmouseover="hurt()',
    "//evil.example/x",
)


async def row(page: Page, title: str) -> Any:
    found = page.locator(".row", has_text=title).first
    await found.wait_for()
    return found


async def test_a_match_appears_without_a_reload(stage: Stage) -> None:
    async with stage.page() as page:
        await expect(page.locator("#live")).to_have_text("Live")
        await page.evaluate("window.before = true")
        stage.publish("Talks resume in Geneva")
        found = await row(page, "resume in Geneva")
        assert await found.locator("mark").first.inner_text() == "Talks"
        assert await page.evaluate("window.before") is True
        stage.publish("Talks and votes")
        both = await row(page, "and votes")
        await expect(both.locator(".rule")).to_have_count(2)
        await expect(both.locator(".tag.critical")).to_be_visible()
    async with stage.page("/?rule=vote") as page:
        await expect(page.locator(".row", has_text="and votes")).to_have_count(1)
        await expect(page.locator(".row", has_text="resume in Geneva")).to_have_count(0)


async def test_a_query_is_tried_while_it_is_typed(stage: Stage) -> None:
    stage.publish("Talks on the weather")
    async with stage.page("/?q=weather") as page:
        await row(page, "on the weather")
    async with stage.page("/editor") as page:
        await page.fill("#query", "talks AND (weather")
        await expect(page.locator(".backdrop mark")).to_have_text("(")
        await expect(page.locator("#query")).to_have_attribute("aria-invalid", "true")
        await page.fill("#query", "talks AND weather")
        found = page.locator("#answer .row")
        await expect(found).to_have_count(1)
        assert await found.locator("mark").all_inner_texts() == ["Talks", "weather"]
        await expect(page.locator(".backdrop mark")).to_have_count(0)
        await page.click("text=Examples")
        await page.fill("#match", "Talks on the weather\nNothing")
        await expect(page.locator("#answer .examples .no")).to_have_count(1)
        await page.click("text=Backtest")
        await expect(page.locator("svg.chart rect.stories").last).to_be_visible()


async def test_a_rule_is_written_tried_saved_told_of_and_removed(stage: Stage) -> None:
    async with stage.page("/") as live, stage.page("/editor") as page:
        await page.fill("#query", "monsoon* AND (rain")
        await expect(page.locator(".backdrop mark")).to_have_text("(")
        await page.fill("#query", "monsoon*")
        await expect(page.locator("#answer .tree")).to_be_visible()
        await page.fill("#id", "talks")
        await page.click("#save")
        await expect(page.locator("#wrong")).to_contain_text("already")
        await page.fill("#id", "monsoons")
        await page.focus("#query")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator(".notice")).to_contain_text("saved and in force")
        stage.publish("Monsoon reaches the coast")
        await row(live, "reaches the coast")

        def told() -> bool:
            return any("reaches the coast" in each.body.decode() for each in stage.slack.received)

        await wait_until(told, "the subscriber is told")
        await page.click("text=Remove it")
        await page.click("form[action$=remove] button")
        await expect(page.locator(".notice")).to_contain_text("removed")
        stage.publish("Monsoon ends")
        stage.publish("Talks after the rains")
        await row(live, "after the rains")
        assert await live.locator(".row", has_text="Monsoon ends").count() == 0


async def test_a_silence_is_set_and_holds_for_the_next_match(stage: Stage) -> None:
    async with stage.page("/rules/talks") as page:
        await page.click("text=Silence it")
        await expect(page.locator("#matchers")).to_have_value('rule="talks"')
        await page.fill("#comment", "enough of it")
        await page.click("form.card button")
        await expect(page.locator("td", has_text="active")).to_be_visible()
        stage.publish("Talks that nobody hears of")
        await page.goto("/")
        found = await row(page, "nobody hears")
        await found.locator(".why").click()

        async def told() -> bool:
            await page.reload()
            return "silenced" in "".join(await page.locator(".events").all_inner_texts())

        await wait_until(told, "the article says that it was silenced")
        await page.goto("/silences")
        await page.click("text=End now")
        await expect(page.locator("td", has_text="expired")).to_be_visible()


async def test_a_dead_letter_is_sent_again(stage: Stage) -> None:
    stage.publish("A vote that nobody takes")
    async with stage.page("/deliveries") as page:
        dead = page.locator("tr", has_text="nobody takes").filter(has_text="night/webhook")

        async def is_dead() -> bool:
            await page.goto("/deliveries?state=dead")
            return await dead.count() == 1

        await wait_until(is_dead, "it is dead")
        stage.refusing.default = Reply()
        await dead.locator("button").click()
        await expect(page.locator("h1")).to_have_text("A vote that nobody takes")

        async def is_delivered() -> bool:
            await page.reload()
            return "delivered" in await page.locator("dl.facts").inner_text()

        await wait_until(is_delivered, "it is delivered")


async def test_a_test_is_sent_and_a_reader_unsubscribes(stage: Stage) -> None:
    before = len(stage.slack.received)
    stage.publish("Talks for a reader")
    await wait_until(lambda: len(stage.slack.received) > before, "the reader is told")
    async with stage.page(stage.links()["Why this alert"]) as page:
        await page.click("nav >> text=Unsubscribe")
        await page.click("button")
        await expect(page.locator("h1")).to_contain_text("is unsubscribed")
        link = page.url
        await page.goto("/subscribers")
        target = page.locator("tr", has_text="desk/slack")
        await expect(target).to_contain_text("unsubscribed by its reader")
        await target.locator("button").click()
        await expect(page.locator(".notice")).to_contain_text("delivered")
        await page.goto(link)
        await page.click("text=Subscribe again")
        await expect(page.locator("h1")).to_contain_text("Unsubscribe")


async def test_a_subscriber_is_added_told_changed_and_removed(stage: Stage) -> None:
    async with stage.page("/subscribers") as page:
        await page.click("text=Add a subscriber")
        await page.fill("#name", "dawn")
        hook = f"targets: [{{webhook: {{url: {stage.slack.url}/dawn}}}}]\n"
        await page.fill("#text", "route: {match: {rule: vots}}\n" + hook)
        await page.click("main button >> text=Save")
        await expect(page.locator("#wrong")).to_contain_text("line 1: unknown rule 'vots'")
        await expect(page.locator("#text")).to_have_attribute("aria-invalid", "true")
        await page.fill("#text", "route: {match: {rule: vote}}\n" + hook)
        await page.click("main button >> text=Save")
        await expect(page.locator(".notice")).to_contain_text("told from now on")
        await expect(page.locator("tr", has_text="dawn/webhook")).to_be_visible()
        stage.publish("Votes at dawn")

        def told() -> bool:
            return any(each.path.endswith("/dawn") for each in stage.slack.received)

        await wait_until(told, "the new subscriber is told")
        await page.click("text=Change dawn")
        await expect(page.locator("#text")).to_contain_text("rule: vote")
        await page.click("text=Remove it")
        await page.click("form[action$=remove] button")
        await expect(page.locator(".notice")).to_contain_text("removed")
        await expect(page.locator("tr", has_text="dawn/webhook")).to_have_count(0)


async def test_what_feeds_and_rules_say_is_text(stage: Stage) -> None:
    for number, payload in enumerate(PAYLOADS):
        stage.publish(f"hostile {number} {payload}", summary=payload)
    for number, link in enumerate(LINKS):
        stage.publish(f"hostile link {number}", link=link)
    last = f"hostile link {len(LINKS) - 1}"
    async with stage.page() as page:
        await row(page, last)
        await page.goto("/")
        await row(page, last)
        for href in await page.locator(".row h2 a").evaluate_all("all => all.map(one => one.href)"):
            assert re.match("https?://", href)
        hosts = await page.locator(".row h2 a").evaluate_all("all => all.map(one => one.host)")
        assert set(hosts) <= {"news.example", "evil.example"}
        why = await page.locator("a.why").evaluate_all("all => all.map(one => one.pathname)")

        async def are_archived() -> bool:
            answers = [await page.request.get(stage.address + why[at]) for at in (0, -1)]
            return all(answer.ok for answer in answers)

        await wait_until(are_archived, "first and last are archived")
        stage.errors.clear()
        for path in (
            *VIEWS,
            why[0],
            why[-1],
            why[0].replace("articles", "stories"),
            "/rules/hostile",
        ):
            await page.goto(path)
            await page.wait_for_load_state()
            assert await page.evaluate("typeof hurt") == "undefined"
            assert await page.locator("iframe, base, math, img, [onerror], [onload]").count() == 0
    assert stage.errors == []
    assert {url for url in stage.asked if not url.startswith(stage.address)} == set()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(stage: Stage, scheme: Any) -> None:
    stage.publish(f"Talks in {scheme}")
    async with stage.page(scheme=scheme) as page:
        found = await row(page, f"in {scheme}")
        why = await found.locator(".why").get_attribute("href")
        for path in (
            *(VIEWS if scheme == "light" else IN_THE_DARK),
            why,
            why.replace("articles", "stories"),
            "/rules/none",
            "/sign-in",
        ):
            await page.goto(path)
            result = await Axe().run(page)
            assert result.response["violations"] == [], (path, result.generate_report())


async def test_every_view_fits_the_narrowest_phone(stage: Stage) -> None:
    async with stage.page(width=320) as page:
        for path in VIEWS:
            await page.goto(path)
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 320, path


async def test_keys_lead_everywhere(stage: Stage) -> None:
    stage.publish("Talks by key")
    async with stage.page() as page:
        await row(page, "by key")
        await page.keyboard.press("j")
        await expect(page.locator(".row:focus")).to_have_count(1)
        await page.keyboard.press("/")
        await expect(page.locator("#q")).to_be_focused()
        await page.keyboard.press("Escape")
        await page.keyboard.press("?")
        await expect(page.locator("#keys")).to_be_visible()
        await page.keyboard.press("Escape")
        await page.keyboard.press("j")
        await page.keyboard.press("w")
        await expect(page).to_have_url(re.compile("/articles/"))
        await page.keyboard.press("g")
        await page.keyboard.press("f")
        await expect(page).to_have_url(re.compile("/feeds$"))


async def test_without_script_everything_is_still_there(stage: Stage) -> None:
    stage.publish("Talks for all")
    async with stage.page(script=False) as page:

        async def is_there() -> bool:
            await page.reload()
            return await page.locator(".row", has_text="for all").count() == 1

        await wait_until(is_there, "the match is archived")
        await page.goto("/editor")
        await page.fill("#query", "talks AND (")
        await page.click("text=Backtest")
        await expect(page.locator("[data-position]")).to_be_visible()
