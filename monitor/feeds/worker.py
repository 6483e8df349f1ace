"""The process that parses: frames of MessagePack in, frames of MessagePack out, until its input ends.

It has no secrets in its environment, a limit on memory, and an alarm that ends it should its parent not live to do so.
"""

import contextlib
import resource
import signal
import sys
from dataclasses import replace
from typing import BinaryIO

import msgspec

from monitor.core.feed import ParsedFeed
from monitor.core.identity import keys_of
from monitor.errors import FeedReason, ParseError
from monitor.feeds.frames import LENGTH, Reply, Request
from monitor.feeds.parse import parse_unknown


def answer(frame: bytes) -> bytes:
    """Parse the document in `frame` and return the reply, encoded."""
    request = msgspec.msgpack.decode(frame, type=Request)
    try:
        parsed = parse_unknown(request.document, request.known)
        reply = Reply(_with_keys(parsed.feed), parsed.marks)
    except ParseError as error:
        reply = Reply(None, (), error.reason, error.detail)
    except MemoryError:
        reply = Reply(None, (), FeedReason.PARSER_FAILED, "takes more memory to parse than it may")
    except Exception as error:  # noqa: BLE001 - the wall of one feed: feedparser meets documents nobody has thought of
        reply = Reply(None, (), FeedReason.PARSER_FAILED, f"the parser failed: {error!r:.300}")
    return msgspec.msgpack.encode(reply)


def _with_keys(feed: ParsedFeed) -> ParsedFeed:
    """Make the keys here: the event loop has better things to do."""
    return replace(
        feed, articles=tuple(replace(each, keys=keys_of(each)) for each in feed.articles)
    )


def serve(source: BinaryIO, sink: BinaryIO, seconds: int) -> None:
    """Answer frames until `source` ends; die of an alarm when one takes longer than `seconds`."""
    while True:
        head = source.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return
        frame = source.read(*LENGTH.unpack(head))
        signal.alarm(seconds)
        reply = answer(frame)
        signal.alarm(0)
        sink.write(LENGTH.pack(len(reply)) + reply)
        sink.flush()


def main(memory: int, seconds: int) -> None:
    """Bound this process, then serve its standard input."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):  # macOS refuses this one
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    sink, sys.stdout = sys.stdout.buffer, sys.stderr
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, sink, seconds)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
