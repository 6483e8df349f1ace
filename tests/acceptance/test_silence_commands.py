"""`monitor silence` as its users run it, on a real server."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.cli.routes import routes
from monitor.cli.silence import silence

RULES = """\
rules:
  - {id: syria, query: Syria, labels: {region: middle-east}}
"""
SUBSCRIBERS = """\
subscribers:
  - name: desk
    targets: [{console: {}}]
inhibit_rules:
  - {source_matchers: severity=critical, target_matchers: severity=info}
route: {subscriber: desk}
"""


@pytest.fixture
def config(tmp_path: Path, empty_server_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REDIS_URL", empty_server_url)
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "subscribers.yaml").write_text(SUBSCRIBERS)
    return tmp_path


def run(config: Path, *arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(
        silence, [arguments[0], "--config", str(config), *arguments[1:]], **options
    )


def test_silence_is_added_listed_tried_and_ended(config: Path) -> None:
    assert run(config, "list").stdout.endswith("no silences\n")
    added = run(
        config, "add", "rule=syria", "severity!=critical", "-d", "2h", "-c", "a drill", "-a", "ana"
    )
    assert added.exit_code == 0, added.output
    silence_id = added.stdout.split()[-1]
    listed = run(config, "list").stdout
    for text in (silence_id, "active", "ana", "rule=syria, severity!=critical", "a drill"):
        assert text in listed

    def try_route() -> str:
        arguments = ["test", "--config", str(config), "rule=syria"]
        return CliRunner().invoke(routes, arguments).stdout

    assert f"desk/console: not told, silenced: silence {silence_id} of ana until" in try_route()
    assert try_route().endswith("told: nobody\n")
    ended = run(config, "expire", silence_id)
    assert ended.stdout.endswith("1 ended\n")
    assert try_route().endswith("told: desk\n")
    assert run(config, "list").stdout.endswith("no silences\n")
    assert "expired" in run(config, "list", "--expired").stdout
    assert run(config, "expire", silence_id).stdout.endswith("0 ended\n")


def test_silence_can_begin_later(config: Path) -> None:
    begins = ("--start", "2036-01-01T00:00", "--end", "2036-01-02T00:00+02:00")
    done = run(config, "add", "region=middle-east", "subscriber=desk", *begins, "-c", "later")
    assert done.exit_code == 0, done.output
    assert "pending" in run(config, "list").stdout


def test_author_is_who_is_logged_in_unless_said(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "boris")
    run(config, "add", "lang=ru", "-d", "1h", "-c", "x")
    monkeypatch.setenv("MONITOR_AUTHOR", "vera")
    run(config, "add", "lang=uk", "-d", "1h", "-c", "x")
    listed = run(config, "list").stdout
    assert "boris" in listed
    assert "vera" in listed


def test_silence_asked_for_again_from_the_same_instant_is_one(config: Path) -> None:
    begins = ("--start", "2036-01-01T00:00", "-c", "once", "-a", "ana")
    one = run(config, "add", "rule=syria", "-d", "1h", *begins).stdout.split()[-1]
    two = run(config, "add", "rule=syria", "-d", "2h", *begins).stdout.split()[-1]
    assert one == two
    assert run(config, "list").stdout.count("once") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rule=syria"], "say --duration or --end"),
        (["rule=syria", "-d", "1h", "--end", "2036-01-01"], "say --duration or --end"),
        (["rule=syria", "-d", "soon"], "expected a duration such as 30s or 1h30m"),
        (["rule=syria", "-d", "0s"], "this would be over before it begins"),
        (["rule=syria", "--end", "2020-01-01"], "this would be over before it begins"),
        (["rule=syrai", "-d", "1h"], "there is no rule 'syrai' (did you mean 'syria'?)"),
        (["regoin=x", "-d", "1h"], "no match has 'regoin' (did you mean 'region'?)"),
        (["subscriber=dsek", "-d", "1h"], "there is no subscriber 'dsek' (did you mean 'desk'?)"),
        (["severity=high", "-d", "1h"], "there is no severity 'high'"),
        (['rule=~"(x"', "-d", "1h"], "not a regular expression"),
        (["rule", "-d", "1h"], "rule\n    ^"),
    ],
)
def test_silence_that_would_keep_nothing_back_is_refused(
    config: Path, arguments: list[str], said: str
) -> None:
    done = run(config, "add", *arguments, "-c", "why")
    assert done.exit_code == 2
    assert said in done.output
    assert run(config, "list").stdout.endswith("no silences\n")


def test_ending_what_is_not_there_says_where_to_look(config: Path) -> None:
    done = run(config, "expire", "0123")
    assert done.exit_code != 0
    assert "`monitor silence list` shows the ids" in str(done.exception)
