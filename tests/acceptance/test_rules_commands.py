"""`monitor rules` as its users run it."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from monitor.cli.rules import convert, tree
from monitor.core.engine import Explanation
from monitor.core.query.dialects import DIALECTS
from tests.acceptance.daemon import environment, monitor

RULES = """\
rules:
  - id: syria
    query: Syria AND (Lavrov OR Clinton)
    examples:
      match:
        - Lavrov avoids call on Syria
      no_match:
        - Elections called in Serbia
  - id: resolution
    query: UN NEAR/3 resolution
"""
ARTICLE = "Lavrov avoids call on Syria\n\nThe UN votes on a resolution."


@pytest.fixture
def config(tmp_path: Path) -> Path:
    directory = tmp_path / "config"
    directory.mkdir()
    (directory / "rules.yaml").write_text(RULES)
    return directory


def write(config: Path, rules: str) -> Path:
    (config / "rules.yaml").write_text(rules)
    return config


# --- test ---


def test_examples_that_hold_are_counted(config: Path) -> None:
    done = monitor("rules", "test", "--config", config)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "2 examples of 2 rules: 0 failed; rules without: 1\n"


def test_failed_example_is_shown_with_its_place_and_its_reason(config: Path) -> None:
    write(config, RULES.replace("Lavrov avoids call on Syria", "Lavrov avoids call"))
    done = monitor("rules", "test", "--config", config)
    assert done.returncode == 1
    assert "rules.yaml:6:11: the rule 'syria' does not find this example" in done.stdout
    tree = [
        "no  syria AND (lavrov OR clinton)",
        "  no  syria",
        "  yes lavrov OR clinton  [title 0-6 “Lavrov”]",
        "    yes lavrov  [title 0-6 “Lavrov”]",
        "    no  clinton",
    ]
    assert "\n".join(tree) in done.stdout
    assert done.stdout.endswith("2 examples of 2 rules: 1 failed; rules without: 1\n")


def test_mistake_in_a_query_is_shown_instead(config: Path) -> None:
    write(config, "rules: [{id: a, query: entity:nobody}]\n")
    done = monitor("rules", "test", "--config", config)
    assert done.returncode == 2
    assert "unknown entity 'nobody'" in done.stderr


# --- explain ---


def test_explanation_tells_yes_and_where(config: Path) -> None:
    done = monitor("rules", "explain", "--config", config, "resolution", "-", stdin=ARTICLE)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "yes un NEAR/3 resolution  [body 4-6 “UN”, body 18-28 “resolution”]",
        "  yes un  [body 4-6 “UN”]",
        "  yes resolution  [body 18-28 “resolution”]",
    ]


def test_article_that_is_not_found_gives_exit_code_1(config: Path, tmp_path: Path) -> None:
    article = tmp_path / "article.json"
    article.write_text(json.dumps({"title": "The UN", "body": "A resolution"}, indent=2))
    done = monitor("rules", "explain", "--config", config, "resolution", article)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "no  un NEAR/3 resolution",
        "  yes un  [title 4-6 “UN”]",
        "  yes resolution  [body 2-12 “resolution”]",
    ]


def test_text_of_a_feed_cannot_steer_the_terminal(config: Path) -> None:
    write(config, "rules: [{id: a, query: \"'UN resolution'\"}]\n".replace("'", '\\"'))
    done = monitor(
        "rules", "explain", "--config", config, "a", "-", stdin="UN \x1b[2J\x07 resolution"
    )
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout


def test_terminal_gets_the_same_as_a_tree() -> None:
    part = Explanation(text="[b1]", matched=False)
    written = io.StringIO()
    screen = Console(file=written, width=80)
    screen.print(tree(Explanation(text="[a1] OR [b1]", matched=True, children=(part, part))))
    assert written.getvalue().splitlines() == [
        "yes [a1] OR [b1]",
        "├── no  [b1]",
        "└── no  [b1]",
    ]


def test_unknown_rule_is_named_with_the_nearest(config: Path) -> None:
    done = monitor("rules", "explain", "--config", config, "resolutions", "-", stdin="x")
    assert done.returncode == 2
    assert "there is no rule 'resolutions'" in done.stderr
    assert "resolution'" in done.stderr


# --- match and show ---


def test_rules_are_tried_on_feeds_and_lines_and_texts(config: Path, tmp_path: Path) -> None:
    feed = tmp_path / "feed.xml"
    feed.write_text(
        "<rss version='2.0'><channel><title>News</title><item><guid>1</guid>"
        "<title>Clinton on Syria</title><link>http://news.example/1</link></item></channel></rss>"
    )
    json_feed = tmp_path / "feed.json"
    json_feed.write_text(
        json.dumps(
            {
                "version": "https://jsonfeed.org/version/1.1",
                "title": "News",
                "items": [{"id": "1", "title": "Lavrov in Syria", "content_text": "x"}],
            }
        )
    )
    lines = tmp_path / "articles.jsonl"
    lines.write_text('{"id": "a", "title": "UN resolution"}\n{"id": "b", "title": "Weather"}\n')
    text = tmp_path / "article.txt"
    text.write_text(ARTICLE)
    done = monitor("rules", "match", "--config", config, feed, json_feed, lines, text)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["title"], row["rule"]) for row in rows] == [
        ("Clinton on Syria", "syria"),
        ("Lavrov in Syria", "syria"),
        ("UN resolution", "resolution"),
        ("Lavrov avoids call on Syria", "resolution"),
        ("Lavrov avoids call on Syria", "syria"),
    ]


def test_rules_are_shown_in_canonical_form(config: Path) -> None:
    done = monitor("rules", "show", "--config", config, "syria")
    assert done.stdout.splitlines()[1] == "  syria AND (lavrov OR clinton)"
    assert len(monitor("rules", "show", "--config", config).stdout.splitlines()) == 4


# --- lint ---


def test_doubts_have_a_place_and_a_name_and_fail_only_if_strict(config: Path) -> None:
    write(
        config,
        "rules:\n"
        "  - {id: a, query: syria or iraq}\n"
        "  - {id: b, query: UN}\n"
        "  - {id: c, query: un, expires: 2020-01-01}\n",
    )
    done = monitor("rules", "lint", "--config", config)
    assert done.returncode == 0
    assert f"{config / 'rules.yaml'}:2:26: 'or' is looked for as a word" in done.stdout
    assert [line.strip() for line in done.stdout.splitlines() if line.startswith("  [")] == [
        "[small-operator]",
        "[expired]",
        "[duplicate]",
    ]
    assert done.stdout.endswith("3 rules, 3 doubts\n")
    assert monitor("rules", "lint", "--config", config, "--strict").returncode == 1


def lines_of(path: Path, found: int, others: int) -> Path:
    titles = [
        *(f"Lavrov in Syria {n}" for n in range(found)),
        *(f"Weather {n}" for n in range(others)),
    ]
    path.write_text("\n".join(json.dumps({"id": title, "title": title}) for title in titles))
    return path


def test_rule_that_finds_too_much_is_doubted(config: Path, tmp_path: Path) -> None:
    lines = lines_of(tmp_path / "articles.jsonl", 5, 15)
    options = ("rules", "lint", "--strict", "--config", config, "--articles", lines)
    done = monitor(*options)
    assert done.returncode == 1
    assert "the rule 'syria' finds 5 of 20 articles" in done.stdout
    assert monitor(*options, "--most", "25").returncode == 0


def test_few_articles_say_nothing_of_a_rule(config: Path, tmp_path: Path) -> None:
    few = lines_of(tmp_path / "articles.jsonl", 4, 0)
    assert (
        monitor("rules", "lint", "--strict", "--config", config, "--articles", few).returncode == 0
    )


# --- convert ---


def test_query_is_converted_from_a_file_or_standard_input(tmp_path: Path) -> None:
    theirs = tmp_path / "query.txt"
    theirs.write_text("carrefour near5 retail sales\n")
    ours = 'carrefour NEAR/4 "retail sales"\n'
    from_file = monitor("rules", "convert", "--from", "factiva", theirs)
    from_input = monitor("rules", "convert", "--from", "factiva", stdin=theirs.read_text())
    assert (from_file.returncode, from_file.stdout, from_file.stderr) == (0, ours, "")
    assert (from_input.returncode, from_input.stdout) == (0, ours)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_can_be_asked_for(dialect: str) -> None:
    theirs = "syria 10" if dialect == "emm" else "syria"
    done = CliRunner().invoke(convert, ["--from", dialect], input=theirs)
    assert (done.exit_code, done.stdout) == (0, "syria\n")


def test_what_is_lost_is_told_and_strict_gives_no_query() -> None:
    theirs = "apple AND\n  sentiment:negative AND pear^3"
    done = monitor("rules", "convert", "--from", "meltwater", stdin=theirs)
    assert (done.returncode, done.stdout) == (1, "apple AND pear\n")
    assert "-:2:3: lost: there is no field 'sentiment' here: left out" in done.stderr
    assert "-:2:30: changed: a weight only ranks: left out" in done.stderr
    strict = monitor("rules", "convert", "--from", "meltwater", "--strict", stdin=theirs)
    assert (strict.returncode, strict.stdout) == (1, "")


def test_what_only_changes_is_no_failure() -> None:
    done = monitor("rules", "convert", "--from", "meltwater", "--strict", stdin="pear^3")
    assert (done.returncode, done.stdout) == (0, "pear\n")
    assert "changed" in done.stderr


def test_query_that_is_wrong_is_refused_with_a_caret() -> None:
    done = monitor("rules", "convert", "--from", "meltwater", stdin="apple AND\n  (pear")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "-:2:3: this '(' is never closed (add a ')')",
        "    (pear",
        "    ^",
    ]


# --- start-up ---


def test_the_daemon_starts_without_what_only_these_commands_need() -> None:
    code = "import sys; from monitor.cli.main import cli; cli.get_command(None, 'run'); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment()
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"monitor.core.query.dialects", "monitor.config.rulebook"}
