"""`monitor routes` as its users run it."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.cli.routes import routes
from monitor.cli.trees import Branch, drawn, print_tree
from tests.acceptance.daemon import monitor

FEEDS = """\
feeds:
  - {id: bbc, url: "https://bbc.example/rss", lang: en, country: gb}
"""
RULES = """\
rules:
  - {id: syria, query: entity:syria, labels: {region: middle-east}}
  - {id: veto, query: veto*, severity: critical}
"""
SUBSCRIBERS = """\
subscribers:
  - name: kyiv
    timezone: Europe/Kyiv
    quiet_hours: 22:00-07:00
    budget: 10
    targets:
      - console: {}
      - {name: digest, console: {}, schedule: "daily at 08:00, 18:00"}
  - name: desk
    targets:
      - console: {}
  - name: away
    enabled: false
    targets:
      - console: {}
time_intervals:
  - name: weekends
    time_intervals: [{weekdays: "saturday:sunday"}]
inhibit_rules:
  - name: a veto says it all
    source_matchers: rule=veto
    target_matchers: rule=syria, subscriber=desk
    equal: story
    window: 6h
route:
  subscriber: kyiv
  routes:
    - name: not heard
      match: {lang: fr}
    - name: the region
      matchers: region=middle-east
      subscriber: desk
      group_by: [story]
      group_interval: 30m
      mute_time_intervals: [weekends]
      continue: true
    - match: {entity: syria}
      subscriber: kyiv
    - match: {severity: critical}
      subscriber: away
      break_through: never
      schedule: hourly
      group_wait: 10s
      active_time_intervals: [weekends]
"""
THURSDAY_NIGHT = "2026-01-15T23:30+02:00"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # where there is no store
    directory = tmp_path / "config"
    directory.mkdir()
    for name, text in (("feeds", FEEDS), ("rules", RULES), ("subscribers", SUBSCRIBERS)):
        (directory / f"{name}.yaml").write_text(text)
    return directory


def run(config: Path, *arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(
        routes, [arguments[0], "--config", str(config), *arguments[1:]], **options
    )


def tried(config: Path, *about: str, **options: Any) -> list[str]:
    done = run(config, "test", *about, **options)
    assert done.exit_code == 0, done.output
    return [line.strip() for line in done.output.splitlines()]


def test_tree_subscribers_and_inhibitions_are_shown(config: Path) -> None:
    shown = run(config, "show").output
    assert shown.startswith(
        """\
everything -> kyiv
  not heard [lang=fr] -> kyiv
  the region [region=middle-east] -> desk, goes on (group_by story; group_interval 30m; muted in weekends)
  entity=syria -> kyiv
  severity>=critical -> away (group_wait 10s; hourly; break_through never; active in weekends)
