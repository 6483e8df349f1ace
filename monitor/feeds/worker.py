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
from typing import BinaryIO, NamedTuple

import msgspec

from monitor.core.feed import ParsedFeed
from monitor.core.fulltext import PageOutcome, PageText
from monitor.core.identity import keys_of
from monitor.errors import FeedReason, ParseError
from monitor.feeds.frames import LENGTH, PageReply, PageRequest, Reply, Request
from monitor.feeds.parse import parse_unknown


class Job(NamedTuple):
    """What a process does with frames: answer one, or say that answering it failed."""

    answer: Callable[[bytes], msgspec.Struct]
    failed: Callable[[str], msgspec.Struct]


def answer_feed(frame: bytes) -> Reply:
    """Parse the document in `frame`."""
    request = msgspec.msgpack.decode(frame, type=Request)
    try:
        parsed = parse_unknown(request.document, request.known)
    except ParseError as error:
        return Reply(None, (), error.reason, error.detail)
    return Reply(_with_keys(parsed.feed), parsed.marks)


def answer_page(frame: bytes) -> PageReply:
    """Extract the text of the page in `frame`."""
    from monitor.feeds.extract import extract_page  # noqa: PLC0415 - it takes long to import, and feeds need none of it

    return PageReply(extract_page(msgspec.msgpack.decode(frame, type=PageRequest).document))


def _failed_page(detail: str) -> PageReply:
    return PageReply(PageText(outcome=PageOutcome.FAILED, detail=detail))


JOBS = {
    "feed": Job(answer_feed, lambda detail: Reply(None, (), FeedReason.PARSER_FAILED, detail)),
    "page": Job(answer_page, _failed_page),
}


def _with_keys(feed: ParsedFeed) -> ParsedFeed:
    """Make the keys here: the event loop has better things to do."""
    return replace(
        feed, articles=tuple(replace(each, keys=keys_of(each)) for each in feed.articles)
    )


def serve(source: BinaryIO, sink: BinaryIO, seconds: int, job: Job) -> None:
    """Answer frames until `source` ends; die of an alarm when one takes longer than `seconds`."""
    while True:
        head = source.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return
        frame = source.read(*LENGTH.unpack(head))
        signal.alarm(seconds)
        _allow(seconds)
        reply = msgspec.msgpack.encode(_answered(job, frame))
        signal.alarm(0)
        sink.write(LENGTH.pack(len(reply)) + reply)
        sink.flush()


def _answered(job: Job, frame: bytes) -> msgspec.Struct:
    try:
        return job.answer(frame)
    except MemoryError:
        return job.failed("takes more memory to read than it may")
    except Exception as error:  # noqa: BLE001 - the wall of one document: its parsers meet what nobody has thought of
        return job.failed(f"the parser failed: {error!r:.300}")


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
        serve(sys.stdin.buffer, sink, seconds, JOBS[job])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
