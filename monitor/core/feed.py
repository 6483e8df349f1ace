"""What a poll brings in: the document as fetched, and the articles as parsed, before anything is decided about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An answer of 200, 226 or 304. For 304 `body` is empty.

    `url` is where the body came from, after redirects; `permanent_url` is the address to keep, when every
    redirect on the way was permanent. `headers` has lower-case names; `etag` and `last_modified` are as sent.
    `body` is decompressed, and `digest` is its SHA-256, if that was made already.
    """

    url: str
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
    last_modified: str | None = None
    permanent_url: str | None = None
    digest: str = ""

    @property
    def not_modified(self) -> bool:
        """Whether the server said that nothing changed."""
        return self.status == 304  # noqa: PLR2004 - the status code is its own best name

    @property
    def body_hash(self) -> str:
        """What tells this body from another."""
        return self.digest or digest_of(self.body)


def digest_of(body: bytes) -> str:
    """Return what tells one body from another."""
    return sha256(body).hexdigest()[:32]  # half the time of BLAKE2, where processors know it


class Keys(NamedTuple):  # made for every entry of every document
    """The 64-bit signed keys of one entry; a part that the entry does not have is None.

    `moment` is the text together with its date, and exists for short dated texts alone.
    """

    guid: int | None
    url: int | None
    text: int | None
    moment: int | None = None

    def present(self) -> tuple[int, ...]:
        """Return the keys there are."""
        guid, url, text, moment = self
        if moment is None and guid is not None and url is not None and text is not None:
            return (guid, url, text)  # what most entries have; asked of every entry
        return tuple([key for key in self if key is not None])


@dataclass(frozen=True, kw_only=True)
class ParsedArticle:
    """One article as the document gives it, texts already plain. Any field may be missing or wrong.

    `keys` are those of the article, if they were made already.
    """

    guid: str = ""
    url: str = ""
    title: str = ""
    summary: str = ""
    body: str = ""
    author: str = ""
    lang: str | None = None
    tags: tuple[str, ...] = ()
    published_at: datetime | None = None
    keys: Keys | None = field(default=None, compare=False)


class Standing(NamedTuple):  # forty-nine of fifty entries are
    """An entry that stood in the document before, byte for byte: its text is not read again."""

    keys: Keys
    published_at: datetime | None


Entry = ParsedArticle | Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How often a document says that it wants to be read, in its own elements; zero and empty: it does not say.

    `every` comes from `ttl` or `sy:updatePeriod`. `skip_hours` are hours of the day in GMT, `skip_days` days of the
    week with Monday as 0.
    """

    every: timedelta = timedelta()
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()


NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """A document, parsed; `articles` stand in the order of the document.

    Where it was pruned, `standing` are the entries that stood in the document before, by their places in this one, and
    `articles` the others; `stood_in` is the hash of that document. `complete` is False when the document broke off:
    what is missing from it may still stand in the feed.
    """

    title: str = ""
    url: str = ""
    lang: str | None = None
    articles: tuple[ParsedArticle, ...] = ()
    complete: bool = True
    wishes: Wishes = NO_WISHES
    standing: Mapping[int, Standing] = field(default_factory=dict)
    stood_in: str = ""

    def entries(self) -> tuple[Entry, ...]:
        """Return all entries, in the order of the document."""
        if not self.standing:
            return self.articles
        fresh, standing = iter(self.articles), self.standing
        places = range(len(self.articles) + len(standing))
        return tuple([standing[place] if place in standing else next(fresh) for place in places])
