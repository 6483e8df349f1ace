import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.excerpt import excerpt, is_secret
from monitor.config.explain import explain, explain_problem
from monitor.errors import ConfigError, Problem


def test_problem_has_file_place_message_hint_line_and_caret() -> None:
    problem = Problem(
        "config/feeds.yaml", 4, 5, "unknown key 'evry'", "did you mean 'every'?", "    evry: 5m"
    )
    assert explain_problem(problem) == (
        "config/feeds.yaml:4:5: unknown key 'evry' (did you mean 'every'?)\n      evry: 5m\n      ^"
    )


def test_problem_without_a_place_is_one_line() -> None:
    assert explain_problem(Problem("config", 0, 0, "no such directory")) == (
        "config: no such directory"
    )


def test_problems_stand_one_below_the_other() -> None:
    problems = (Problem("a", 1, 1, "one"), Problem("b", 2, 2, "two"))
    assert explain(ConfigError(problems)) == "a:1:1: one\nb:2:2: two"


def test_caret_stands_under_its_column_on_a_terminal() -> None:
    problem = Problem("f", 1, 5, "wrong", "", "\té联x!")
    assert explain_problem(problem).split("\n")[2] == "  \t    ^"


def test_combining_characters_take_no_column() -> None:
    problem = Problem("f", 1, 3, "wrong", "", "e\u0301x")
    assert explain_problem(problem).split("\n")[2] == "   ^"


def test_long_line_is_cut_around_the_column() -> None:
    line = "a" * 500 + "!" + "b" * 500
    _, shown, caret = explain_problem(Problem("f", 1, 501, "wrong", "", line)).split("\n")
    assert len(shown) < 110
    assert shown[caret.index("^")] == "!"
    assert shown[2] == shown[-1] == "…"


@given(st.text(max_size=300), st.integers(1, 400))
def test_caret_never_leaves_the_line(line: str, column: int) -> None:
    line = "".join(char for char in line if char.isprintable())
    said = explain_problem(Problem("f", 1, column, "wrong", "", line)).split("\n")
    assert len(said) == (3 if line else 1)


@pytest.mark.parametrize(
    "line",
    [
        "password: hunter2",
        "password:hunter2",
        "  - {user: me, password: hunter2, port: 25}",
        '"password": hunter2',
        "pasword: hunter2",
        "WEBHOOK_URL: hunter2",
        "webhook-url : hunter2",
        "api_key: hunter2",
        "slack: https://hooks.slack.com/services/T/B/hunter2",
        "url: https://discord.com/api/webhooks/1/hunter2",
        "url: redis://:hunter2@store:6379",
        "url: 'https://me:hunter2@news.example/rss'",
        "url: postgresql:///news?user=me&password=hunter2",
    ],
)
def test_secret_in_a_line_is_not_shown(line: str) -> None:
    shown = excerpt([line], 1)
    assert "hunter2" not in shown
    assert "***" in shown


@pytest.mark.parametrize(
    "lines",
    [
        ["password: >-", "  hunter2"],
        ["password:", "  - a", "  - hunter2"],
        ["password: |", "", "    x", "", "  hunter2"],
        ["- secret:", "    key:", "      hunter2"],
    ],
)
def test_line_that_continues_a_secret_is_not_shown(lines: list[str]) -> None:
    assert excerpt(lines, len(lines)).strip() == "***"


@pytest.mark.parametrize(
    "line",
    [
        "password_file: /run/secrets/smtp",
        "webhook_url_env: SLACK_URL",
        "webhook: {url: https://receiver.example/in}",
        "severity: warning",
        "sender: a@b.example",
        "query: password AND leak",
    ],
)
def test_what_is_no_secret_is_shown(line: str) -> None:
    assert excerpt([line], 1) == line


def test_neighbours_of_a_secret_are_shown() -> None:
    lines = ["smtp:", "  password: hunter2", "  prot: 25"]
    assert excerpt(lines, 3) == "  prot: 25"


def test_line_that_is_not_there_has_no_excerpt() -> None:
    assert excerpt(["a"], 0) == excerpt(["a"], 2) == ""


def test_terminal_is_not_upset() -> None:
    assert excerpt(["a\x1b[31m\u202eb\tc"], 1) == "a�[31m�b\tc"


def test_sources_of_secrets_are_no_secrets() -> None:
    assert not is_secret("password_file")
    assert not is_secret("previous_secret_env")
    assert is_secret("previous_secret")
