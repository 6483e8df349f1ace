"""Where a character of a text stands in the YAML file that the text was written in."""

import re
from collections.abc import Iterator, Sequence

from monitor.config.yamlpos import Node, Place

_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|.)")
_BLANK_ESCAPES = frozenset([r"", r" ", r"t", r"n", r"r", r"v", r"N", r"_", r"L", r"P"][1:]) | {"\t"}


def place_in(lines: Sequence[str], node: Node, position: int) -> Place:
    """Return the place of character `position` (from 0) of a text node, as near as the file allows.

    YAML folds and strips blanks but keeps every other character in order, so those are what is counted.
    """
    text = node.value if isinstance(node.value, str) else ""
    ordinal = sum(not char.isspace() for char in text[:position])
    at_visible = position < len(text) and not text[position].isspace()
    last = node.place
    for number, (line, start, end) in enumerate(_visible(lines, node)):
        if number == ordinal:
            return Place(line, start) if at_visible else last
        last = Place(line, end)
    return last


def _visible(lines: Sequence[str], node: Node) -> Iterator[tuple[int, int, int]]:
    """Yield line, first column and column after it for each visible character of a text as written."""
    line, column = node.place.line, node.place.column
    if node.style in ("|", ">"):
        line, column = line + 1, 1
    elif node.style:
        column += 1  # the opening quote
    for number in range(line, len(lines) + 1):
        text, index = lines[number - 1], column - 1 if number == line else 0
        while index < len(text):
            width, blank = _unit(text, index, node.style)
            if not blank:
                yield number, index + 1, index + width + 1
            index += width


def _unit(text: str, index: int, style: str) -> tuple[int, bool]:
    """Return how many characters of the file stand for one of the text, and whether that one is blank."""
    if style == "'" and text.startswith("''", index):
        return 2, False
    if style == '"' and text[index] == "\\":
        escape = _ESCAPE.match(text, index)
        if escape is None:
            return 1, True  # the end of the line: the text goes on without a blank
        code = escape[1] or escape[2] or escape[3]
        blank = chr(int(code, 16)).isspace() if code else escape[0][1] in _BLANK_ESCAPES
        return len(escape[0]), blank
    return 1, text[index].isspace()
