"""Draws the page as a browser shows it, with a fortnight in its archive: `python docs/images/draw_page.py [FOLDER]`.

Needs Chromium and Playwright. Without a folder the pictures of the documentation are made again, beside this file.
"""
# ruff: noqa: INP001, T201 - a script, not part of a package

import asyncio
import random
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from playwright.async_api import Browser, async_playwright

from monitor.archive.sqlite import open_sqlite
from monitor.config.load import load
from monitor.config.settings import Settings
from monitor.core.chapter import Chapter
from monitor.core.model import Article
from monitor.demo.script import OUTLETS, Piece, load_script
from tests.acceptance.daemon import monitor, running
from tests.servers.feeds import FeedServer, document, feed_server, status
from tests.servers.hooks import HookServer, Reply
from tests.wait import wait_until

HERE = Path(__file__).parent
CONFIG = HERE.parents[1] / "config"
PIECES = [piece for piece in load_script() if not piece.stale]
BY_OUTLET = {each.id: each for each in OUTLETS}
DAYS = 14
FEW = 4  # alerts of those that come while the pictures are taken
VIEWS = {
    "matches": "/",
    "rules": "/rules",
    "rule": "/rules/un-resolution",
    "editor": "/editor?rule=lavrov",
    "feeds": "/feeds",
    "feed": "/feeds/rheinkurier",
    "deliveries": "/deliveries",
    "silences": "/silences",
    "subscribers": "/subscribers",
    "subscriber": "/subscribers/editor",
    "sign-in": "/sign-in",
}
SIZES = {"wide": (1120, 700), "phone": (390, 844)}
KEPT = {("matches", "wide", "light"), ("matches", "phone", "dark"), ("backtest", "wide", "light")}


async def main(folder: Path, *, kept_only: bool) -> None:
    """Fill a store, start monitor, and take every picture."""
    with TemporaryDirectory() as name:
        directory = Path(name) / "config"
        async with HookServer() as hook, feed_server() as feeds:
            hook.replies.extend([Reply(status=400, text="no such room")] * 3)
            write(directory, feeds, hook)
            settings = load(directory, {"MONITOR_DATA": str(Path(name) / "data")})
            await fill(settings)
            environment = {"MONITOR_DATA": str(Path(name) / "data")}
            async with running("--config", directory, env=environment) as daemon:
                address = await daemon.address()
                await wait_until(lambda: len(hook.received) > FEW, "alerts are sent", 60)
                made = await asyncio.to_thread(
                    monitor,
                    "tokens",
                    "create",
                    "desk",
                    "--scope",
                    "admin",
                    "--config",
                    directory,
                    **environment,
                )
                async with chromium() as browser:
                    await take(browser, address, made.stdout.strip(), folder, kept_only=kept_only)


def write(directory: Path, feeds: FeedServer, hook: HookServer) -> None:
    """Write a configuration: the rules that come with the program, and feeds of our own."""
    shutil.copytree(CONFIG, directory)
    listed = []
    for outlet in OUTLETS:
        pieces = [piece for piece in PIECES if piece.feed == outlet.id][-1:]
        url = feeds.script(f"/{outlet.id}", document(rss(outlet.name, pieces)))
        listed.append(
            {"id": outlet.id, "name": outlet.name, "url": url, "lang": outlet.lang, "since": "900d"}
        )
    listed[6]["url"] = feeds.script("/gone", status(503))
    files = {
        "monitor": {"listen": {"port": 0}, "network": {"allow": ["127.0.0.0/8"]}},
        "feeds": {"feeds": listed},
        "subscribers": {
            "subscribers": [
                {"name": "un-desk", "targets": [{"webhook": {"url": hook.url}}, {"console": {}}]},
                {"name": "moscow-desk", "targets": [{"webhook": {"url": hook.url + "/moscow"}}]},
            ],
            "route": {
                "subscriber": "un-desk",
                "routes": [
                    {"match": {"rule": "lavrov"}, "subscriber": "moscow-desk", "continue": True}
                ],
            },
        },
    }
    for name, content in files.items():
        (directory / f"{name}.yaml").write_text(yaml.safe_dump(content, allow_unicode=True))


