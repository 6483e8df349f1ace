"""A short name for what a query means."""

from hashlib import blake2b

from monitor.core.query.expression import Expression
from monitor.core.query.parser import parse
from monitor.core.query.printer import to_text

_BYTES = 6


def rule_version(query: str) -> str:
    """Return a hash of the canonical query: the same for two ways of writing it, and over releases and machines."""
    return expression_version(parse(query))


def expression_version(expression: Expression) -> str:
    """Return the version of a query that is parsed already."""
    text = to_text(expression).encode(errors="surrogatepass")
    return blake2b(text, digest_size=_BYTES).hexdigest()
