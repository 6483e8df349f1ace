"""What may go wrong between us and a server, and what a store must be like to be opened."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest

from monitor.core.model import FeedState
from monitor.errors import StoreRefusedError, StreamError
from monitor.ports import PollRecorded
from monitor.streams import client, keys
from monitor.streams.client import Command, NoGroupError, Server, call, command, connect
from monitor.streams.feeds import StreamFeedStore
from monitor.streams.health import StreamStoreHealth
from monitor.streams.ledger import StreamDeliveryLedger
from monitor.streams.log import StreamArticleLog
from monitor.streams.public import StreamPublicStream
from monitor.streams.store import Store, check_server, open_store, server_name
from tests.factories import NOW, alert, article, feed, match, matched
from tests.servers.proxy import Relay, relay
from tests.servers.valkey import running_server
from tests.wait import wait_until

MINUTE = timedelta(minutes=1)
NOT_AT_ALL = timedelta()


@pytest.fixture
async def lossy(server_url: str, store: Store, tmp_path: Path) -> AsyncIterator[Relay]:
    """A relay to the store's server that loses replies on demand."""
    assert store.partitions
    target = Path(unquote(server_url.removeprefix("unix://")))
    async with relay(target, tmp_path / "relay") as running:
        yield running


async def test_a_lost_reply_to_a_poll_does_not_append_twice(
    store: Store, lossy: Relay, tmp_path: Path
) -> None:
    async with open_store(lossy.url, tmp_path) as through_relay:
        feeds = StreamFeedStore(through_relay)
        await feeds.sync([feed()], NOW, NOT_AT_ALL)
        [lease] = await feeds.claim(NOW, MINUTE, 1)
        lossy.lose = 1
        with pytest.raises(StreamError):
            await feeds.record(lease, FeedState(), NOW, now=NOW, articles=[article()])
        outcome = await feeds.record(lease, FeedState(), NOW, now=NOW, articles=[article()])
    assert outcome is PollRecorded.FENCED
    assert (await StreamStoreHealth(store).census(NOW)).logs[0].length == 1


async def test_a_lost_reply_to_a_hop_does_not_append_twice(
    store: Store, lossy: Relay, tmp_path: Path
) -> None:
    feeds = StreamFeedStore(store)
    await feeds.sync([feed()], NOW, NOT_AT_ALL)
    [lease] = await feeds.claim(NOW, MINUTE, 1)
    await feeds.record(lease, FeedState(), NOW, now=NOW, articles=[article()])
    async with open_store(lossy.url, tmp_path) as through_relay:
        log = StreamArticleLog(through_relay, "c")
        [entry] = await log.read(1, MINUTE)
        lossy.lose = 1
        with pytest.raises(StreamError):
            await log.forward(entry, (match(),))
        assert not await log.forward(entry, (match(),))
    articles, matches, _ = (await StreamStoreHealth(store).census(NOW)).logs
    assert (articles.length, matches.length) == (0, 1)


async def test_a_lost_reply_to_an_enqueue_does_not_tell_twice(
    store: Store, lossy: Relay, tmp_path: Path
) -> None:
    async with open_store(lossy.url, tmp_path) as through_relay:
        ledger = StreamDeliveryLedger(through_relay)
        lossy.lose = 1
        with pytest.raises(StreamError):
            await ledger.enqueue(alert(), "t", NOW)
        assert await ledger.enqueue(alert(), "t", NOW) is None
    assert len(await StreamDeliveryLedger(store).claim(NOW, MINUTE, 9, NOT_AT_ALL)) == 1


async def test_functions_that_vanished_are_loaded_again(store: Store) -> None:
    await store.server.everywhere("FUNCTION", "FLUSH")
    assert await StreamPublicStream(store).publish(matched(), NOW) == 1
    await store.server.everywhere("FUNCTION", "FLUSH")
    assert len(await store.server.each([_census(p) for p in store.all()])) == store.partitions


def _census(partition: int) -> Command:
    names = ("lanes", "due", "articles", "matches", "dead", "archive", "archive:missed")
    return call("monitor_census", [keys.key(partition, name) for name in names], 0, "monitor")


async def test_a_server_that_is_not_there_is_a_stream_error(tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="cannot be used"):
        async with open_store(f"unix://{tmp_path}/nobody", tmp_path):
            pass


async def test_a_url_of_another_kind_is_refused_without_saying_its_password() -> None:
    with pytest.raises(StoreRefusedError, match="begin with one of redis,") as refused:
        async with connect("http://user:secret@host"):
            pass
    assert "secret" not in str(refused.value)


def test_a_store_does_not_show_its_password(store: Store) -> None:
    assert "secret" not in repr(replace(store, url="redis://:secret@host"))


async def test_a_cluster_that_is_not_there_is_a_stream_error(tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="cannot be used"):
        async with open_store("redis+cluster://127.0.0.1:1", tmp_path):
            pass


async def test_errors_of_the_server_are_ours(store: Store) -> None:
    key = keys.key(0, "text")
    await store.server.run(command("SET", key, "x"))
    with pytest.raises(StreamError, match="WRONGTYPE"):
        await store.server.run(command("LPUSH", key, "x"))
    with pytest.raises(NoGroupError):
        await store.server.run(command("XAUTOCLAIM", key + "2", "g", "c", 0, 0))


async def test_only_a_single_server_can_block(cluster_url: str) -> None:
    async with connect(cluster_url) as server:
        with pytest.raises(TypeError, match="BLPOP"):
            await server.wait(("BLPOP", "a", 1), MINUTE)


