"""What an entry of the public stream says; docs/stream.md is the reference for its readers."""

import msgspec

from monitor.core.model import Article, Match
from monitor.ports import Publication

VERSION = "1"


def fields_of(article: Article, match: Match) -> dict[str, str]:
    """Return the flat fields of one entry; `data` holds everything as JSON."""
    return {
        "v": VERSION,
        "rule": match.rule_id,
        "article": article.id,
        "feed": article.feed_id,
        "severity": match.severity.value,
        "lang": article.lang or "",
        "url": article.url,
        "data": msgspec.json.encode(Publication(article, match)).decode(),
    }
