"""One monitor and one browser for the tests of a file."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser.stage import CHROMIUM, Stage, open_stage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    if CHROMIUM is None:
        pytest.skip("there is no chromium on the PATH")
    async with open_stage(tmp_path_factory.mktemp("browser")) as opened:
        yield opened
