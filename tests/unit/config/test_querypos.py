from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.querypos import place_in
from monitor.config.yamlpos import Place, parse


def place(text: str, sought: str) -> Place:
    document = parse(text.encode(), "f.yaml")
    node = document.root.find(("q",))
    assert isinstance(node.value, str)
    return place_in(document.lines, node, node.value.index(sought))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("q: Syria AND (x", Place(1, 14)),
        ("q: 'Syria AND (x'", Place(1, 15)),
        ("q: 'it''s AND (x'", Place(1, 15)),
        ('q: "\\u0421ж \\"a\\" AND (x"', Place(1, 23)),
        ('q: "a\\tb \\x20 \\N (x"', Place(1, 18)),
        ('q: "a\\\n  b (x"', Place(2, 5)),
        ("q: Syria\n  AND (x", Place(2, 7)),
        ("q: 'Syria\n\n  AND (x'", Place(3, 7)),
        ("q: |\n  Syria\n  (x\n", Place(3, 3)),
        ("q: >-  # folded\n    Syria AND\n    b AND (x\n", Place(3, 11)),
        ("q: |2\n   Syria (x\n", Place(2, 10)),
        ("{a: 1, q: Syria (x}", Place(1, 17)),
    ],
)
def test_place_of_a_character_is_found_whatever_the_style(text: str, expected: Any) -> None:
    assert place(text, "(x") == expected


def test_blank_is_placed_after_what_precedes_it() -> None:
    assert place("q: Syria  x", "  x") == Place(1, 9)


def test_end_of_the_text_is_after_its_last_character() -> None:
    document = parse(b"q: >-\n  Syria\n  AND\n\nz: 1\n", "f.yaml")
    assert place_in(document.lines, document.root.find(("q",)), 9) == Place(3, 6)


def test_end_of_the_file_ends_the_text() -> None:
    document = parse(b"q: Syria", "f.yaml")
    assert place_in(document.lines, document.root.find(("q",)), 5) == Place(1, 9)


def test_node_that_is_no_text_is_placed_where_it_stands() -> None:
    document = parse(b"q: [1]", "f.yaml")
    assert place_in(document.lines, document.root.find(("q",)), 3) == Place(1, 4)


TEXTS = st.text(st.sampled_from("ab'\"\\ \n\t#:Яя联é😀()&"), min_size=1, max_size=30)


@given(TEXTS, st.sampled_from([None, "'", '"', "|", ">"]), st.integers(0, 29))
def test_character_at_the_place_is_the_character_of_the_text(
    text: str, style: str | None, position: int
) -> None:
    written = yaml.safe_dump({"q": text}, default_style=style, allow_unicode=True, width=20)
    document = parse(written.encode(), "f.yaml")
    node = next(iter(document.root.children.values()))
    if node.value != text or position >= len(text) or text[position].isspace():
        return  # the emitter wrote it in a way that does not come back, or there is nothing to point at
    at = place_in(document.lines, node, position)
    there = document.lines[at.line - 1][at.column - 1 :]
    escaped = {"\\": "\\\\", '"': '\\"'}.get(text[position], text[position])
    assert there.startswith((text[position], escaped, "\\"))