def rss(name: str, pieces: list[Piece]) -> str:
    """Write a feed."""
    stamp = format(datetime.now(UTC), "%a, %d %b %Y %H:%M:%S GMT")
    items = "".join(
        f"<item><title>{escape(each.title)}</title><link>https://news.example{each.path}</link>"
        f"<guid>{each.id}</guid><pubDate>{stamp}</pubDate><description>{escape(each.summary)}</description></item>"
        for each in pieces
    )
    return f"<rss version='2.0'><channel><title>{escape(name)}</title>{items}</channel></rss>"


async def fill(settings: Settings) -> None:
    """Archive a fortnight of articles."""
    chance, now = random.Random(7), datetime.now(UTC)  # noqa: S311 - a picture
    ages = sorted((chance.uniform(0.02, DAYS) for _ in range(600)), reverse=True)
    chapters = []
    for number, age in enumerate(ages):
        piece = chance.choice(PIECES)
        outlet = BY_OUTLET[piece.feed]
        article = Article(
            id=f"{number:016x}",
            feed_id=outlet.id,
            feed_name=outlet.name,
            lang=outlet.lang,
            url=f"https://news.example{piece.path}",
            title=piece.title,
            summary=piece.summary,
            body=piece.body,
            seen_at=now - timedelta(days=age),
            fingerprint=str(number),
            trace_id="t",
        )
        found = settings.rule_set.match(article, now)
        chapters.append(Chapter(article=article, matches=found))
    async with open_sqlite(settings.archive.path) as archive:
        await archive.add(chapters)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start Debian's Chromium."""
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield browser
        await browser.close()


async def take(
    browser: Browser, address: str, token: str, folder: Path, *, kept_only: bool
) -> None:
    """Take the pictures."""
    for size, (width, height) in SIZES.items():
        for scheme in ("light", "dark"):
            context = await browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,  # type: ignore[arg-type]
                locale="en-GB",
                timezone_id="Europe/Vienna",
            )
            page = await context.new_page()
            page.on("console", lambda said: print("console:", said.text))
            page.on("pageerror", lambda error: print("error:", error))
            await page.goto(address)
            await page.fill("#secret", token)
            await page.click("button")
            for name in [*VIEWS, "why", "story", "delivery", "mistake", "backtest", "keys"]:
                if kept_only and (name, size, scheme) not in KEPT:
                    continue
                if name in VIEWS:
                    await page.goto(address + VIEWS[name])
                elif name == "why":
                    await page.goto(address)
                    await page.locator("a.why").first.click()
                elif name == "story":
                    await page.goto(address)
                    await page.locator("text=story").first.click()
                elif name == "delivery":
                    await page.goto(address + "/deliveries?state=dead")
                    await page.locator("a.open").first.click()
                elif name == "mistake":
                    await page.goto(address + "/editor")
                    await page.fill(
                        "#query",
                        '(UN OR "Security Council") NEAR/8 (resolution* OR draft\n  AND NOT sport',
                    )
                    await page.wait_for_selector("[data-position]")
                elif name == "keys":
                    await page.goto(address)
                    await page.keyboard.press("?")
                else:
                    await page.goto(address + "/editor?rule=lavrov")
                    await page.fill(
                        "#query", "entity:lavrov NEAR/12 (Geneva OR Genf OR женев* OR syri*)"
                    )
                    await page.select_option("#period", "30d")
                    await page.click("text=Backtest")
                await page.wait_for_load_state("load")
                await page.wait_for_timeout(300)
                path = folder / f"page-{name}-{size}-{scheme}.png"
                await page.screenshot(path=path, full_page=False, animations="disabled")
            await context.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if sys.argv[1:] else HERE, kept_only=not sys.argv[1:]))
