"""Parsing in processes, with documents that hang, crash or fill memory."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from monitor.core.feed import Document, ParsedFeed
from monitor.errors import FeedReason, ParseError
from monitor.feeds.frames import LENGTH, PageRequest, Request
from monitor.feeds.process import ProcessParser
from tests.servers.feeds import item, rss
from tests.wait import wait_until

GOOD = rss(item(1, title="Talks resume"), item(2))


def fetched(body: str | bytes, **changes: object) -> Document:
    raw = body.encode() if isinstance(body, str) else body
    return Document(url="http://news.example/feed", status=200, body=raw, **changes)  # type: ignore[arg-type]


def many_namespaces(count: int) -> str:
    """Write a document over which feedparser takes quadratic time: minutes, for the count used here."""
    decorated = (f'<x{n}:y xmlns:x{n}="urn:{n}">z</x{n}:y>' for n in range(count))
    return rss(f"<item><title>1 &lt; 2</title>{''.join(decorated)}</item>")


def children() -> set[int]:
    """Return the parsing processes that this process has."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return {int(line.split()[0]) for line in listed.splitlines() if "feeds.worker" in line}


@pytest.fixture
async def parser() -> AsyncIterator[ProcessParser]:
    async with ProcessParser(workers=1, timeout=timedelta(seconds=10)) as opened:
        yield opened


async def failure(parser: ProcessParser, document: Document) -> ParseError:
    with pytest.raises(ParseError) as caught:
        await parser.parse(document)
    return caught.value


async def titles(parser: ProcessParser, document: Document) -> list[str]:
    return [article.title for article in (await parser.parse(document)).articles]


async def test_document_is_parsed(parser: ProcessParser) -> None:
    assert await titles(parser, fetched(GOOD)) == ["Talks resume", "Story 2"]


async def test_no_process_is_started_before_there_is_a_document(parser: ProcessParser) -> None:
    assert children() == set()
    await parser.parse(fetched(GOOD))
    assert len(children()) == 1


async def test_one_process_serves_one_document_after_the_other(parser: ProcessParser) -> None:
    await parser.parse(fetched(GOOD))
    first = children()
    await parser.parse(fetched(GOOD))
    assert children() == first


async def test_parse_error_crosses_the_process_with_its_reason(parser: ProcessParser) -> None:
    error = await failure(parser, fetched("<html><body>Hello</body></html>"))
    assert error.reason is FeedReason.NOT_A_FEED
    assert "news.example sent a web page" in error.detail


async def test_headers_that_decide_the_charset_reach_the_process(parser: ProcessParser) -> None:
    body = rss(item(1, title="Переговоры")).replace(' encoding="utf-8"', "")
    headers = {"content-type": "text/xml; charset=windows-1251"}
    document = fetched(body.encode("cp1251"), headers=headers)
    assert await titles(parser, document) == ["Переговоры"]


async def test_document_that_takes_too_long_costs_its_process_and_nothing_else() -> None:
    async with ProcessParser(workers=1, timeout=timedelta(seconds=3)) as hasty:
        await hasty.parse(fetched(GOOD))
        before = children()
        error = await failure(hasty, fetched(many_namespaces(60_000)))
        assert error.reason is FeedReason.PARSER_FAILED
        assert "took longer than 3 s" in error.detail
        assert await titles(hasty, fetched(GOOD)) == ["Talks resume", "Story 2"]
        assert not children() & before


async def test_process_that_dies_costs_one_document(parser: ProcessParser) -> None:
    await parser.parse(fetched(GOOD))
    (worker,) = children()
    os.kill(worker, signal.SIGKILL)
    error = await failure(parser, fetched(GOOD))
    assert error.reason is FeedReason.PARSER_FAILED
    assert "ended with -9" in error.detail
    assert await titles(parser, fetched(GOOD)) == ["Talks resume", "Story 2"]


async def test_document_that_wants_too_much_memory_is_refused() -> None:
    text = "<p>word</p>" * 1_000_000
    async with ProcessParser(workers=1, memory=128 << 20) as small:
        error = await failure(small, fetched(rss(item(1, text=text))))
        assert error.reason is FeedReason.PARSER_FAILED
        assert await titles(small, fetched(GOOD)) == ["Talks resume", "Story 2"]


async def test_cancelled_parse_does_not_answer_the_next_one(parser: ProcessParser) -> None:
    await parser.parse(fetched(GOOD))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await parser.parse(fetched(many_namespaces(60_000)))
    assert await titles(parser, fetched(rss(item(3)))) == ["Story 3"]


