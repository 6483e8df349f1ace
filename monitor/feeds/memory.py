"""What stood in the last document of each address, small enough to be kept for ten thousand feeds."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from monitor.core.feed import ParsedArticle, ParsedFeed, Standing
from monitor.core.identity import keys_of

MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Remembered:
    """The entries of a document by mark, and its hash."""

    digest: str = ""
    entries: Mapping[int, Standing] = field(default_factory=dict)

    def complete(self, feed: ParsedFeed, marks: Sequence[int]) -> ParsedFeed:
        """Return the document after this one: `feed` has those of its `marks` that are not remembered."""
        known = self.entries
        standing = {place: known[mark] for place, mark in enumerate(marks) if mark in known}
        return replace(feed, standing=standing, stood_in=self.digest) if standing else feed

    def followed_by(self, digest: str, feed: ParsedFeed, marks: Sequence[int]) -> "Remembered":
        """Return what to remember of the document after this one."""
        known, fresh = self.entries, iter(feed.articles)
        entries = {mark: known[mark] if mark in known else _standing(next(fresh)) for mark in marks}
        return Remembered(digest, entries)


def _standing(article: ParsedArticle) -> Standing:
    return Standing(keys_of(article), article.published_at)


NOTHING = Remembered()


class EntryMemory:
    """Remembers marks, keys and dates of the entries of each document, and forgets whose turn was longest ago.

    Nothing depends on it: what is forgotten is parsed again.
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        """Take how many bytes it may keep."""
        self._most = most
        self._size = 0
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Remembered)

    def last(self, url: str) -> Remembered:
        """Return the last document from `url`."""
        kept = self._kept.get(url)
        if kept is None:
            return NOTHING
        self._kept.move_to_end(url)
        return self._decoder.decode(kept)

    def keep(self, url: str, document: Remembered) -> None:
        """Remember a document instead of the last one from `url`; one without entries is forgotten."""
        self._size -= len(self._kept.pop(url, b""))
        if document.entries:
            packed = self._encoder.encode(document)
            self._kept[url] = packed
            self._size += len(packed)
        while self._size > self._most:
            self._size -= len(self._kept.popitem(last=False)[1])
