"""The archive in one SQLite file, for one host.

Articles are numbered as they are archived. An index of words (FTS5) covers a day of numbers: what is too old goes with
a whole index, and a search that asks for recent articles opens few of them.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar, assert_never

from monitor.archive import documents
from monitor.archive.instants import EPOCH, LAST, from_ms, to_ms
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

_SCHEMA = """
CREATE TABLE IF NOT EXISTS articles (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  seen_at INTEGER NOT NULL,
  suppressed TEXT,
  document BLOB NOT NULL,
  UNIQUE (id, fingerprint)
);
CREATE INDEX IF NOT EXISTS articles_seen_at ON articles (seen_at);
CREATE TABLE IF NOT EXISTS matches (
  rule TEXT NOT NULL,
  number INTEGER NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (rule, number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS matches_number ON matches (number);
CREATE TABLE IF NOT EXISTS decisions (
  article TEXT NOT NULL,
  at INTEGER NOT NULL,
  digest BLOB NOT NULL,
  document BLOB NOT NULL,
  PRIMARY KEY (article, at, digest)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS decisions_at ON decisions (at);
"""
# Our words have no blank inside, and only a blank parts them here; an index of places would be twice as large.
_INDEX = """
CREATE VIRTUAL TABLE IF NOT EXISTS {} USING fts5 (
  words, content='', detail=none, columnsize=0,
  tokenize="unicode61 remove_diacritics 0 categories 'L* M* N* P* S* C*'"
)
"""
_BUSY_SECONDS = 10
_TIDY_AT_ONCE = 500

T = TypeVar("T")
Row = tuple[int, bytes, str | None]


class SqliteArchive:
    """An `Archive` in a file. One thread writes and one reads, beside the event loop."""

    def __init__(self, path: Path) -> None:
        """Use the file at `path`; see `open_sqlite`."""
        self._writer = _Worker(path, "archive-write")
        self._reader = _Worker(path, "archive-read")

    async def add(self, chapters: Sequence[Chapter]) -> None:
        """See `Archive.add`."""
        await self._write(lambda db: _add(db, chapters))

    async def page(self, which: Page) -> Sequence[Kept]:
        """See `Archive.page`."""
        return await self._reader.run(lambda db: _page(db, which))

    async def count(self, since: datetime | None, until: datetime | None) -> int:
        """See `Archive.count`."""
        query = "SELECT count(*) FROM articles WHERE seen_at >= ? AND seen_at < ?"
        bounds = (to_ms(since), to_ms(until) if until else LAST)
        counted: int = await self._reader.run(lambda db: db.execute(query, bounds).fetchone()[0])
        return counted

    async def matched(self, since: datetime) -> Mapping[str, int]:
        """See `Archive.matched`."""
        # The plus: by the index of times; otherwise the articles are read in the order of numbers until one fits.
        query = (
            "SELECT rule, count(*) FROM matches INDEXED BY matches_number"
            " WHERE number >= (SELECT min(+number) FROM articles WHERE seen_at >= ?) GROUP BY rule"
        )
        return dict(
            await self._reader.run(lambda db: db.execute(query, (to_ms(since),)).fetchall())
        )

    async def versions(self, article_id: str) -> Sequence[Kept]:
        """See `Archive.versions`."""
        query = "SELECT number, document, suppressed FROM articles WHERE id = ? ORDER BY number"
        return await self._reader.run(
            lambda db: _kept(db, db.execute(query, (article_id,)).fetchall())
        )

    async def decided(self, article_id: str) -> Sequence[Decided]:
        """See `Archive.decided`."""
        query = "SELECT at, document FROM decisions WHERE article = ? ORDER BY at"
        return await self._reader.run(
            lambda db: [
                Decided(at=from_ms(at), decisions=documents.decisions.read(document))
                for at, document in db.execute(query, (article_id,))
            ]
        )

    async def tidy(self, before: datetime) -> int:
        """See `Archive.tidy`."""
        count = 0
        while gone := await self._write(lambda db: _tidy(db, before)):
            count += gone
        await self._write(lambda db: _drop_indexes(db, before))
        return count

    async def size(self) -> ArchiveSize:
        """See `Archive.size`."""
        return await self._reader.run(_size)

    async def open(self) -> None:
        """Make or open the file; raise `ArchiveError` when that is impossible."""
        await self._writer.run(_make)
        await self._reader.run(_size)

    async def close(self) -> None:
        """Close the file; what is under way is finished first."""
        await self._writer.close()
        await self._reader.close()

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def whole(db: sqlite3.Connection) -> T:
            with _transaction(db):
                return work(db)

        return await self._writer.run(whole)


class _Worker:
    """A thread with a connection of its own, which does one thing after the other."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._executor = ThreadPoolExecutor(1, name)
        self._db: sqlite3.Connection | None = None

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def with_db() -> T:
            self._db = self._db or _connect(self._path)
            return work(self._db)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, with_db)
        except (sqlite3.Error, OSError) as error:
            raise ArchiveError(f"the archive {self._path} cannot be used: {error}") from error

    async def close(self) -> None:
        if self._db:
            await self.run(lambda db: db.close())
        self._executor.shutdown(wait=False)  # nothing is left to do


@asynccontextmanager
async def open_sqlite(path: Path) -> AsyncIterator[SqliteArchive]:
    """Open the archive in a file, made if need be, while the block runs."""
    archive = SqliteArchive(path)
    try:
        await archive.open()
        yield archive
    finally:
        await archive.close()


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    # What the last second brought may be lost with the power, never with the process.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-16000"):
        db.execute(f"PRAGMA {pragma}")
    return db


def _make(db: sqlite3.Connection) -> None:
    written = db.execute("PRAGMA user_version").fetchone()[0]
    if written > documents.FORMAT:
        raise ArchiveError(
            f"the archive was written by a newer release (format {written}, this one reads"
            f" {documents.FORMAT}): run that release, or move the file away"
        )
    db.executescript(_SCHEMA)
    if written < documents.FORMAT:
        with _transaction(db):
            _index_again(db)
            db.execute(f"PRAGMA user_version={documents.FORMAT}")


def _index_again(db: sqlite3.Connection) -> None:
    """Write the indexes anew, with what this release looks for. That takes a minute for some 100,000 articles."""
    for name in _indexes(db):
        db.execute(f"DROP TABLE {name}")
    index = ""
    for number, document in db.execute("SELECT number, document FROM articles ORDER BY number"):
        article = documents.articles.read(document)
        index = _index_for(db, article, index)
        _add_words(db, index, number, article)


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


# --- writing ---


def _add(db: sqlite3.Connection, chapters: Sequence[Chapter]) -> None:
    index = next(iter(_indexes(db)), "")
    for chapter in chapters:
        if chapter.decided_at:
            _add_decisions(db, chapter)
            continue
        index = _index_for(db, chapter.article, index)
        _add_article(db, chapter, index)


def _index_for(db: sqlite3.Connection, article: Article, newest: str) -> str:
    """Return the index that an article belongs in: the `newest` or, on another day, one that is made.

    Indexes cover numbers in order, and the day of an index is never before those of its articles.
    """
    day = f"words_{article.seen_at or EPOCH:%Y%m%d}"
    if day <= newest:
        return newest
    db.execute(_INDEX.format(day))
    return day


def _add_words(db: sqlite3.Connection, index: str, number: int, article: Article) -> None:
    words = " ".join(sorted(index_words(article)))
    db.execute(f"INSERT INTO {index} (rowid, words) VALUES (?, ?)", (number, words))  # noqa: S608 - ours


def _add_article(db: sqlite3.Connection, chapter: Chapter, index: str) -> None:
    article = chapter.article
    row = db.execute(
        "INSERT INTO articles (id, fingerprint, seen_at, suppressed, document) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING RETURNING number",
        (
            article.id,
            article.fingerprint,
            to_ms(article.seen_at),
            chapter.suppressed,
            documents.articles.write(article),
        ),
    ).fetchone()
    if row is not None:
        _add_words(db, index, row[0], article)
    number = row[0] if row else _number_of(db, article.id, article.fingerprint)
    db.executemany(
        "INSERT OR IGNORE INTO matches (rule, number, document) VALUES (?, ?, ?)",
        [(each.rule_id, number, documents.matches.write(each)) for each in chapter.matches],
    )


def _number_of(db: sqlite3.Connection, article_id: str, fingerprint: str) -> int:
    query = "SELECT number FROM articles WHERE id = ? AND fingerprint = ?"
    number: int = db.execute(query, (article_id, fingerprint)).fetchone()[0]
    return number


def _add_decisions(db: sqlite3.Connection, chapter: Chapter) -> None:
    document = documents.decisions.write(chapter.decisions)
    db.execute(
        "INSERT OR IGNORE INTO decisions (article, at, digest, document) VALUES (?, ?, ?, ?)",
        (chapter.article.id, to_ms(chapter.decided_at), documents.digest(document), document),
    )


def _indexes(db: sqlite3.Connection) -> list[str]:
    """Return the names of the indexes, newest first."""
    query = "SELECT name FROM sqlite_master WHERE name GLOB 'words_????????' ORDER BY name DESC"
    return [name for (name,) in db.execute(query)]


def _tidy(db: sqlite3.Connection, before: datetime) -> int:
    old = db.execute(
        "SELECT number FROM articles WHERE seen_at < ? LIMIT ?", (to_ms(before), _TIDY_AT_ONCE)
    ).fetchall()
    db.executemany("DELETE FROM matches WHERE number = ?", old)
    db.executemany("DELETE FROM articles WHERE number = ?", old)
    db.execute(
        "DELETE FROM decisions WHERE (article, at, digest) IN"
        " (SELECT article, at, digest FROM decisions WHERE at < ? LIMIT ?)",
        (to_ms(before), _TIDY_AT_ONCE),
    )
    return len(old)


def _drop_indexes(db: sqlite3.Connection, before: datetime) -> None:
    for name in _indexes(db)[1:]:  # the newest is written to
        if name < f"words_{before:%Y%m%d}":
            db.execute(f"DROP TABLE {name}")


# --- reading ---


def _page(db: sqlite3.Connection, which: Page) -> list[Kept]:
    rows: list[Row] = []
    for index in _indexes_for(db, which):
        rows += _rows(db, which, index, which.limit - len(rows))
        if len(rows) >= which.limit:
            break
    return _kept(db, rows)


def _indexes_for(db: sqlite3.Connection, which: Page) -> list[str]:
    """Return the indexes to look into, newest first; an empty name for the articles without an index."""
    if which.narrowing == EVERYTHING:
        return [""]
    oldest = f"words_{which.since:%Y%m%d}" if which.since else ""
    return [index for index in _indexes(db) if index >= oldest]


def _rows(db: sqlite3.Connection, which: Page, index: str, limit: int) -> list[Row]:
    tables, conditions, values = ["articles AS a"], ["1"], list[str | int]()
    if index:
        tables.insert(0, f"{index} AS w")
        conditions += ["a.number = w.rowid", f"{index} MATCH ?"]
        values.append(_expression(which.narrowing))
    if which.rule is not None:
        tables.append("matches AS m")
        conditions += ["m.rule = ?", "m.number = a.number"]
        values.append(which.rule)
    elif which.matched:
        conditions.append("EXISTS (SELECT 1 FROM matches AS m WHERE m.number = a.number)")
    order = "w.rowid" if index else "m.number" if which.rule is not None else "a.number"
    for bound, condition in (
        (to_ms(which.since) if which.since else None, "a.seen_at >= ?"),
        (to_ms(which.until) if which.until else None, "a.seen_at < ?"),
        (which.before, f"{order} < ?"),
    ):
        if bound is not None:
            conditions.append(condition)
            values.append(bound)
    # Only names of our own tables are written into the statement.
    query = (
        f"SELECT a.number, a.document, a.suppressed FROM {', '.join(tables)}"  # noqa: S608
        f" WHERE {' AND '.join(conditions)} ORDER BY {order} DESC LIMIT ?"
    )
    return db.execute(query, (*values, limit)).fetchall()


def _kept(db: sqlite3.Connection, rows: Sequence[Row]) -> list[Kept]:
    query = "SELECT document FROM matches WHERE number = ? ORDER BY rule"
    return [
        Kept(
            number=number,
            article=documents.articles.read(document),
            matches=tuple(
                documents.matches.read(found) for (found,) in db.execute(query, (number,))
            ),
            suppressed=Suppression(suppressed) if suppressed else None,
        )
        for number, document, suppressed in rows
    ]


def _expression(narrowing: Narrowing) -> str:
    """Write a narrowing in the index's own language, every word quoted."""
    match narrowing:
        case HasWord(word=word):
            return _quoted(word)
        case HasPrefix(prefix=prefix):
            return f"{_quoted(prefix)}*"
        case AllOf(parts=parts):
            return f"({' AND '.join(map(_expression, parts))})"
        case AnyOf(parts=parts):
            return f"({' OR '.join(map(_expression, parts))})"
        case _:
            assert_never(narrowing)


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _size(db: sqlite3.Connection) -> ArchiveSize:
    count, oldest = db.execute("SELECT count(*), min(seen_at) FROM articles").fetchone()
    pages, size = (
        db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size")
    )
    return ArchiveSize(
        articles=count, bytes=pages * size, oldest=None if oldest is None else from_ms(oldest)
    )
