"""What the parsing process and its parent say to each other: a length, then that many bytes of MessagePack."""

import struct

import msgspec

from monitor.core.feed import ParsedFeed
from monitor.errors import FeedReason

LENGTH = struct.Struct(">I")


class Reply(msgspec.Struct, frozen=True, array_like=True):
    """What came of one document: a feed, or a reason and a sentence."""

    feed: ParsedFeed | None
    reason: FeedReason | None = None
    detail: str = ""