async def test_an_evicting_server_is_refused_with_the_next_step(
    store: Store, server_url: str, tmp_path: Path
) -> None:
    await store.server.everywhere("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(StoreRefusedError, match="CONFIG SET maxmemory-policy noeviction"):
            async with open_store(server_url, tmp_path):
                pass
    finally:
        await store.server.everywhere("CONFIG", "SET", "maxmemory-policy", "noeviction")


def test_an_old_server_is_refused_with_the_next_step() -> None:
    with pytest.raises(StoreRefusedError, match=r"version 6\.2\.14.*upgrade"):
        check_server([{"redis_version": "6.2.14", "aof_enabled": 1}])


async def test_a_store_of_a_newer_release_is_refused(
    store: Store, server_url: str, tmp_path: Path
) -> None:
    await store.server.run(command("HSET", keys.META, "format", 2))
    with pytest.raises(StoreRefusedError, match="newer release"):
        async with open_store(server_url, tmp_path):
            pass


async def test_the_number_of_partitions_is_the_stores_own(
    store: Store, server_url: str, tmp_path: Path
) -> None:
    async with open_store(server_url, tmp_path, partitions=64) as again:
        assert again.partitions == store.partitions == 16


async def test_every_key_is_ours_and_what_was_told_expires(store: Store) -> None:
    feeds = StreamFeedStore(store)
    await feeds.sync([feed()], NOW, NOT_AT_ALL)
    [lease] = await feeds.claim(NOW, MINUTE, 1)
    await feeds.record(lease, FeedState(), NOW, now=NOW, keys=[1], articles=[article()])
    await StreamDeliveryLedger(store).enqueue(alert(), "t", NOW)
    await StreamPublicStream(store).publish(matched(), NOW)
    [found] = await store.server.everywhere("KEYS", "*")
    names = [name.decode() for name in found]
    assert all(name.startswith(("monitor:", "{monitor:")) for name in names)
    memories = [name for name in names if ":told:" in name or ":published:" in name]
    assert len(memories) == 2
    for name in memories:
        assert await store.server.run(command("TTL", name)) > timedelta(days=59).total_seconds()


def test_a_server_is_named_as_a_person_would() -> None:
    assert server_name({"redis_version": "7.2.4", "valkey_version": "9.1.2"}) == "Valkey 9.1.2"
    assert server_name({"redis_version": "8.2.3"}) == "Redis 8.2.3"


async def test_more_commands_at_once_than_connections_wait_their_turn(store: Store) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(store.server.run(command("INCR", "{p0}:counter"))) for _ in range(300)
        ]
    assert sorted(task.result() for task in tasks) == list(range(1, 301))


# --- the connections ---


async def test_a_server_that_does_not_answer_is_a_stream_error_and_its_late_reply_nobodys(
    server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "REPLY_WITHIN", timedelta(milliseconds=100))
    async with connect(server_url) as server, connect(server_url) as other:
        await server.run(command("SET", "late", "x"))
        await other.everywhere("CLIENT", "PAUSE", 400)
        with pytest.raises(StreamError, match="cannot be used"):
            await server.run(command("GET", "late"))
        monkeypatch.undo()
        assert await server.run(command("STRLEN", "late")) == 1


async def test_the_reply_to_a_caller_who_gave_up_is_nobodys(server_url: str) -> None:
    async with connect(server_url) as server:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(server.wait(("BLPOP", "never", 5), MINUTE))
            await until_blocked(server)
            task.cancel()
        await server.run(command("RPUSH", "never", "x"))
        assert await server.wait(("BLPOP", "other", "never", 5), MINUTE) == (b"never", b"x")


async def until_blocked(server: Server) -> None:
    """Return when a client waits for something."""

    async def blocked() -> bool:
        [info] = await server.everywhere("INFO", "clients")
        return bool(info["blocked_clients"])

    await wait_until(blocked, "a client is blocked")


async def test_connection_that_was_closed_while_it_lay_idle_is_not_used(
    server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_FRESH", 0.0)
    async with connect(server_url) as server, connect(server_url) as other:
        [mine] = await server.everywhere("CLIENT", "ID")
        await other.everywhere("CLIENT", "KILL", "ID", mine)
        [again] = await server.everywhere("CLIENT", "ID")
        assert again != mine


async def test_one_connection_serves_those_who_ask_one_after_the_other(server_url: str) -> None:
    async with connect(server_url) as server:
        ids = [(await server.everywhere("CLIENT", "ID"))[0] for _ in range(3)]
    assert len(set(ids)) == 1


@pytest.fixture
def guarded_path() -> Iterator[str]:
    """The path of the socket of a server that knows one user."""
    with running_server("--user", "monitor", "on", ">pass word", "~*", "+@all") as url:
        yield url.removeprefix("unix://")


async def test_user_password_and_database_of_the_url_are_used(guarded_path: str) -> None:
    async with connect(f"unix://monitor:pass%20word@{guarded_path}?db=3") as server:
        assert await server.everywhere("ACL", "WHOAMI") == [b"monitor"]
        [info] = await server.everywhere("CLIENT", "INFO")
    assert b" db=3 " in info


async def test_a_wrong_password_is_a_stream_error(guarded_path: str) -> None:
    async with connect(f"unix://monitor:wrong@{guarded_path}") as server:
        with pytest.raises(StreamError, match=r"cannot be used.*password"):
            await server.run(command("GET", "x"))
