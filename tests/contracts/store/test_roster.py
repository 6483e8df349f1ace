"""A process that follows the records of a kind, over every kind of store."""

import pytest

from monitor.core.model import Feed
from monitor.errors import CodecError
from monitor.ports import Draft, RecordKind
from monitor.registry import FEEDS, LARGEST, Roster, RosterChange
from monitor.streams import bounds
from tests.contracts.store.conftest import Ports
from tests.factories import NOW, feed

FEED = RecordKind.FEED


async def put(ports: Ports, *feeds: Feed) -> None:
    drafts = [Draft(id=each.id, value=FEEDS.encode(each)) for each in feeds]
    await ports.registry.put_all(FEED, drafts, NOW)


def followed(ports: Ports) -> Roster[Feed]:
    return Roster(ports.registry, FEEDS)


async def test_a_roster_starts_empty_and_reads_everything(ports: Ports) -> None:
    roster = followed(ports)
    assert not await roster.refresh()
    feeds = [feed(id=f"f{number}", labels={"desk": "world"}) for number in range(1500)]
    await put(ports, *feeds)
    assert (await roster.refresh()).changed == {each.id for each in feeds}
    assert roster.values == {each.id: each for each in feeds}
    assert not await roster.refresh()


async def test_a_roster_tells_what_changed_and_what_is_gone(ports: Ports) -> None:
    roster = followed(ports)
    await put(ports, feed(id="same"), feed(id="other"), feed(id="gone"))
    await roster.refresh()
    await put(ports, feed(id="other", name="Other"), feed(id="new"), feed(id="brief"))
    await ports.registry.remove(FEED, "gone", NOW)
    await ports.registry.remove(FEED, "brief", NOW)
    change = await roster.refresh()
    assert change == RosterChange(frozenset({"other", "new"}), frozenset({"gone"}))
    assert set(roster.values) == {"same", "other", "new"}


async def test_a_roster_that_slept_too_long_reads_everything_again(ports: Ports) -> None:
    roster = followed(ports)
    await put(ports, feed(id="kept"), feed(id="gone"))
    await roster.refresh()
    await ports.registry.remove(FEED, "gone", NOW)
    await ports.health.tidy(NOW + bounds.REMOVALS_KNOWN)
    await put(ports, feed(id="new"))
    assert await roster.refresh() == RosterChange(frozenset({"new"}), frozenset({"gone"}))


async def test_a_store_that_was_emptied_is_read_from_the_start(ports: Ports) -> None:
    roster = followed(ports)
    await put(ports, feed(id="a"), feed(id="b"))
    await roster.refresh()
    values = roster.values
    roster._version = 9
    assert not await roster.refresh()
    assert set(values) == {"a", "b"}


async def test_a_record_of_a_newer_release_costs_no_other(ports: Ports) -> None:
    roster = followed(ports)
    await ports.registry.put(FEED, Draft(id="new", value=b"2{}"), NOW)
    await put(ports, feed(id="old"))
    assert (await roster.refresh()).changed == {"old"}


@pytest.mark.parametrize("data", [b"", b"2{}", b"1", b"1{", b"1[]", b'1{"id": 3}', b"1\xff"])
def test_bytes_that_are_no_record_are_refused(data: bytes) -> None:
    with pytest.raises(CodecError, match="cannot read this feed"):
        FEEDS.decode(data)


def test_a_feed_is_read_as_it_was_written() -> None:
    written = feed(labels={"a": "b"}, category="politics", lang="en")
    assert FEEDS.decode(FEEDS.encode(written)) == written


def test_what_is_too_large_or_no_text_is_not_written() -> None:
    with pytest.raises(CodecError, match="at most 262,144 are kept"):
        FEEDS.encode(feed(name="x" * LARGEST))
    with pytest.raises(CodecError, match="cannot write this feed"):
        FEEDS.encode(feed(name="\ud800"))
