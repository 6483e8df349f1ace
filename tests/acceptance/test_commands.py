"""Every command but `run` and `demo`, as a person or a script calls it."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from monitor import __version__
from monitor.core.compiled import MATCHER
from tests import configuration
from tests.acceptance.daemon import COMMAND, environment, monitor
from tests.servers.feeds import document, feed_server, item, rss

ARTICLES: list[dict[str, Any]] = [
    {"id": "a1", "title": "Talks resume in Geneva", "summary": "A vote is due.", "lang": "en"},
    {"id": 2, "title": "Weather", "body": "Wetter in Genf: Gespräche, talks, 会谈."},
    {"id": "a3", "title": "Sport"},
]
RULES = """\
rules:
  - id: talks
    query: talks
  - id: scored
    query: "SCORE(talks:30, geneva:20) >= 40"
"""


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def rows(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def span(field: str, start: int, text: str) -> dict[str, Any]:
    return {"field": field, "start": start, "end": start + len(text), "text": text}


def test_version_and_help_answer_at_once() -> None:
    assert monitor("--version").stdout == f"monitor {__version__} ({MATCHER} matcher)\n"
    shown = monitor("--help")
    assert shown.returncode == 0
    for command in ("run", "demo", "check", "status", "match", "parse", "deliveries"):
        assert f"\n  {command} " in shown.stdout


def test_an_unknown_command_is_a_mistake_in_usage() -> None:
    refused = monitor("polll")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "No such command 'polll'" in refused.stderr


# --- check ---


def test_check_says_what_a_good_configuration_holds(tmp_path: Path) -> None:
    config = configuration.write(
        tmp_path,
        feeds={"one": {"url": "http://news.example/rss"}},
        rules={"talks": "talks"},
        subscribers={"desk": [{"console": {}}]},
    )
    checked = monitor("check", "--config", config)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "ok; 1 feed, 1 rule, targets switched on: desk/console" in checked.stdout


def test_check_lists_every_problem_of_every_file_at_once(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text("feeds:\n  - id: one\n    evry: 5m\n")
    (tmp_path / "rules.yaml").write_text('rules:\n  - id: talks\n    query: "(talks"\n')
    (tmp_path / "subscribers.yaml").write_text("route:\n  subscriber: nobody\n")
    checked = monitor("check", "--config", tmp_path)
    assert (checked.returncode, checked.stdout) == (2, "")
    for problem in (
        "feeds.yaml:3:5: unknown key 'evry' (did you mean 'every'?)",
        "feeds.yaml:2:5: missing key 'url'",
        "rules.yaml:3:",
        "subscribers.yaml:2:15: unknown subscriber 'nobody'",
    ):
        assert problem in checked.stderr


# --- match ---


def test_match_prints_each_match_with_its_place(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    articles = tmp_path / "articles.jsonl"
    articles.write_text(lines(ARTICLES))
    found = monitor("match", "--rules", rules, articles)
    assert (found.returncode, found.stderr) == (0, "")
    talks, geneva = span("title", 0, "Talks"), span("title", 16, "Geneva")
    assert rows(found.stdout) == [
        {"article": "a1", "rule": "scored", "score": 50, "spans": [talks, geneva]},
        {"article": "a1", "rule": "talks", "score": None, "spans": [talks]},
        {"article": "2", "rule": "talks", "score": None, "spans": [span("body", 27, "talks")]},
    ]


def test_match_takes_a_query_a_line_and_an_article_a_line_from_standard_input(
    tmp_path: Path,
) -> None:
    rules = tmp_path / "rules.txt"
    rules.write_text("talks\n\n会谈\nsport OR weather\n")
    found = monitor(
        "match", "--plain", "--rules", rules, stdin="nothing\nWeather talks\n\n日内瓦会谈\n"
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert [(row["article"], row["rule"]) for row in rows(found.stdout)] == [
        ("1", "0"),
        ("1", "3"),
        ("3", "2"),
    ]
    assert rows(found.stdout)[2]["spans"] == [span("body", 3, "会谈")]


def test_match_refuses_a_bad_line_with_its_place(tmp_path: Path) -> None:
    rules = tmp_path / "rules.txt"
    rules.write_text("talks\n")
    found = monitor("match", "--rules", rules, stdin=lines(ARTICLES[:1]) + '{"id": "a2",\n')
    assert found.returncode == 2
    assert len(rows(found.stdout)) == 1
    assert "<stdin>:2:" in found.stderr
    assert "not JSON" in found.stderr
    assert "Traceback" not in found.stderr


def test_output_that_nobody_reads_to_the_end_ends_quietly(tmp_path: Path) -> None:
    rules, articles = tmp_path / "rules.txt", tmp_path / "articles.txt"
    rules.write_text("talks\n")
    articles.write_text("talks\n" * 20_000)  # far more than a pipe holds
    command = [*COMMAND, "match", "--plain", "--rules", str(rules), str(articles)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        head = subprocess.run(["head", "-1"], stdin=process.stdout, capture_output=True, check=True)
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
        process.wait(30)
    assert json.loads(head.stdout)["article"] == "0"


# --- parse ---

FEED = rss(
    item(1, title="Talks &amp; vote", text="<p>They <b>met</b>.</p>"),
    item(2, title="Weather", link="http://news.example/2?utm_source=rss"),
)


def test_parse_prints_a_file_as_one_object(tmp_path: Path) -> None:
    file = tmp_path / "feed.xml"
    file.write_text(FEED)
    parsed = monitor("parse", file)
    assert (parsed.returncode, parsed.stderr) == (0, "")
    said = json.loads(parsed.stdout)
    assert said["feed"]["title"] == "Example World"
    first, second = said["articles"]
    assert set(first) == {
        *("id", "title", "url", "author", "published_at", "summary", "body", "tags", "lang")
    }
    assert (first["title"], first["summary"]) == ("Talks & vote", "They met.")
    assert second["url"] == "http://news.example/2"
    assert first["id"] != second["id"]


async def test_parse_fetches_an_address_only_where_the_configuration_allows_it(
    tmp_path: Path,
) -> None:
    async with feed_server() as server:
        url = server.script("/rss", document(FEED))
        allowed = configuration.write(tmp_path / "allowed")
        closed = configuration.write(tmp_path / "closed", monitor={"network": {"allow": []}})
        parsed = await run("parse", url, "--config", allowed)
        assert [one["title"] for one in json.loads(parsed.stdout)["articles"]] == [
            "Talks & vote",
            "Weather",
        ]
        asked = len(server.requests)
        refused = await run("parse", url, "--config", closed)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "127.0.0.1" in refused.stderr
    assert "network.allow" in refused.stderr
    assert len(server.requests) == asked


def test_parse_of_a_page_that_is_no_feed_says_so(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<html><body><p>Hello</p></body></html>")
    refused = monitor("parse", page)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "not_a_feed" in refused.stderr
    assert "Traceback" not in refused.stderr


# --- the store ---


def test_status_and_deliveries_answer_while_nothing_runs(tmp_path: Path) -> None:
    config = configuration.write(
        tmp_path / "config",
        monitor={"store": {"directory": str(tmp_path / "data")}},
        feeds={"one": {"url": "http://news.example/rss"}},
    )
    shown = monitor("status", "--config", config)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "one" in shown.stdout
    assert "not polled yet" in shown.stdout
    unknown = monitor("deliveries", "show", "nonsense", "--config", config)
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "no delivery 'nonsense'" in unknown.stderr
    assert "monitor deliveries list" in unknown.stderr


@pytest.mark.parametrize("words", [("replay",), ("replay", "d1", "--dead")])
def test_replay_wants_ids_or_all_the_dead_and_not_both(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    refused = monitor("deliveries", *words, "--config", tmp_path)
    assert refused.returncode == 2
    assert "name deliveries, or choose them" in refused.stderr


async def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command that talks to a server in this process."""
    return await asyncio.to_thread(monitor, *words)
