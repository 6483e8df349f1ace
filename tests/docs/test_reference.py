import re
from enum import StrEnum
from pathlib import Path

import pytest

from monitor.core.fulltext import PageOutcome
from monitor.core.outcome import DeliveryReason, Suppression
from monitor.errors import FeedReason
from monitor.telemetry import Metrics

METRICS_PAGE = Path(__file__).parents[2] / "docs/reference/metrics.md"


def _first_cells(section: str) -> set[str]:
    return set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))


@pytest.fixture(scope="module")
def sections() -> list[str]:
    return METRICS_PAGE.read_text().split("\n## ")


def test_every_metric_is_documented_and_every_documented_metric_exists(sections: list[str]) -> None:
    exposed = Metrics().exposition().decode()
    kinds = re.findall(r"^# TYPE (\S+) (\w+)$", exposed, re.MULTILINE)
    # prometheus_client adds the time of creation of each series; that is its own affair.
    names = {name for name, _ in kinds if not name.endswith("_created")}
    assert _first_cells(sections[0]) == names


@pytest.mark.parametrize(
    ("number", "reasons"),
    [(1, Suppression), (2, FeedReason), (3, DeliveryReason), (-1, PageOutcome)],
)
def test_every_reason_is_documented_and_every_documented_reason_exists(
    sections: list[str], number: int, reasons: type[StrEnum]
) -> None:
    assert _first_cells(sections[number]) == {reason.value for reason in reasons}
