"""The archive in a PostgreSQL database, for several hosts.

The words of an article are a `tsvector` of exactly these words, which the database neither parses nor stems: what a
search finds is the same as in a file. Whoever writes holds a lock of the archive, so that numbers grow in the order in
which articles become visible.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, LiteralString, TypeVar, assert_never

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from monitor.archive import documents
from monitor.archive.instants import LAST, from_ms, to_ms
from monitor.core.chapter import Chapter, Decided, Kept
from monitor.core.model import Article
from monitor.core.narrowing import (
    EVERYTHING,
    AllOf,
    AnyOf,
    HasPrefix,
    HasWord,
    Narrowing,
    index_words,
)
from monitor.core.outcome import Suppression
from monitor.errors import ArchiveError
from monitor.ports import ArchiveSize, Page

# Documents are compressed already. Statistics of ten thousand words tell the planner a feed of many from a language.
_SCHEMA: tuple[LiteralString, ...] = (
    "CREATE TABLE monitor_archive (format integer NOT NULL)",
    """
    CREATE TABLE monitor_articles (
      number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      id text COLLATE "C" NOT NULL,
      fingerprint text COLLATE "C" NOT NULL,
      seen_at bigint NOT NULL,
      suppressed text,
      document bytea NOT NULL,
      words tsvector NOT NULL,
      UNIQUE (id, fingerprint)
    )
    """,
    "ALTER TABLE monitor_articles ALTER COLUMN document SET STORAGE EXTERNAL",
    "ALTER TABLE monitor_articles ALTER COLUMN words SET STATISTICS 1000",
    "CREATE INDEX monitor_articles_seen_at ON monitor_articles (seen_at)",
    "CREATE INDEX monitor_articles_words ON monitor_articles USING gin (words)",
    """
    CREATE TABLE monitor_matches (
      rule text COLLATE "C" NOT NULL,
      number bigint NOT NULL REFERENCES monitor_articles ON DELETE CASCADE,
      document bytea NOT NULL,
      PRIMARY KEY (rule, number)
    )
    """,
    "CREATE INDEX monitor_matches_number ON monitor_matches (number)",
    """
    CREATE TABLE monitor_decisions (
      article text COLLATE "C" NOT NULL,
      at bigint NOT NULL,
      digest bytea NOT NULL,
      document bytea NOT NULL,
      PRIMARY KEY (article, at, digest)
    )
    """,
    "CREATE INDEX monitor_decisions_at ON monitor_decisions (at)",
)
_ADD_ARTICLE = (
    "INSERT INTO monitor_articles (id, fingerprint, seen_at, suppressed, document, words)"
    " VALUES (%s, %s, %s, %s, %s, array_to_tsvector(%s::text[])) ON CONFLICT DO NOTHING"
)
_ADD_MATCH = (
    "INSERT INTO monitor_matches (rule, number, document)"
    " SELECT %s, number, %s FROM monitor_articles WHERE id = %s AND fingerprint = %s"
    " ON CONFLICT DO NOTHING"
)
_ADD_DECISIONS = (
    "INSERT INTO monitor_decisions (article, at, digest, document) VALUES (%s, %s, %s, %s)"
    " ON CONFLICT DO NOTHING"
)
_LOCK = 0x6D6F6E69746F72  # "monitor": of those who write the archive of this database
_CONNECTION = {
    "application_name": "monitor",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "tcp_user_timeout": "30000",
}
_SETTINGS: tuple[LiteralString, ...] = (
    "SET statement_timeout = '60s'",
    # A plan for any words at all reads every article from the newest on, be the word as rare as it may.
    "SET plan_cache_mode = force_custom_plan",
)
_TIDY_AT_ONCE = 500
_MOST_WORDS = 1_000_000  # bytes; a tsvector holds little more
_ANY_WORD = "\x1f"  # stands for every word, in an article that has more
_LONGEST_WORD = 500  # in a query; the index has none that long, and a longer one is an error there

T = TypeVar("T")
Db = AsyncConnection[tuple[Any, ...]]
Row = tuple[int, bytes, str | None]


class PostgresArchive:
    """An `Archive` in a database. One connection writes and one reads; each is made anew when it was lost."""

    def __init__(self, url: str) -> None:
        """Use the database at `url`; see `open_postgres`."""
        self._writer = _Line(url)
        self._reader = _Line(url)

    async def add(self, chapters: Sequence[Chapter]) -> None:
        """See `Archive.add`."""
        rows = await asyncio.to_thread(_Rows, chapters)
        await self._writer.run(lambda db: _add(db, rows))

    async def page(self, which: Page) -> Sequence[Kept]:
        """See `Archive.page`."""
        query, values = _query(which)
        return await self._reader.run(lambda db: _kept(db, query, values))

    async def count(self, since: datetime | None, until: datetime | None) -> int:
        """See `Archive.count`."""
        query = "SELECT count(*) FROM monitor_articles WHERE seen_at >= %s AND seen_at < %s"
        bounds = (to_ms(since), to_ms(until) if until else LAST)
        [(counted,)] = await self._reader.rows(query, bounds)
        return int(counted)

    async def matched(self, since: datetime) -> Mapping[str, int]:
        """See `Archive.matched`."""
        # The zero: by the index of times; otherwise the articles are read in the order of numbers until one fits.
        query = (
            "SELECT rule, count(*) FROM monitor_matches WHERE number >="
            " (SELECT min(number + 0) FROM monitor_articles WHERE seen_at >= %s) GROUP BY rule"
        )
        return {rule: int(count) for rule, count in await self._reader.rows(query, [to_ms(since)])}

    async def versions(self, article_id: str) -> Sequence[Kept]:
        """See `Archive.versions`."""
        query = "SELECT number, document, suppressed FROM monitor_articles WHERE id = %s ORDER BY number"
        return await self._reader.run(lambda db: _kept(db, query, [article_id]))

    async def decided(self, article_id: str) -> Sequence[Decided]:
        """See `Archive.decided`."""
        query = "SELECT at, document FROM monitor_decisions WHERE article = %s ORDER BY at"
        return [
            Decided(at=from_ms(at), decisions=documents.decisions.read(document))
            for at, document in await self._reader.rows(query, [article_id])
        ]

    async def tidy(self, before: datetime) -> int:
        """See `Archive.tidy`."""
        count = 0
        while gone := await self._writer.run(lambda db: _tidy(db, before)):
            count += gone
        return count

    async def size(self) -> ArchiveSize:
        """See `Archive.size`."""
        query = (
            "SELECT count(*), min(seen_at), pg_total_relation_size('monitor_articles')"
            " + pg_total_relation_size('monitor_matches')"
            " + pg_total_relation_size('monitor_decisions') FROM monitor_articles"
        )
        [(count, oldest, size)] = await self._reader.rows(query)
        return ArchiveSize(
            articles=count, bytes=size, oldest=None if oldest is None else from_ms(oldest)
        )

    async def close(self) -> None:
        """Close the connections; what is under way is finished first."""
        await self._writer.close()
        await self._reader.close()


class _Line:
    """A connection that does one thing after the other, each in a transaction of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._turn = asyncio.Lock()
        self._db: Db | None = None

    async def run(self, work: Callable[[Db], Awaitable[T]]) -> T:
        """Do `work`; once more if the connection turns out to be lost, which changes nothing in an archive."""
        async with self._turn:
            try:
                try:
                    return await self._whole(work)
                except psycopg.OperationalError:
                    if self._db is None or not self._db.closed:
                        raise
                return await self._whole(work)
            except (psycopg.Error, OSError) as error:
                said = " ".join(str(error).split()) or type(error).__name__
                raise ArchiveError(
                    f"the archive in PostgreSQL ({_place(self._url)}) cannot be used: {said}"
                ) from error

    async def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        return await self.run(lambda db: _fetch(db, query, values))

    async def close(self) -> None:
        async with self._turn:
            if self._db is not None:
                await self._db.close()
                self._db = None

    async def _whole(self, work: Callable[[Db], Awaitable[T]]) -> T:
        if self._db is None or self._db.closed:
            self._db = None
            self._db = await _connect(self._url)
        async with self._db.transaction():
            return await work(self._db)


