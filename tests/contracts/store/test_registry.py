"""What every `Registry` promises."""

from datetime import timedelta

from monitor.ports import Changes, Draft, Put, Record, RecordKind, Refusal
from monitor.registry import all_records
from monitor.streams import bounds
from tests.contracts.store.conftest import Ports
from tests.factories import NOW

FEED = RecordKind.FEED
HOUR = timedelta(hours=1)


def draft(name: str = "a", value: bytes = b"1{}", **more: object) -> Draft:
    return Draft(id=name, value=value, **more)  # type: ignore[arg-type]


async def put(ports: Ports, name: str = "a", value: bytes = b"1{}", **more: object) -> Put:
    return await ports.registry.put(FEED, draft(name, value, **more), NOW)


async def changes(ports: Ports, since: int = 0) -> Changes:
    return await ports.registry.changes(FEED, since)


async def test_what_was_put_is_there_with_its_version(ports: Ports) -> None:
    assert await put(ports, value=b"1\xff\x00", expires_at=NOW + HOUR) == Put(version=1)
    kept = Record(id="a", value=b"1\xff\x00", version=1, expires_at=NOW + HOUR)
    assert await ports.registry.get(FEED, "a") == kept
    assert await ports.registry.get(FEED, "b") is None
    assert await ports.registry.get(RecordKind.RULE, "a") is None


async def test_an_empty_registry_has_no_versions_and_no_records(ports: Ports) -> None:
    assert await ports.registry.versions() == {}
    nothing = Changes(records=(), removed=(), last=0, more=False, forgotten=0)
    assert await changes(ports) == nothing


async def test_each_write_and_removal_raises_the_version_of_its_kind_alone(ports: Ports) -> None:
    await put(ports)
    await ports.registry.put(RecordKind.SILENCE, draft(), NOW)
    await put(ports, value=b"1[]")
    await ports.registry.remove(FEED, "a", NOW)
    assert await ports.registry.versions() == {FEED: 3, RecordKind.SILENCE: 1}


async def test_writing_a_record_as_it_is_changes_nothing(ports: Ports) -> None:
    for _ in range(2):
        assert await put(ports, expires_at=NOW + HOUR, unique="u") == Put(version=1)
    assert await ports.registry.versions() == {FEED: 1}
    assert await put(ports, unique="u") == Put(version=2)


async def test_changes_tell_what_is_new_and_what_is_gone_since_a_version(ports: Ports) -> None:
    for name in ("a", "b", "c"):
        await put(ports, name)
    before = (await changes(ports)).last
    await put(ports, "b", b"1[]")
    await ports.registry.remove(FEED, "a", NOW)
    found = await changes(ports, before)
    assert [(each.id, each.value) for each in found.records] == [("b", b"1[]")]
    assert found.removed == ("a",)
    assert (found.last, found.more) == (5, False)
    assert (await changes(ports, found.last)).records == ()


async def test_a_record_that_changes_often_comes_once_as_it_is_now(ports: Ports) -> None:
    for number in range(5):
        await put(ports, value=b"1%d" % number)
    [record] = (await changes(ports)).records
    assert (record.value, record.version) == (b"14", 5)


async def test_a_removed_record_that_comes_back_is_not_among_the_removed(ports: Ports) -> None:
    await put(ports)
    await ports.registry.remove(FEED, "a", NOW)
    await put(ports)
    found = await changes(ports, 1)
    assert [record.id for record in found.records] == ["a"]
    assert found.removed == ()


async def test_all_records_come_page_by_page_in_the_order_of_their_versions(ports: Ports) -> None:
    for number in (3, 1, 4, 2, 0):
        await put(ports, f"f{number}")
    await ports.registry.remove(FEED, "f4", NOW)
    names = [record.id async for record in all_records(ports.registry, FEED, at_once=2)]
    assert names == ["f3", "f1", "f2", "f0"]


async def test_an_expected_version_guards_against_the_change_of_another(ports: Ports) -> None:
    assert await put(ports, expected=0) == Put(version=1)
    assert await put(ports, value=b"1[]", expected=0) == Put(version=1, refusal=Refusal.CHANGED)
    assert await put(ports, value=b"1[]", expected=1) == Put(version=2)
    assert not await ports.registry.remove(FEED, "a", NOW, expected=1)
    assert await ports.registry.remove(FEED, "a", NOW, expected=2)
    assert await put(ports, expected=2) == Put(version=0, refusal=Refusal.CHANGED)


async def test_what_is_unique_is_held_by_one_record_at_a_time(ports: Ports) -> None:
    await put(ports, "a", unique="http://x/")
    taken = Put(version=0, refusal=Refusal.TAKEN, holder="a")
    assert await put(ports, "b", unique="http://x/") == taken
    assert await ports.registry.get(FEED, "b") is None
    assert await ports.registry.holder(FEED, "http://x/") == "a"
    assert await ports.registry.holder(FEED, "http://y/") is None
    assert (await ports.registry.put(RecordKind.RULE, draft(unique="http://x/"), NOW)).version == 1
    await put(ports, "a", unique="http://y/")
    assert (await put(ports, "b", unique="http://x/")).refusal is None
    await ports.registry.remove(FEED, "a", NOW)
    assert (await put(ports, "c", unique="http://y/")).refusal is None


async def test_many_are_written_in_order_each_for_itself(ports: Ports) -> None:
    await put(ports, "there", unique="u")
    drafts = [draft(f"f{number}") for number in range(450)]
    drafts[7] = draft("f7", unique="u")
    answers = await ports.registry.put_all(FEED, drafts, NOW)
    assert [answer.version for answer in answers[:3]] == [2, 3, 4]
    assert answers[7].refusal is Refusal.TAKEN
    assert sum(answer.refusal is None for answer in answers) == 449
    again = await ports.registry.put_all(FEED, drafts, NOW)
    assert again == answers
    assert await ports.registry.versions() == {FEED: 450}


async def test_removing_what_is_not_there_does_nothing(ports: Ports) -> None:
    assert not await ports.registry.remove(FEED, "a", NOW)
    assert await ports.registry.versions() == {}


async def test_what_has_expired_goes_and_is_told_as_removed(ports: Ports) -> None:
    await put(ports, "short", expires_at=NOW + HOUR, unique="u")
    await put(ports, "long")
    assert await ports.health.tidy(NOW + HOUR - timedelta(seconds=1)) == 0
    assert await ports.health.tidy(NOW + HOUR) == 1
    found = await changes(ports, 2)
    assert (found.removed, found.last) == (("short",), 3)
    assert (await put(ports, "other", unique="u")).refusal is None


async def test_a_record_can_be_kept_for_longer_or_for_good(ports: Ports) -> None:
    await put(ports, expires_at=NOW + HOUR)
    await put(ports)
    assert await ports.health.tidy(NOW + 2 * HOUR) == 0
    assert await ports.registry.get(FEED, "a") is not None


async def test_old_removals_are_forgotten_and_that_is_told(ports: Ports) -> None:
    await put(ports, "kept")
    await put(ports, "gone")
    await ports.registry.remove(FEED, "gone", NOW)
    await ports.health.tidy(NOW + bounds.REMOVALS_KNOWN - HOUR)
    assert (await changes(ports, 2)).removed == ("gone",)
    assert (await changes(ports, 2)).forgotten == 0
    await ports.health.tidy(NOW + bounds.REMOVALS_KNOWN)
    found = await changes(ports)
    assert [record.id for record in found.records] == ["kept"]
    assert (found.removed, found.last, found.forgotten) == ((), 3, 3)
