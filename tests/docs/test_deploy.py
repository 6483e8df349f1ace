"""What is shipped for operators fits the product: metrics exist, rules hold, the unit starts what there is."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from monitor.telemetry import Metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = re.compile(r"\bmonitor_[a-z_]+\b")


def exposed() -> set[str]:
    text = Metrics().exposition().decode()
    return set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))


def plain(name: str) -> str:
    return re.sub(r"_(count|sum|bucket)$", "", name)


@pytest.mark.parametrize(
    "file", ["prometheus/alerts.yaml", "prometheus/tests.yaml", "grafana/monitor.json"]
)
def test_every_metric_that_is_asked_for_exists(file: str) -> None:
    names = {plain(name) for name in NAME.findall((DEPLOY / file).read_text())}
    assert names
    assert names <= exposed()


def test_the_dashboard_can_be_loaded() -> None:
    dashboard = json.loads((DEPLOY / "grafana/monitor.json").read_text())
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    assert all(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])


def test_alert_rules_hold() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    tested = subprocess.run(
        [promtool, "test", "rules", str(DEPLOY / "prometheus/tests.yaml")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr
