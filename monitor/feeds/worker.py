"""The process that parses feeds or pages: frames of MessagePack in, frames of MessagePack out, until its input ends.

It has no secrets in its environment, a limit on memory, and an alarm that ends it should its parent not live to do so.
"""

import contextlib
import resource
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

import msgspec

from monitor.core.feed import ParsedFeed
from monitor.core.fulltext import PageOutcome, PageText
from monitor.core.identity import keys_of
from monitor.errors import FeedReason, ParseError
from monitor.feeds.frames import LENGTH, PageReply, PageRequest, Reply, Request
from monitor.feeds.parse import parse_unknown


def answer_feed(frame: bytes) -> bytes:
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


def answer_page(frame: bytes) -> bytes:
    """Extract the text of the page in `frame` and return the reply, encoded."""
    from monitor.feeds.extract import extract_page  # noqa: PLC0415 - it takes long to import, and feeds need none of it

    request = msgspec.msgpack.decode(frame, type=PageRequest)
    try:
        page = extract_page(request.document)
    except MemoryError:
        page = PageText(outcome=PageOutcome.FAILED, detail="takes more memory to read than it may")
    except Exception as error:  # noqa: BLE001 - the wall of one page: trafilatura meets pages nobody has thought of
        page = PageText(outcome=PageOutcome.FAILED, detail=f"the extractor failed: {error!r:.300}")
    return msgspec.msgpack.encode(PageReply(page))


def _with_keys(feed: ParsedFeed) -> ParsedFeed:
    """Make the keys here: the event loop has better things to do."""
    return replace(
        feed, articles=tuple(replace(each, keys=keys_of(each)) for each in feed.articles)
    )


def serve(source: BinaryIO, sink: BinaryIO, seconds: int, answer: Callable[[bytes], bytes]) -> None:
    """Answer frames until `source` ends; die of an alarm when one takes longer than `seconds`."""
    while True:
        head = source.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return
        frame = source.read(*LENGTH.unpack(head))
        signal.alarm(seconds)
        _allow(seconds)
        reply = answer(frame)
        signal.alarm(0)
        sink.write(LENGTH.pack(len(reply)) + reply)
        sink.flush()


def _allow(seconds: int) -> None:
    """Let this process compute for so long and no longer, should its alarm be held up."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    with contextlib.suppress(ValueError, OSError):  # beyond what the operator allows it anyway
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + seconds + 1, most))


def main(memory: int, seconds: int, job: str) -> None:
    """Bound this process, then serve its standard input."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):  # macOS refuses this one
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    sink, sys.stdout = sys.stdout.buffer, sys.stderr
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, sink, seconds, answer_page if job == "page" else answer_feed)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
