"""The query language: from text to an expression tree and back, and everything that can be wrong with a query."""

from monitor.core.query.expression import Expression
from monitor.core.query.lint import Lint, lint
from monitor.core.query.parser import parse
from monitor.core.query.printer import to_text
from monitor.core.query.references import check, parse_list, resolve
from monitor.core.query.version import rule_version

__all__ = [
    "Expression",
    "Lint",
    "check",
    "lint",
    "parse",
    "parse_list",
    "resolve",
    "rule_version",
    "to_text",
]