@asynccontextmanager
async def open_postgres(url: str) -> AsyncIterator[PostgresArchive]:
    """Open the archive in the database at `url` while the block runs.

    The server is asked when there is something to ask: who starts while it is away is not held up.
    """
    archive = PostgresArchive(url)
    try:
        yield archive
    finally:
        await archive.close()


async def _connect(url: str) -> Db:
    """Connect, and make the tables if need be."""
    db = await AsyncConnection.connect(_with_bounds(url), autocommit=True)
    try:
        for setting in _SETTINGS:
            await db.execute(setting)
        async with db.transaction():
            await _make(db)
    except BaseException:
        await db.close()
        raise
    return db


def _with_bounds(url: str) -> str:
    """Return what to connect with: what the address says, and bounds where it says nothing."""
    return make_conninfo("", **_CONNECTION | conninfo_to_dict(url))


def _place(url: str) -> str:
    """Return what an address names, without its secrets."""
    try:
        said = conninfo_to_dict(url)
    except psycopg.Error:
        return "an address that cannot be read"
    return f"{said.get('host') or 'this host'}/{said.get('dbname') or ''}"


async def _make(db: Db) -> None:
    encoding = db.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise ArchiveError(
            f"the database of the archive is in {encoding}: create it with ENCODING 'UTF8'"
        )
    if not await _is_made(db):
        await _wait_for_turn(db)
        if not await _is_made(db):
            for statement in _SCHEMA:
                await db.execute(statement)
            await db.execute("INSERT INTO monitor_archive VALUES (%s)", [documents.FORMAT])
    [(written,)] = await _fetch(db, "SELECT format FROM monitor_archive")
    if written > documents.FORMAT:
        raise ArchiveError(
            f"the archive was written by a newer release (format {written}, this one reads"
            f" {documents.FORMAT}): run that release, or name another database"
        )


