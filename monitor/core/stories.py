"""Which articles tell the same news, as far as their headlines show."""

import unicodedata
from functools import lru_cache
from hashlib import blake2b

from monitor.core.model import Article
from monitor.core.text import split


def story_of(article: Article) -> str:
    """Return the key of the article's story: the same for the same headline, whichever feed carries it.

    Case, diacritics, punctuation and a name of the feed at the end do not count. An article without a headline is a
    story of its own.
    """
    return _key(article.title, article.feed_name) or article.id


def headline(article: Article) -> str:
    """Return the title without the name of the feed at its end."""
    return _without_publisher(article.title, article.feed_name)


@lru_cache(
    maxsize=256
)  # an alert is routed, rendered and linked for each target of each subscriber
def _key(title: str, feed_name: str) -> str:
    kept = _without_publisher(title, feed_name)
    words = [word.folded for word in split(unicodedata.normalize("NFKC", kept)) if word.folded]
    return blake2b("\0".join(words).encode(), digest_size=8).hexdigest() if words else ""


def _without_publisher(title: str, feed_name: str) -> str:
    """Cut `Headline - Publisher` down to the headline, where the feed is called like that."""
    kept, dash, publisher = title.rpartition(" - ")
    if not dash:
        kept, dash, publisher = title.rpartition(" | ")
    same = publisher.strip().casefold() == feed_name.strip().casefold()
    return kept if dash and kept.strip() and same else title
