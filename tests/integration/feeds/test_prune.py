"""What stood in a document before is not parsed again, and nothing else is left out."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from monitor.core.feed import Document, ParsedArticle, ParsedFeed, Standing
from monitor.core.identity import keys_of
from monitor.core.poll import document_keys
from monitor.feeds.memory import NOTHING, EntryMemory, Remembered
from monitor.feeds.process import ProcessParser
from tests.servers.feeds import item, rss

URL = "http://news.example/feed"
DATE = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
OLD = [item(n, text=f"Text {n}", published_at=DATE) for n in range(3)]


def fetched(body: str, url: str = URL) -> Document:
    return Document(url=url, status=200, body=body.encode())


@pytest.fixture
async def parser() -> AsyncIterator[ProcessParser]:
    async with ProcessParser(workers=1, timeout=timedelta(seconds=10)) as opened:
        yield opened


def shown(feed: ParsedFeed) -> list[str]:
    """Return the titles, with a dash for an entry that came without its text."""
    return [each.title if isinstance(each, ParsedArticle) else "-" for each in feed.entries()]


async def test_only_what_is_new_comes_with_its_text(parser: ProcessParser) -> None:
    first = await parser.parse(fetched(rss(*OLD)), pruned=True)
    again = await parser.parse(fetched(rss(item(9), *OLD)), pruned=True)
    assert shown(first) == ["Story 0", "Story 1", "Story 2"]
    assert shown(again) == ["Story 9", "-", "-", "-"]
    assert document_keys(again)[-len(document_keys(first)) :] == document_keys(first)
    assert [article.published_at for article in again.entries()] == [None, DATE, DATE, DATE]
    assert again.title == "Example World"


async def test_edit_comes_with_its_text(parser: ProcessParser) -> None:
    await parser.parse(fetched(rss(*OLD)), pruned=True)
    edited = item(1, text="Other", published_at=DATE)
    assert shown(await parser.parse(fetched(rss(OLD[0], edited, OLD[2])), pruned=True)) == [
        "-",
        "Story 1",
        "-",
    ]
    assert shown(await parser.parse(fetched(rss(*OLD)), pruned=True)) == ["-", "Story 1", "-"]


async def test_whole_document_comes_when_it_is_asked_for(parser: ProcessParser) -> None:
    await parser.parse(fetched(rss(*OLD)), pruned=True)
    assert "-" not in shown(await parser.parse(fetched(rss(*OLD))))
    assert shown(await parser.parse(fetched(rss(*OLD)), pruned=True)) == ["-", "-", "-"]


async def test_addresses_do_not_share_what_they_remember(parser: ProcessParser) -> None:
    await parser.parse(fetched(rss(*OLD)), pruned=True)
    other = await parser.parse(fetched(rss(*OLD), url="http://other.example/feed"), pruned=True)
    assert "-" not in shown(other)


@pytest.mark.parametrize(
    "changed",
    [
        rss(*OLD).replace("<rss ", '<rss xml:lang="de" '),
        rss(*OLD).replace("<rss ", '<rss xml:base="http://other.example/" '),
        rss(*OLD).replace("<rss ", '<rss xmlns="urn:other" '),
    ],
)
async def test_entries_that_inherit_something_else_are_read_again(
    parser: ProcessParser, changed: str
) -> None:
    await parser.parse(fetched(rss(*OLD)), pruned=True)
    assert "-" not in shown(await parser.parse(fetched(changed), pruned=True))


async def test_malformed_document_is_read_as_a_whole_each_time(parser: ProcessParser) -> None:
    broken = rss(*OLD, "<item><title>Fish & chips</title></item>")
    for _ in range(2):
        assert len(shown(await parser.parse(fetched(broken), pruned=True))) == 4
        assert "-" not in shown(await parser.parse(fetched(broken), pruned=True))


async def test_memory_outlives_the_process_that_parsed(parser: ProcessParser) -> None:
    await parser.parse(fetched(rss(*OLD)), pruned=True)
    await parser.close()
    assert shown(await parser.parse(fetched(rss(*OLD)), pruned=True)) == ["-", "-", "-"]


async def test_document_says_in_which_one_its_entries_stood(parser: ProcessParser) -> None:
    first, second = fetched(rss(*OLD)), fetched(rss(item(9), *OLD))
    assert (await parser.parse(first, pruned=True)).stood_in == ""
    assert (await parser.parse(second, pruned=True)).stood_in == first.body_hash
    assert (await parser.parse(second, pruned=True)).stood_in == second.body_hash


# --- the memory itself ---


def read(guid: str, published_at: datetime | None = None) -> Standing:
    return Standing(keys_of(ParsedArticle(guid=guid, title="Story")), published_at)


def test_memory_gives_back_keys_and_dates_to_the_microsecond() -> None:
    memory = EntryMemory()
    entries = {5: read("a", datetime(1950, 1, 1, 0, 0, 0, 1, UTC)), 2**64 - 1: read("")}
    memory.keep(URL, Remembered("digest", entries))
    assert memory.last(URL) == Remembered("digest", entries)
    assert list(memory.last(URL).entries) == [5, 2**64 - 1]


def test_memory_forgets_whose_turn_was_longest_ago() -> None:
    memory, document = EntryMemory(most=150), Remembered("digest", {1: read("a")})
    for url in ("a", "b", "c"):
        memory.keep(url, document)
    memory.last("a")
    memory.keep("d", document)
    assert [url for url in "abcd" if memory.last(url) == document] == ["a", "c", "d"]


def test_document_without_marks_is_forgotten() -> None:
    memory = EntryMemory()
    memory.keep(URL, Remembered("digest", {1: read("a")}))
    memory.keep(URL, Remembered("other", {}))
    assert memory.last(URL) == NOTHING
