import io
import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import PurePath

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from monitor.telemetry import LogFormat, Metrics, Redactor, configure_logging

pytestmark = pytest.mark.usefixtures("restored_logging")


def test_json_lines_carry_event_context_and_level() -> None:
    out = io.StringIO()
    configure_logging("info", "json", out)
    with structlog.contextvars.bound_contextvars(trace="t1"):
        structlog.get_logger().info("feed_polled", feed="bbc")
    line = json.loads(out.getvalue())
    assert line["event"] == "feed_polled"
    assert line["feed"] == "bbc"
    assert line["trace"] == "t1"
    assert line["level"] == "info"
    said = datetime.fromisoformat(line["timestamp"])
    assert abs(datetime.now(UTC) - said) < timedelta(minutes=1)
    assert line["timestamp"].endswith("Z")


def test_quiet_levels_are_not_written() -> None:
    out = io.StringIO()
    configure_logging("warning", "json", out)
    structlog.get_logger().info("feed_polled")
    assert out.getvalue() == ""


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_secret_is_blanked_out_wherever_it_stands(style: LogFormat) -> None:
    out = io.StringIO()
    redactor = configure_logging("info", style, out)
    redactor.hide(["https://hooks.example/T0/B0/sesame", "hunter22"])
    log = structlog.get_logger()
    log.info("posted", url="https://hooks.example/T0/B0/sesame", nested={"password": "hunter22"})
    try:
        int("https://hooks.example/T0/B0/sesame")
    except ValueError:
        log.exception("attempt_crashed")
    logging.getLogger("aiohttp").error("login hunter22 refused")
    assert "sesame" not in out.getvalue()
    assert "hunter22" not in out.getvalue()
    assert "***" in out.getvalue()


def test_standard_library_log_lines_have_the_same_form() -> None:
    out = io.StringIO()
    configure_logging("info", "json", out)
    logging.getLogger("aiohttp.client").warning("odd answer")
    assert json.loads(out.getvalue())["event"] == "odd answer"


def test_line_is_written_whatever_it_tells_of() -> None:
    out = io.StringIO()
    configure_logging("info", "json", out)
    log = structlog.get_logger()
    log.info(
        "odd", text="half \ud800 of a pair", words={"é"}, path=PurePath("a"), why=ValueError("no")
    )
    log.info("odd", nested={(1, 2): "three"})
    first, second = map(json.loads, out.getvalue().splitlines())
    assert first["text"] == "half \ud800 of a pair"
    assert "PurePosixPath('a')" in first["path"]
    assert "ValueError('no')" in first["why"]
    assert second["event"] == "odd"


def test_redactor_leaves_words_shorter_than_a_secret_alone() -> None:
    redactor = Redactor()
    redactor.hide(["abc"])
    assert redactor.clean("abc stays") == "abc stays"


def test_secret_with_quotes_is_hidden_in_json() -> None:
    out = io.StringIO()
    configure_logging("info", "json", out).hide(['"hunter"\\22'])
    structlog.get_logger().info("login_refused", password='"hunter"\\22')
    assert json.loads(out.getvalue())["password"] == "***"


def test_nothing_is_left_of_secrets_that_overlap() -> None:
    redactor = Redactor()
    redactor.hide(["sesame-open", "open-door", "sesame-open-door-wide", "me-op"])
    assert redactor.clean("a sesame-open-door b") == "a *** b"
    assert redactor.clean("sesame-open-door-wide") == "***"
    assert redactor.clean("sesame-open, open-door") == "***, ***"


def test_secret_is_hidden_beside_text_that_is_no_unicode() -> None:
    redactor = Redactor()
    redactor.hide(["hunter22", "half \udc80 secret"])
    assert redactor.clean("é \ud800 hunter22 ü") == "é \\ud800 *** ü"
    assert redactor.clean("half \udc80 secret") == "***"


@given(secrets=st.lists(st.text("abé", min_size=6, max_size=9), max_size=9), data=st.data())
def test_no_secret_stands_in_a_cleaned_text(secrets: list[str], data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.sampled_from([*secrets, "a", "é b"]), max_size=9))
    redactor = Redactor()
    redactor.hide(secrets)
    cleaned = redactor.clean("".join(parts))
    assert not any(secret in cleaned for secret in secrets)


def test_exposition_names_every_metric_with_its_prefix() -> None:
    metrics = Metrics()
    metrics.suppressed.labels("no_rule").inc()
    lines = metrics.exposition().decode().splitlines()
    names = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert names
    assert all(name.startswith("monitor_") for name in names)
    assert 'monitor_suppressed_total{reason="no_rule"} 1.0' in lines


def test_two_sets_of_metrics_do_not_share_counts() -> None:
    first, second = Metrics(), Metrics()
    first.polls.labels("unchanged").inc()
    assert 'result="unchanged"' not in second.exposition().decode()