async def _is_made(db: Db) -> bool:
    # Not by to_regclass, which may remember that there was none before we waited for the lock.
    query = (
        "SELECT EXISTS (SELECT FROM pg_class"
        " WHERE relname = 'monitor_archive' AND pg_table_is_visible(oid))"
    )
    [(is_there,)] = await _fetch(db, query)
    return bool(is_there)


# --- writing ---


class _Rows:
    """Chapters as rows. Making them takes a while: not on the event loop."""

    def __init__(self, chapters: Sequence[Chapter]) -> None:
        seen = [each for each in chapters if not each.decided_at]
        self.articles = [_article_row(each.article, each.suppressed) for each in seen]
        self.matches = [
            (
                match.rule_id,
                documents.matches.write(match),
                each.article.id,
                each.article.fingerprint,
            )
            for each in seen
            for match in each.matches
        ]
        self.decisions = [_decision_row(each) for each in chapters if each.decided_at]


def _article_row(article: Article, suppressed: Suppression | None) -> tuple[Any, ...]:
    return (
        article.id,
        article.fingerprint,
        to_ms(article.seen_at),
        suppressed,
        documents.articles.write(article),
        _words(article),
    )


def _words(article: Article) -> list[str]:
    words = list(index_words(article))
    return words if sum(len(each.encode()) for each in words) <= _MOST_WORDS else [_ANY_WORD]


def _decision_row(chapter: Chapter) -> tuple[Any, ...]:
    document = documents.decisions.write(chapter.decisions)
    return (
        chapter.article.id,
        to_ms(chapter.decided_at),
        documents.digest(document),
        document,
    )


async def _wait_for_turn(db: Db) -> None:
    """Hold the lock of those who write until the transaction ends."""
    await db.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


