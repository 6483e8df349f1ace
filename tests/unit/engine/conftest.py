"""Each test of the engine that asks for `native` is run with both implementations."""

import pytest

from monitor.core.compiled import Native
from tests.matchers import MATCHERS


@pytest.fixture(params=MATCHERS)
def native(request: pytest.FixtureRequest) -> Native | None:
    """The compiled module, or nothing to match in Python alone."""
    return MATCHERS[request.param]
