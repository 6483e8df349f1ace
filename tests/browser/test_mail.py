"""Mails as a browser shows them: at the width of a phone and of a screen, light and dark."""

from collections.abc import AsyncIterator
from typing import Literal

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from monitor.core.render import html, message
from tests.browser.stage import CHROMIUM, chromium
from tests.unit.render.cases import CASES
from tests.unit.render.golden import LINKER

pytestmark = pytest.mark.asyncio(loop_scope="module")

GRAVE = {"serious", "critical"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no chromium on the PATH")
    async with chromium() as opened:
        yield opened


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("name", CASES)
async def test_mail_fits_its_window_loads_nothing_and_can_be_read_by_everybody(
    browser: Browser, name: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    told = CASES[name]()
    context = await browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme
    )
    try:
        page = await context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.set_content(html(message(told, LINKER.links(told))))
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        result = await Axe().run(page)
        found = [each for each in result.response["violations"] if each["impact"] in GRAVE]
        assert found == [], result.generate_report()
        assert asked == []
    finally:
        await context.close()
