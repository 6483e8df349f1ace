"""Which articles tell the same news, as far as their headlines show."""

import unicodedata
from hashlib import blake2b

from monitor.core.model import Article
from monitor.core.text import split


def story_of(article: Article) -> str:
    """Return the key of the article's story: the same for the same headline, whichever feed carries it.

    Case, diacritics, punctuation and a name of the feed at the end do not count. An article without a headline is a
    story of its own.
    """
    title = _without_publisher(article.title, article.feed_name)
    words = [word.folded for word in split(unicodedata.normalize("NFKC", title)) if word.folded]
    if not words:
        return article.id
    return blake2b("\0".join(words).encode(), digest_size=8).hexdigest()


def _without_publisher(title: str, feed_name: str) -> str:
    """Cut `Headline - Publisher` down to the headline, where the feed is called like that."""
    kept, dash, publisher = title.rpartition(" - ")
    if not dash:
        kept, dash, publisher = title.rpartition(" | ")
    same = publisher.strip().casefold() == feed_name.strip().casefold()
    return kept if dash and kept.strip() and same else title
