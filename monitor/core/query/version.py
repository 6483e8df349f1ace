"""A short name for what a query means."""

from hashlib import blake2b

from monitor.core.query.parser import parse
from monitor.core.query.printer import to_text

_BYTES = 6


def rule_version(query: str) -> str:
    """Return a hash of the canonical query: the same for two ways of writing it, and over releases and machines."""
    return blake2b(
        to_text(parse(query)).encode(errors="surrogatepass"), digest_size=_BYTES
    ).hexdigest()