async def test_documents_are_parsed_side_by_side() -> None:
    async with ProcessParser(workers=2) as parser, asyncio.TaskGroup() as group:
        found = [group.create_task(titles(parser, fetched(rss(item(n))))) for n in range(6)]
    assert [task.result() for task in found] == [[f"Story {n}"] for n in range(6)]


async def test_loop_goes_on_while_a_document_is_parsed(parser: ProcessParser) -> None:
    await parser.parse(fetched(GOOD))
    turns = 0
    async with asyncio.TaskGroup() as group:
        slow = group.create_task(parser.parse(fetched(rss(*(item(n) for n in range(4_000))))))
        while not slow.done():
            await asyncio.sleep(0)
            turns += 1
    assert turns > 50


async def test_no_process_outlives_its_parser() -> None:
    async with ProcessParser() as parser:
        await parser.parse(fetched(GOOD))
        assert children()
    assert children() == set()


async def test_ctrl_c_reaches_the_parent_alone(parser: ProcessParser) -> None:
    await parser.parse(fetched(GOOD))
    (worker,) = children()
    assert os.getsid(worker) == worker


async def test_document_under_way_is_finished_when_the_parser_closes() -> None:
    parser = ProcessParser(workers=1)
    await parser.parse(fetched(GOOD))
    async with asyncio.TaskGroup() as group:
        last = group.create_task(parser.parse(fetched(rss(*(item(n) for n in range(500))))))
        await asyncio.sleep(0)
        await parser.close()
    assert len(last.result().articles) == 500
    assert children() == set()


async def test_process_has_none_of_our_secrets(
    parser: ProcessParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_TOKEN", "xoxb-secret")
    await parser.parse(fetched(GOOD))
    (worker,) = children()
    assert b"SLACK_TOKEN" not in environment_of(worker)


def environment_of(pid: int) -> bytes:
    kept = Path(f"/proc/{pid}/environ")
    return kept.read_bytes() if kept.exists() else pytest.skip("needs /proc")


async def test_process_that_hangs_ends_by_itself_when_nobody_is_left_to_kill_it() -> None:
    frame = msgspec.msgpack.encode(Request(fetched(many_namespaces(60_000))))
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitor.feeds.worker", str(1 << 30), "1", "feed"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )
    await worker.communicate(LENGTH.pack(len(frame)) + frame)
    assert worker.returncode == -signal.SIGALRM


@pytest.mark.parametrize(
    ("job", "sound"),
    [
        ("feed", Request(Document(url="http://news.example/", status=200, body=b"<rss></rss>"))),
        ("page", PageRequest(Document(url="http://news.example/", status=200, body=b"<p>x"))),
    ],
)
async def test_what_the_parser_fails_at_costs_one_answer_and_not_its_process(
    job: str, sound: Request | PageRequest
) -> None:
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitor.feeds.worker", str(1 << 30), "20", job),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert worker.stdin
    assert worker.stdout
    said = []
    for frame in (b"\xc1", msgspec.msgpack.encode(sound)):  # MessagePack never uses 0xc1
        worker.stdin.write(LENGTH.pack(len(frame)) + frame)
        head = await worker.stdout.readexactly(LENGTH.size)
        said.append(await worker.stdout.readexactly(*LENGTH.unpack(head)))
    worker.stdin.close()
    assert await worker.wait() == 0
    assert b"the parser failed" in said[0]
    assert b"the parser failed" not in said[1]


PARENT = """
import asyncio, os, sys
from monitor.core.feed import Document
from monitor.feeds.frames import LENGTH
from monitor.feeds.process import ProcessParser

async def main():
    parser = ProcessParser(workers=1)
    await parser.parse(Document(url="http://news.example/", status=200, body=b"<rss></rss>"))
    print("ready", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_process_ends_when_its_parent_is_killed() -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert parent.stdout is not None
    assert await parent.stdout.readline() == b"ready\n"
    listed = await asyncio.to_thread(
        subprocess.run,
        ["ps", "-o", "pid=", "--ppid", str(parent.pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    (worker,) = map(int, listed.stdout.split())
    parent.kill()
    await parent.wait()
    await wait_until(lambda: not is_alive(worker), "the worker ended with its parent")


def is_alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


async def test_large_documents_cross_in_both_directions(parser: ProcessParser) -> None:
    text = " ".join(f"w{n}" for n in range(20_000))
    found: ParsedFeed = await parser.parse(fetched(rss(*(item(n, text=text) for n in range(20)))))
    assert len(found.articles) == 20
    assert found.articles[0].summary.startswith("w0 w1 ")
