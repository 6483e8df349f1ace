"""What stood in the last document of each address, small enough to be kept for ten thousand feeds."""

import struct
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from monitor.core.feed import Keys, ParsedArticle

MOST_BYTES = 64 << 20
# Mark, which of the rest there are, then guid, link, text, moment, and microseconds since 1970.
_ENTRY = struct.Struct("<QBqqqqq")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class EntryMemory:
    """Remembers marks, keys and dates of the entries of each document, and forgets whose turn was longest ago.

    Nothing depends on it: what is forgotten is parsed again.
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        """Take how many bytes it may keep."""
        self._most = most
        self._size = 0
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def unchanged(self, url: str) -> Mapping[int, ParsedArticle]:
        """Return the entries of the last document from `url` by mark, without their texts."""
        if url in self._kept:
            self._kept.move_to_end(url)
        return dict([_unpacked(*row) for row in _ENTRY.iter_unpack(self._kept.get(url, b""))])

    def keep(self, url: str, marks: Sequence[int], articles: Sequence[ParsedArticle]) -> None:
        """Remember a document instead of the last one from `url`; one without marks is forgotten."""
        self._size -= len(self._kept.pop(url, b""))
        packed = b"".join(map(_packed, marks, articles))
        if packed:
            self._kept[url] = packed
            self._size += len(packed)
        while self._size > self._most:
            self._size -= len(self._kept.popitem(last=False)[1])


_NO_KEYS = Keys(guid=None, url=None, text=None)


def _packed(mark: int, article: ParsedArticle) -> bytes:
    guid, url, text, moment = article.keys or _NO_KEYS
    date = article.published_at
    present = (
        (guid is not None)
        | (url is not None) << 1
        | (text is not None) << 2
        | (moment is not None) << 3
        | (date is not None) << 4
    )
    microseconds = 0 if date is None else (date - _EPOCH) // _MICROSECOND
    return _ENTRY.pack(mark, present, guid or 0, url or 0, text or 0, moment or 0, microseconds)


def _unpacked(
    mark: int, present: int, guid: int, url: int, text: int, moment: int, date: int
) -> tuple[int, ParsedArticle]:
    keys = Keys(
        guid if present & 1 else None,
        url if present & 2 else None,
        text if present & 4 else None,
        moment if present & 8 else None,
    )
    published_at = _EPOCH + date * _MICROSECOND if present & 16 else None
    return mark, ParsedArticle.standing(keys, published_at)
