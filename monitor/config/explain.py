"""Problems as a person reads them: file, line and column, what is wrong, the line, a caret."""

import unicodedata

from monitor.errors import ConfigError, Problem

_WIDTH = 100
_LEAD = 30


def explain(error: ConfigError) -> str:
    """Return every problem of the error, one below the other."""
    return "\n".join(explain_problem(problem) for problem in error.problems)


def explain_problem(problem: Problem) -> str:
    """Return one problem as `file:line:column: message (hint)`, with the line and a caret if there is a line."""
    place = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
    hint = f" ({problem.hint})" if problem.hint else ""
    said = f"{place}: {problem.message}{hint}"
    if not problem.excerpt:
        return said
    line, column = _window(problem.excerpt, problem.column)
    return f"{said}\n  {line}\n  {_blank(line[: column - 1])}^"


def _window(line: str, column: int) -> tuple[str, int]:
    """Cut a long line around the column, and return where the column is now."""
    column = min(column, len(line) + 1)
    if len(line) <= _WIDTH:
        return line, column
    start = max(0, min(column - 1 - _LEAD, len(line) - _WIDTH))
    before, after = "…" if start else "", "…" if start + _WIDTH < len(line) else ""
    return before + line[start : start + _WIDTH] + after, column - start + len(before)


def _blank(text: str) -> str:
    """Return blanks as wide as the text is on a terminal."""
    return "".join("\t" if char == "\t" else " " * _columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
