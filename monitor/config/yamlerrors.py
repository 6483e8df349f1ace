"""What the YAML parser says, said for a person, with the next step."""

import re
from collections.abc import Sequence

import yaml

from monitor.errors import Problem

# Outside of what YAML 1.1 calls printable; the parser would refuse them without naming a place.
_UNPRINTABLE = re.compile(
    "[^\t\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_QUOTED_START = re.compile(r"""(?:^|[:\-]\s)\s*(["'])(?:(?!\1).)*\1\s*[^\s,#\]}:]""")

_TAB = "indent with spaces: YAML does not allow tabs"
_WHOLE = "put the whole text on the lines below `>-`, or quote all of it"
_UNCLOSED = ("unexpected end of stream", "expected ',' or ']'", "expected ',' or '}'")
_SAYINGS = (  # part of the parser's words, ours, the next step
    ("cannot start any token", "a plain text cannot begin with this character", "put quotes around the text"),
    ("tab character", "a tab stands where the indentation is", _TAB),
    ("mapping values are not allowed", "': ' cannot stand inside a plain text", "put quotes around the text"),
    ("unexpected end of stream", "a quote is opened and never closed", "close it"),
    ("expected ',' or ']'", "a list that begins with [ is not closed", "close it, or put a comma between"),
    ("expected ',' or '}'", "a mapping that begins with { is not closed", "close it, or put a comma between"),
    ("could not find expected ':'", "a key without a value", "write `key: value`, and indent what continues a text"),
    ("expected '-' indicator", "this is no element of the list above", "begin it with '- ' or fix its indentation"),
    ("block sequence entries", "'- ' cannot stand here", "put each element on a line of its own, or quote the text"),
    ("expected key", "this does not line up with the keys above", "check the indentation and the quotes"),
    ("unknown escape", "unknown escape in a text in double quotes", "use single quotes, or write \\\\ for a backslash"),
)  # fmt: skip


def invalid_bytes(file: str, content: bytes, offset: int) -> Problem:
    """Say where a file stops being UTF-8."""
    before = content[:offset]
    line = before.count(b"\n") + 1
    start = before.rfind(b"\n") + 1
    column = len(content[start:offset].decode(errors="replace")) + 1
    return Problem(
        file, line, column, f"byte 0x{content[offset]:02x} is not UTF-8", "save the file as UTF-8"
    )


def refused_character(file: str, lines: Sequence[str]) -> Problem | None:
    """Find the first character that YAML forbids."""
    for number, line in enumerate(lines, start=1):
        found = _UNPRINTABLE.search(line)
        if found:
            message = f"the character U+{ord(found[0]):04X} cannot stand in YAML"
            return Problem(file, number, found.start() + 1, message, "remove it")
    return None


def syntax_problem(file: str, lines: Sequence[str], error: yaml.MarkedYAMLError) -> Problem:
    """Say what a syntax error of the parser means."""
    said = error.problem or "not YAML"
    # A text over several lines is shown by its first, where its key stands: it may be a secret.
    first = any(part in said for part in _UNCLOSED) or "quoted scalar" in (error.context or "")
    mark = (error.context_mark if first else None) or error.problem_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    if text[: column - 1].strip() == "" and text[column - 1 : column] == "\t":
        return Problem(file, line, column, "a tab stands where the indentation is", _TAB)
    if "expected key" in said and _QUOTED_START.search(text[:column]):
        return Problem(file, line, column, "the text goes on after its closing quote", _WHOLE)
    for part, ours, hint in _SAYINGS:
        if part in said:
            return Problem(file, line, column, ours, hint)
    return Problem(file, line, column, said)
