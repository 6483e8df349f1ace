"""The one edge to redis-py: a single server or a cluster behind one interface, its errors as ours.

Nothing is ever sent twice behind our back: redis-py repeats any command up to ten times by default, and an XADD whose
reply was lost would stand in the stream twice. Repeating is for the caller, whose steps are made for it.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, cast

from hiredis import pack_command
from redis.asyncio import ConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import OutOfMemoryError, RedisClusterException, RedisError, ResponseError

from monitor.errors import StoreRefusedError, StreamError, StreamFullError
from monitor.streams import library

REPLY_WITHIN = timedelta(seconds=10)
CONNECTIONS = 64  # whoever finds all in use waits for one, as long as for a reply
_FRESH = 1.0  # seconds; a connection that was used so lately is used again without a look at it
CLUSTER = "+cluster"
SCHEMES = ("redis", "rediss", "unix", "redis+cluster", "rediss+cluster")

Word = str | bytes | int


class NoGroupError(StreamError):
    """A stream has no consumer group: it is new, or somebody emptied the store."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command and the key that says which node it goes to."""

    key: str
    words: tuple[Word, ...]


def command(name: str, key: str, *args: Word) -> Command:
    """Return a command that names its key first."""
    return Command(key, (name, key, *args))


def call(function: str, keys: Sequence[str], *args: Word) -> Command:
    """Return a call of one of our server-side functions; all `keys` share a slot."""
    return Command(keys[0], ("FCALL", function, len(keys), *keys, *args))


def scored(reply: Sequence[bytes]) -> list[tuple[int, str]]:
    """Return what a command answered WITHSCORES as pairs of score and member."""
    return [(int(at), name.decode()) for name, at in zip(reply[::2], reply[1::2], strict=True)]


class Server(Protocol):
    """What the rest of the package sees of the server."""

    clustered: bool

    async def run(self, command: Command) -> Any:
        """Run one command and return its reply."""
        ...

    async def each(self, commands: Sequence[Command]) -> list[Any]:
        """Run commands that do not depend on each other, and return their replies in order."""
        ...

    async def wait(self, words: Sequence[Word], limit: timedelta) -> Any:
        """Run a command that blocks for at most `limit`; its keys may lie in several partitions.

        A cluster cannot do that: there, ask with `each` at intervals.
        """
        ...

    async def everywhere(self, *words: Word) -> list[Any]:
        """Run a command without a key on every primary."""
        ...


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Server]:
    """Yield the server at `redis://`, `rediss://`, `unix://`, `redis+cluster://` or `rediss+cluster://`."""
    scheme = url.partition("://")[0]
    if scheme not in SCHEMES:
        raise StoreRefusedError(f"the store's URL has to begin with one of {', '.join(SCHEMES)}://")
    server = _Cluster(url) if scheme.endswith(CLUSTER) else _Single(url)
    try:
        yield server
    finally:
        await server.close()


async def load_functions(server: Server) -> None:
    """Put our functions on every primary that does not have them; a full server need not write for that."""
    listings = await server.everywhere("FUNCTION", "LIST", "LIBRARYNAME", library.NAME, "WITHCODE")
    code = library.SOURCE.encode()
    if not all(_contains(listing, code) for listing in listings):
        await server.everywhere("FUNCTION", "LOAD", "REPLACE", library.SOURCE)


def _contains(listing: Any, code: bytes) -> bool:
    if isinstance(listing, list):
        return any(_contains(part, code) for part in listing)
    return bool(listing == code)


@contextmanager
def _as_ours() -> Iterator[None]:
    try:
        yield
    except (RedisError, RedisClusterException, OSError, TimeoutError) as error:
        raise _ours(error) from error


def _ours(error: Exception) -> StreamError:
    text = str(error) or type(error).__name__
    if isinstance(error, OutOfMemoryError) or text.startswith("OOM"):
        return StreamFullError(f"the server is out of memory: {text}")
    if "NOGROUP" in text:
        return NoGroupError(text)
    return StreamError(f"the server cannot be used: {text}")


def _lacks_function(reply: Any) -> bool:
    return isinstance(reply, ResponseError) and "Function not found" in str(reply)


def _settings() -> dict[str, Any]:
    return {
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_connect_timeout": REPLY_WITHIN.total_seconds(),
        "driver_info": None,  # else each new connection reads package metadata from disk, in the event loop
    }


class _Base(ABC):
    """Repeats what failed for lack of our functions (a new node, a restored backup), once, after loading them."""

    clustered: bool

    async def run(self, command: Command) -> Any:
        return (await self.each([command]))[0]

    async def each(self, commands: Sequence[Command]) -> list[Any]:
        if not commands:
            return []
        with _as_ours():
            replies = await self._send(commands)
            missing = [i for i, reply in enumerate(replies) if _lacks_function(reply)]
            if missing:
                await self.everywhere("FUNCTION", "LOAD", "REPLACE", library.SOURCE)
                again = await self._send([commands[i] for i in missing])
                for i, reply in zip(missing, again, strict=True):
                    replies[i] = reply
            return [_sound(reply) for reply in replies]

    @abstractmethod
    async def _send(self, commands: Sequence[Command]) -> list[Any]:
        """Send all; an error is a reply here."""
        ...

    @abstractmethod
    async def everywhere(self, *words: Word) -> list[Any]: ...