"""
    )
    assert "daily at 08:00, 18:00" in shown
    assert "22:00-07:00  Europe/Kyiv" in shown
    assert "away" in shown
    assert "inhibition: a veto says it all, for the same story, within 6h" in shown


def test_command_runs_as_a_process(config: Path) -> None:
    done = monitor("routes", "show", "--config", config)
    assert done.returncode == 0
    assert done.stdout.startswith("everything -> kyiv")


def test_tree_without_subscribers_is_shown(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    assert run(tmp_path / "config", "show").output == "everything -> nobody\n"


def test_each_node_says_why_it_takes_a_match_or_not(config: Path) -> None:
    lines = tried(config, "rule=syria", "lang=en", "entity=syria", "--at", THURSDAY_NIGHT)
    assert lines[0] == "rule syria, info, region=middle-east, lang en"
    assert "no  not heard: lang is en, not fr" in lines
    assert "yes the region -> desk, goes on" in lines
    assert "desk/console: at once, then every 30m (group: same story)" in lines
    assert "yes entity=syria -> kyiv" in lines
    assert "kyiv/console: Fri 16 Jan 07:00 EET (quiet_hours: 22:00-07:00 Europe/Kyiv)" in lines
    assert "-   severity>=critical: not asked, 'entity=syria' took it" in lines
    assert lines[-1] == "told: desk, kyiv"


def test_rules_of_the_monitor_itself_are_routed_too(config: Path) -> None:
    lines = tried(config, "rule=monitor.target-disabled")
    assert lines[0] == "rule monitor.target-disabled, critical"


def test_digest_and_budget_say_when(config: Path) -> None:
    lines = tried(config, "rule=syria", "entity=syria", "--at", "2026-01-15T12:20Z")
    assert (
        "kyiv/console: at once, if not more than 10 this hour; else Thu 15 Jan 15:00 EET" in lines
    )
    assert "kyiv/digest: Thu 15 Jan 18:00 EET (digest: daily at 08:00, 18:00 Europe/Kyiv)" in lines


def test_muted_route_and_breaking_through_are_told(config: Path) -> None:
    lines = tried(config, "rule=syria", "severity=critical", "--at", "2026-01-17T12:00")
    assert "desk/console: not told, muted: the route is muted by weekends" in lines
    assert "away: not told, no_target: no target of away is switched on" in lines
    assert lines[-1] == "told: nobody"
    lines = tried(config, "severity=critical", "lang=fr", "--at", THURSDAY_NIGHT)
    assert "kyiv/digest: at once, critical breaks through" in lines


def test_article_goes_to_those_who_are_told_of_the_rules_that_find_it(
    config: Path, tmp_path: Path
) -> None:
    article = tmp_path / "article.json"
    article.write_text('{"title": "A veto on Syria", "body": "It was on Thursday.", "lang": "en"}')
    lines = tried(config, str(article), "--at", "2026-01-15T12:20Z")
    assert "rule syria, info, region=middle-east, lang en: A veto on Syria" in lines
    assert "rule veto, critical, lang en: A veto on Syria" in lines
    inhibited = "desk/console: not told, inhibited: a veto says it all, until 2026-01-15 18:20 UTC"
    assert inhibited in lines
    assert "in one message for each target" in lines
    assert "kyiv/digest: syria: Thu 15 Jan 18:00 EET" in lines
    assert "kyiv/console: syria: at once or Thu 15 Jan 15:00 EET" in lines


def test_matches_of_one_article_are_told_together_as_early_as_one_of_them(
    config: Path, tmp_path: Path
) -> None:
    article = tmp_path / "article.json"
    article.write_text('{"title": "A veto on Syria", "lang": "fr"}')
    lines = tried(config, str(article), "--at", THURSDAY_NIGHT)
    assert "kyiv/digest: syria, veto: at once" in lines


def test_article_that_no_rule_finds_is_told_to_nobody(config: Path) -> None:
    done = run(config, "test", "-", "--expect", "nobody", input="Nothing of interest")
    assert (done.exit_code, done.output) == (0, "no rule finds this article: nobody is told\n")
    done = run(config, "test", "-", "--expect", "desk", input="Nothing of interest")
    assert done.exit_code == 1
    assert "expected and not told: desk" in done.output


def test_feed_gives_what_is_left_out(config: Path) -> None:
    assert tried(config, "rule=veto", "feed=bbc")[0] == "rule veto, critical, lang en, feed bbc"


@pytest.mark.parametrize(
    ("expected", "code", "said"),
    [
        ("desk,kyiv", 0, "told: desk, kyiv\n"),
        ("desk", 1, "told and not expected: kyiv\n"),
        ("desk,kyiv,away", 1, "expected and not told: away\n"),
        ("nobody", 1, "told and not expected: desk, kyiv\n"),
        ("desk,kyyv", 2, "there is no subscriber 'kyyv' (did you mean 'kyiv'?)\n"),
    ],
)
def test_expectations_are_checked(config: Path, expected: str, code: int, said: str) -> None:
    thursday = ("--at", "2026-01-15T12:00")
    done = run(config, "test", "rule=syria", "entity=syria", *thursday, "--expect", expected)
    assert done.exit_code == code
    assert done.output.endswith(said)


@pytest.mark.parametrize(
    ("about", "said"),
    [
        (["rule=syrai"], "there is no rule 'syrai' (did you mean 'syria'?)"),
        (["feed=bcc"], "there is no feed 'bcc' (did you mean 'bbc'?)"),
        (["severity=urgent"], "a severity is info, warning, critical, not 'urgent'"),
        (["rule=syria", "urgent"], "'urgent' is not a label such as rule=syria"),
        (["rule=syria", "rule=veto"], "the label 'rule' is given twice"),
        (["no-such-file"], "no-such-file is not a file"),
        (["rule=syria", "--at", "yesterday"], "'yesterday' is no instant: write 2026-01-15T23:30"),
    ],
)
def test_mistake_on_the_command_line_is_explained(
    config: Path, about: list[str], said: str
) -> None:
    done = run(config, "test", *about)
    assert done.exit_code == 2
    assert said in done.output


def test_text_of_a_stranger_does_not_steer_the_terminal(config: Path, tmp_path: Path) -> None:
    article = tmp_path / "article.txt"
    article.write_text("veto \x1b[31m[bold]\u202e :smile:")
    done = run(config, "test", str(article))
    assert "\x1b" not in done.output
    assert "\u202e" not in done.output
    assert "[bold]" in done.output


def test_tree_is_drawn_with_lines_on_a_terminal() -> None:
    tree = drawn(Branch("[a]", "bold", [Branch("b", "", [Branch("c")])]))
    assert str(tree.label) == "[a]"
    assert [str(child.label) for child in tree.children] == ["b"]
    assert str(tree.children[0].children[0].label) == "c"


def test_tree_is_printed_for_whoever_reads_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Branch("[a]", "bold", [Branch("b")])
    print_tree(root)
    assert capsys.readouterr().out == "[a]\n  b\n"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    print_tree(root)
    assert "└── b" in capsys.readouterr().out
