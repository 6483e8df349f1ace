"""A monitor at work, with feeds that the test writes, receivers that it reads, and a browser that looks."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Literal

from aiohttp import web
from playwright.async_api import Browser, Page, StorageState, async_playwright

from tests import configuration
from tests.acceptance.daemon import monitor, running
from tests.servers.feeds import document, feed_server
from tests.servers.hooks import HookServer, Reply
from tests.servers.valkey import free_ports

CHROMIUM = shutil.which("chromium")
RULES: dict[str, Any] = {
    "talks": {"query": "talks", "name": "Talks", "examples": {"match": ["Talks resume"]}},
    "vote": {"query": "vote*", "name": "Votes", "severity": "critical"},
    "hostile": {"query": "hostile", "name": "<img src=x onerror=hurt()>\"'`${hurt()}"},
}


@dataclass(frozen=True, kw_only=True)
class Item:
    """What a feed has."""

    title: str
    link: str = "https://news.example/1"
    summary: str = ""


@dataclass
class Stage:
    """What a test looks at, and what it can move."""

    address: str
    config: Path
    browser: Browser
    slack: HookServer
    refusing: HookServer
    items: list[Item]
    signed_in: StorageState | None = None
    errors: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    def publish(self, title: str, **more: str) -> None:
        """Put an article into the feed."""
        number = len(self.items) + 1
        self.items.append(Item(title=title, **{"link": f"https://news.example/{number}", **more}))

    @asynccontextmanager
    async def page(
        self,
        path: str = "/",
        *,
        width: int = 1280,
        scheme: Literal["light", "dark"] = "light",
        script: bool = True,
    ) -> AsyncIterator[Page]:
        """Open a page, signed in; note what it complains of and what it asks for."""
        context = await self.browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            java_script_enabled=script,
            storage_state=self.signed_in,
            base_url=self.address,
        )
        context.set_default_timeout(15_000)
        page = await context.new_page()
        page.on(
            "console", lambda said: self.errors.append(said.text) if said.type == "error" else None
        )
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: self.errors.append(dialog.message))
        page.on("request", lambda request: self.asked.add(request.url))
        try:
            await page.goto(path)
            yield page
        finally:
            await context.close()

    def links(self) -> dict[str, str]:
        """Return the links behind the buttons of the newest message to Slack, by what stands on them."""
        blocks = json.loads(self.slack.received[-1].body)["blocks"]
        [buttons] = [block["elements"] for block in blocks if block["type"] == "actions"]
        return {each["text"]["text"]: each["url"] for each in buttons}


@asynccontextmanager
async def open_stage(directory: Path) -> AsyncIterator[Stage]:
    """Start everything, and sign in."""
    async with AsyncExitStack() as stack:
        feeds = await stack.enter_async_context(feed_server())
        slack = await stack.enter_async_context(HookServer())
        refusing = await stack.enter_async_context(HookServer(default=Reply(status=400)))
        items: list[Item] = []
        (port,) = free_ports(1)
        address = f"http://127.0.0.1:{port}"
        config = await asyncio.to_thread(
            _write, directory, feeds.script("/feed", _feed(items)), slack, refusing, address, port
        )
        daemon = await stack.enter_async_context(running("--config", config))
        await daemon.address()
        browser = await stack.enter_async_context(chromium())
        stage = Stage(address, config, browser, slack, refusing, items)
        token = await asyncio.to_thread(
            monitor, "tokens", "create", "desk", "--scope", "admin", "--config", config
        )
        async with stage.page("/sign-in") as page:
            await page.fill("#secret", token.stdout.strip())
            await page.click("text=Sign in >> nth=-1")
            await page.wait_for_selector("#rows")
            stage.signed_in = await page.context.storage_state()
        yield stage


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run Debian's Chromium."""
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


def _write(
    directory: Path, feed: str, slack: HookServer, refusing: HookServer, address: str, port: int
) -> Path:
    config = configuration.write(
        directory / "config",
        monitor={
            "store": {"directory": str(directory / "data")},
            "listen": {"port": port},
            "web": {"public_url": address},
        },
        feeds={"one": {"url": feed, "name": "The <b>Herald</b>", "every": "200ms", "since": "30d"}},
        rules=RULES,
        subscribers={
            "desk": [{"slack": {"webhook_url_file": "slack-url"}, "rate": "1000/s"}],
            "night": [{"webhook": {"url": refusing.url}}],
        },
        route={
            "subscriber": "desk",
            "routes": [{"match": {"rule": "vote"}, "subscriber": "night", "continue": True}],
        },
    )
    (config / "slack-url").write_text(slack.url)
    return config


def _feed(items: list[Item]) -> Any:
    async def answer(request: web.Request) -> web.StreamResponse:
        stamp = format(datetime.now(UTC), "%a, %d %b %Y %H:%M:%S GMT")
        entries = "".join(
            f"<item><title>{escape(escape(each.title))}</title><link>{escape(each.link)}</link>"
            f"<guid isPermaLink='false'>{number}</guid><pubDate>{stamp}</pubDate>"
            f"<description>{escape(escape(each.summary))}</description></item>"
            for number, each in enumerate(items)
        )
        rss = f"<rss version='2.0'><channel><title>x</title>{entries}</channel></rss>"
        return await document(rss)(request)

    return answer
