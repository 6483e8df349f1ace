"""What a worker process and its parent say to each other: a length, then that many bytes of MessagePack."""

import struct

import msgspec

from monitor.core.feed import Document, ParsedFeed
from monitor.core.fulltext import PageText
from monitor.errors import FeedReason

LENGTH = struct.Struct(">I")


class Request(msgspec.Struct, frozen=True, array_like=True):
    """A document to parse, but for the entries of these marks."""

    document: Document
    known: frozenset[int] = frozenset()


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """What came of one document: a feed, or a reason and a sentence.

    `marks` are those of all its entries, in order; the feed has those that were not known. None: the feed has all.
    """

    feed: ParsedFeed | None
    marks: tuple[int, ...] = ()
    reason: FeedReason | None = None
    detail: str = ""


class PageRequest(msgspec.Struct, frozen=True, array_like=True):
    """A page to extract the text of."""

    document: Document


class PageReply(msgspec.Struct, frozen=True, array_like=True):
    """What came of a page."""

    page: PageText
