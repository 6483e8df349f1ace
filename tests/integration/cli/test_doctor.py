"""`monitor doctor`: what it says of real receivers, relays and stores that are well or not."""

import pytest

from tests.integration.cli.conftest import Desk


def test_it_looks_at_everything_and_names_what_is_bad(desk: Desk) -> None:
    desk.write({"webhook": {"url": "https://nowhere.invalid/hook", "secret_file": "key"}})
    said = desk.monitor("doctor")
    assert said.exit_code == 1
    lines = said.output.splitlines()
    names = [line[5:21].strip() for line in lines if not line.startswith(" ")]
    for name in ("configuration", "machine", "disk", "store", "matcher", "archive"):
        assert name in names
    [bad] = [line for line in lines if line.startswith("BAD") and "target" in line]
    assert "dns" in bad
    assert (
        lines[lines.index(bad) + 1].strip()
        == "-> put it right, then: monitor targets test desk/webhook"
    )


def test_store_that_cannot_be_opened_is_one_finding(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Desk(desk.config, "redis://127.0.0.1:1/0", monkeypatch)
    said = broken.monitor("doctor")
    assert said.exit_code == 1
    assert "BAD  store            the server cannot be used" in said.output
    assert "target desk/webhook" in said.output
