from typing import Any

import pytest

from monitor.config.yamlpos import MAX_BYTES, MAX_PROBLEMS, Place, parse


def value(text: str) -> object:
    document = parse(text.encode(), "f.yaml")
    assert not document.problems
    return document.root.value


@pytest.mark.parametrize(
    "text",
    [
        "NO",
        "no",
        "on",
        "Yes",
        "True",
        "NULL",
        "~",
        "22:30",
        "2012-06-28",
        "2012-06-28T10:00:00Z",
        "0x10",
        "0o7",
        "007",
        "1_000",
        "1e3",
        ".5",
        "1.",
        "+1",
        ".inf",
        ".nan",
        "=",
        "9" * 30,
    ],
)
def test_plain_text_stays_text(text: str) -> None:
    assert value(f"key: {text}") == {"key": text}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("1.5", 1.5),
        ("'true'", "true"),
        ('"12"', "12"),
        ("[a, 1, []]", ["a", 1, []]),
        ("{a: {b: c}}", {"a": {"b": "c"}}),
        ("|\n  two\n  lines\n", "two\nlines\n"),
    ],
)
def test_only_these_are_special(text: str, expected: Any) -> None:
    assert value(f"key: {text}") == {"key": expected}


def test_keys_are_text() -> None:
    assert value("1: a\ntrue: b\nnull: c\n") == {"1": "a", "true": "b", "null": "c"}


def test_empty_file_is_nothing() -> None:
    assert value("") is None
    assert value("# only a comment\n") is None


def test_byte_order_mark_is_no_part_of_the_first_key() -> None:
    document = parse("\ufeffkey: 1\n".encode(), "f.yaml")
    assert document.root.value == {"key": 1}
    assert document.root.find(("key",)).key == Place(1, 1)


def test_each_value_and_key_has_its_place() -> None:
    root = parse("a: 联\nb:\n  - {c: 1}\n  -   d\n".encode(), "f.yaml").root
    assert root.find(("a",)).place == Place(1, 4)
    assert root.find(("b",)).key == Place(2, 1)
    assert root.find(("b", 0, "c")).key == Place(3, 6)
    assert root.find(("b", 0, "c")).place == Place(3, 9)
    assert root.find(("b", 1)).place == Place(4, 7)


def test_search_ends_at_the_last_node_on_the_way() -> None:
    root = parse(b"a: {b: 1}", "f.yaml").root
    assert root.find(("a", "nothing", "here")) is root.children["a"]


def test_first_of_two_equal_keys_stays() -> None:
    document = parse(b"a: 1\na: 2\n", "f.yaml")
    assert document.root.value == {"a": 1}
    assert [problem.line for problem in document.problems] == [2]


def test_key_that_is_no_text_is_refused() -> None:
    document = parse(b"? [a]\n: b\n", "f.yaml")
    assert [problem.message for problem in document.problems] == ["a key must be a text"]


def test_file_above_the_bound_is_not_parsed() -> None:
    document = parse(b"a" * (MAX_BYTES + 1), "f.yaml")
    assert document.root.value is None
    assert "the limit is" in document.problems[0].message


def test_problems_of_one_file_are_bounded() -> None:
    document = parse(("- !t x\n" * (MAX_PROBLEMS + 50)).encode(), "f.yaml")
    assert len(document.problems) == MAX_PROBLEMS


def test_aliases_cost_nothing() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*a, *a]\n" for i in range(1000))
    document = parse(bomb.encode(), "f.yaml")
    assert document.root.value is None
    assert len(document.problems) == MAX_PROBLEMS


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_depth_is_bounded(opening: str) -> None:
    document = parse(opening.encode() * 100_000, "f.yaml")
    assert document.root.value is None
    assert document.problems


@pytest.mark.parametrize("end", ["\r\n", "\r", "\u2028", "\x85"])
def test_lines_are_counted_as_yaml_counts_them(end: str) -> None:
    document = parse(f"a: 1{end}b: 2{end}c: !x 3".encode(), "f.yaml")
    assert [(problem.line, problem.excerpt) for problem in document.problems] == [(3, "c: !x 3")]