class _Connections:
    """Connections to one server, made when first needed and used again; one is used by one caller at a time.

    They are redis-py's. Its pool and its client around them take 60 µs of CPU a command, and they themselves 25.
    """

    def __init__(self, url: str) -> None:
        pool = ConnectionPool.from_url(url, socket_timeout=None, **_settings())
        self._new: Callable[[], Any] = pool.make_connection
        self._parse = cast("Mapping[Word, Any]", Redis.from_pool(pool).response_callbacks)
        self._idle: list[tuple[Any, float]] = []
        self._places = asyncio.Semaphore(CONNECTIONS)

    async def ask(self, commands: Sequence[Sequence[Word]], within: timedelta) -> list[Any]:
        """Return what the server answers, each reply `within` that time; an error is a reply here."""
        loop, seconds = asyncio.get_running_loop(), within.total_seconds()
        async with asyncio.timeout(seconds) as patience, self._places:
            connection = await self._take()
            replies: list[Any] = []
            try:
                await connection.send_packed_command(_packed(commands), check_health=False)
                for name, *_ in commands:
                    replies.append(await self._reply(connection, name))
                    patience.reschedule(loop.time() + seconds)
            finally:
                if len(replies) == len(commands):
                    self._idle.append((connection, loop.time()))
                else:  # what it would answer next is not for us
                    await connection.disconnect(nowait=True)
            return replies

    async def _take(self) -> Any:
        """Return a connection that is open, as far as can be told: one that lay idle may have been closed meanwhile."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection, since = self._idle.pop()
            if now - since < _FRESH or await _is_open(connection):
                return connection
            await connection.disconnect(nowait=True)
        connection = self._new()
        await connection.connect()
        return connection

    async def _reply(self, connection: Any, name: Word) -> Any:
        try:
            reply = await connection.read_response()
        except ResponseError as error:
            return error
        parse = self._parse.get(name)
        return reply if parse is None else parse(reply)

    async def close(self) -> None:
        while self._idle:
            connection, _ = self._idle.pop()
            await connection.disconnect()


def _packed(commands: Sequence[Sequence[Word]]) -> list[bytes]:
    """Return commands as they are sent; packing that of a poll takes 3 µs in C, and 19 in redis-py.

    `XGROUP CREATE` is one word, as in redis-py.
    """
    return [
        pack_command(cast("Any", (*cast("str", name).split(), *words))) for name, *words in commands
    ]


async def _is_open(connection: Any) -> bool:
    try:
        return (
            not await connection.can_read()
        )  # an answer that nobody asked for would be taken for another's
    except (RedisError, OSError):
        return False


class _Single(_Base):
    """One server, perhaps with replicas of its own that we do not know of."""

    clustered = False

    def __init__(self, url: str) -> None:
        self._connections = _Connections(url)
        self._blocking = _Connections(url)

    async def _send(self, commands: Sequence[Command]) -> list[Any]:
        return await self._connections.ask([one.words for one in commands], REPLY_WITHIN)

    async def wait(self, words: Sequence[Word], limit: timedelta) -> Any:
        with _as_ours():
            return _sound(*await self._blocking.ask([words], limit + REPLY_WITHIN))

    async def everywhere(self, *words: Word) -> list[Any]:
        with _as_ours():
            return [_sound(*await self._connections.ask([words], REPLY_WITHIN))]

    async def close(self) -> None:
        await self._connections.close()
        await self._blocking.close()


def _sound(reply: Any) -> Any:
    """Return a reply that is no error, or raise it."""
    if isinstance(reply, Exception):
        raise reply
    return reply


class _Cluster(_Base):
    """A cluster; commands go straight to the node of their key, so that nobody is asked where that is."""

    clustered = True

    def __init__(self, url: str) -> None:
        self._client: Any = RedisCluster.from_url(
            url.replace(CLUSTER, "", 1),
            socket_timeout=REPLY_WITHIN.total_seconds(),
            **_settings(),
        )

    async def _send(self, commands: Sequence[Command]) -> list[Any]:
        await self._client.initialize()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._one(one)) for one in commands]
        return [task.result() for task in tasks]

    async def _one(self, one: Command) -> Any:
        node = self._client.get_node_from_key(one.key)
        try:
            return await self._client.execute_command(*one.words, target_nodes=node)
        except (RedisError, RedisClusterException, OSError, TimeoutError) as error:
            return error

    async def wait(self, words: Sequence[Word], limit: timedelta) -> Any:  # noqa: ARG002 - the one that can block needs it
        raise TypeError(f"no command can block over the slots of a cluster: {words[0]!r}")

    async def everywhere(self, *words: Word) -> list[Any]:
        with _as_ours():
            await self._client.initialize()
            return [
                await self._client.execute_command(*words, target_nodes=node)
                for node in self._client.get_primaries()
            ]

    async def close(self) -> None:
        await self._client.aclose()