async def _add(db: Db, rows: _Rows) -> None:
    await _wait_for_turn(db)
    async with db.cursor() as cursor:
        await cursor.executemany(_ADD_ARTICLE, rows.articles)
        await cursor.executemany(_ADD_MATCH, rows.matches)
        await cursor.executemany(_ADD_DECISIONS, rows.decisions)


async def _tidy(db: Db, before: datetime) -> int:
    await _wait_for_turn(db)
    bounds = (to_ms(before), _TIDY_AT_ONCE)
    deleted = await db.execute(
        "DELETE FROM monitor_articles WHERE number IN"
        " (SELECT number FROM monitor_articles WHERE seen_at < %s ORDER BY seen_at LIMIT %s)",
        bounds,
    )
    await db.execute(
        "DELETE FROM monitor_decisions WHERE (article, at, digest) IN"
        " (SELECT article, at, digest FROM monitor_decisions WHERE at < %s LIMIT %s)",
        bounds,
    )
    return deleted.rowcount


# --- reading ---


async def _fetch(db: Db, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    cursor = await db.execute(query, values, binary=True)
    return await cursor.fetchall()


def _query(which: Page) -> tuple[str, list[Any]]:
    tables, conditions, values = ["monitor_articles AS a"], ["true"], list[Any]()
    order = "a.number"
    if which.narrowing != EVERYTHING:
        conditions.append("a.words @@ %s::tsquery")
        values.append(_expression(AnyOf((which.narrowing, HasWord(_ANY_WORD)))))
    if which.rule is not None:
        tables.append("monitor_matches AS m")
        conditions.append("m.rule = %s AND m.number = a.number")
        values.append(which.rule)
        order = "m.number"
    elif which.matched:
        conditions.append("EXISTS (SELECT FROM monitor_matches AS m WHERE m.number = a.number)")
    for bound, condition in (
        (to_ms(which.since) if which.since else None, "a.seen_at >= %s"),
        (to_ms(which.until) if which.until else None, "a.seen_at < %s"),
        (which.before, f"{order} < %s"),
    ):
        if bound is not None:
            conditions.append(condition)
            values.append(bound)
    # Only names of our own tables are written into the statement.
    query = (
        f"SELECT a.number, a.document, a.suppressed FROM {', '.join(tables)}"  # noqa: S608
        f" WHERE {' AND '.join(conditions)} ORDER BY {order} DESC LIMIT %s"
    )
    return query, [*values, which.limit]


async def _kept(db: Db, query: str, values: Sequence[Any]) -> list[Kept]:
    rows = await _fetch(db, query, values)
    numbers = [number for number, _, _ in rows]
    matches = await _fetch(
        db,
        "SELECT number, document FROM monitor_matches WHERE number = ANY(%s) ORDER BY rule",
        [numbers],
    )
    return await asyncio.to_thread(_read, rows, matches)


def _read(rows: Sequence[tuple[Any, ...]], matches: Sequence[tuple[Any, ...]]) -> list[Kept]:
    found: dict[int, list[bytes]] = {}
    for number, document in matches:
        found.setdefault(number, []).append(document)
    return [
        Kept(
            number=number,
            article=documents.articles.read(document),
            matches=tuple(map(documents.matches.read, found.get(number, ()))),
            suppressed=Suppression(suppressed) if suppressed else None,
        )
        for number, document, suppressed in rows
    ]


def _expression(narrowing: Narrowing) -> str:
    """Write a narrowing as a `tsquery`, every word quoted."""
    match narrowing:
        case HasWord(word=word):
            return _quoted(word)
        case HasPrefix(prefix=prefix):
            return f"{_quoted(prefix)}:*"
        case AllOf(parts=parts):
            return f"({' & '.join(map(_expression, parts))})"
        case AnyOf(parts=parts):
            return f"({' | '.join(map(_expression, parts))})"
        case _:
            assert_never(narrowing)


def _quoted(word: str) -> str:
    return "'" + word[:_LONGEST_WORD].replace("\\", "\\\\").replace("'", "''") + "'"
