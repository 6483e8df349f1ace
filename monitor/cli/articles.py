"""Articles from files, for the commands that try rules on them."""

import io
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click

from monitor.core.model import Article
from monitor.errors import ConfigError, Problem

_TEXTS = ("title", "summary", "body", "url", "author")
_LARGEST = 64 * 1024 * 1024


def read_file(path: Path) -> bytes:
    """Return a file of bearable size; `-` is the standard input."""
    if str(path) == "-":
        content = sys.stdin.buffer.read(_LARGEST + 1)
    elif path.is_file():
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    else:
        raise click.UsageError(f"{path} is not a file")
    if len(content) > _LARGEST:
        raise click.UsageError(f"{path} is larger than {_LARGEST // 1024**2} MiB")
    return content


def articles_in(path: Path) -> tuple[Article, ...]:
    """Return the articles of a file: a feed document, JSON lines, or a text that is one article."""
    content = read_file(path)
    text = content.decode("utf-8-sig", errors="replace")
    if text.lstrip().startswith("<") or _is_json_feed(text):
        return _feed_articles(path, content)
    if text.lstrip().startswith("{"):
        lines = io.StringIO(text)
        lines.name = str(path)
        return tuple(json_articles(lines))
    return _with_languages([text_article(text, str(path))])


def one_article(path: Path) -> Article:
    """Return the article of a file: a JSON object, which needs no id, or a text."""
    text = read_file(path).decode("utf-8-sig", errors="replace")
    if text.lstrip().startswith("{"):
        return json_article(text, str(path), id_=str(path))
    (article,) = _with_languages([text_article(text, str(path))])
    return article


def text_article(text: str, id_: str) -> Article:
    """Return a text as an article: the first line is the title, the others are the body."""
    title, _, body = text.strip().partition("\n")
    return Article(id=id_, title=title.strip(), body=body.strip())


def _is_json_feed(text: str) -> bool:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and isinstance(document.get("items"), list)


def _feed_articles(path: Path, content: bytes) -> tuple[Article, ...]:
    # The parser takes long to import, and only this needs it.
    from monitor.core.feed import Document  # noqa: PLC0415
    from monitor.core.identity import article_id, canonical_url, identify  # noqa: PLC0415
    from monitor.feeds.parse import parse_document  # noqa: PLC0415

    parsed = parse_document(Document(url=path.resolve().as_uri(), status=200, body=content))
    return _with_languages(
        Article(
            id=article_id(str(path), one, address),
            url=address,
            title=one.entry.title,
            summary=one.entry.summary,
            body=one.entry.body,
            author=one.entry.author,
            lang=one.entry.lang or parsed.lang,
            tags=one.entry.tags,
            published_at=one.entry.published_at,
        )
        for one in identify(parsed.articles, shared_urls=False)
        for address in (canonical_url(one.entry.url),)
    )


def _with_languages(articles: Iterable[Article]) -> tuple[Article, ...]:
    # The model takes a moment to load, and only this needs it.
    from monitor.feeds.linguist import with_languages  # noqa: PLC0415

    return with_languages(tuple(articles))


def text_articles(lines: Iterable[str]) -> Iterator[Article]:
    """Yield an article for each line of plain text; ids from 0."""
    for number, line in enumerate(lines):
        yield Article(id=str(number), body=line.rstrip("\n"))


def json_articles(lines: TextIO) -> Iterator[Article]:
    """Yield the article of each line that is not blank; raise `ConfigError` for one that is none."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield json_article(line.rstrip("\n"), lines.name, number)


def json_article(text: str, file: str, number: int = 1, *, id_: str | None = None) -> Article:
    """Return the article in a JSON text that begins at line `number`; without `id_` it must have its own."""
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        if isinstance(error, json.JSONDecodeError):
            number, column = number + error.lineno - 1, error.colno
        else:
            column = 1
        raise _refused(file, number, column, f"not JSON: {error}") from error
    if not isinstance(row, dict) or not isinstance(row.get("id", id_), str | int):
        raise _refused(file, number, 1, "an article is a JSON object with an `id`")
    for name in (*_TEXTS, "lang", "feed", "published_at"):
        if not isinstance(row.get(name), str | None):
            raise _refused(file, number, 1, f"`{name}` must be text")
    title, summary, body, url, author = (row.get(name) or "" for name in _TEXTS)
    return Article(
        id=str(row.get("id", id_)),
        title=title,
        summary=summary,
        body=body,
        url=url,
        author=author,
        lang=row.get("lang"),
        feed_id=row.get("feed") or "",
        published_at=_instant(row.get("published_at"), file, number),
    )


def _instant(text: str | None, file: str, number: int) -> datetime | None:
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise _refused(
            file, number, 1, f"`published_at` is {text!r}: write it as 2026-01-15T12:00:00Z"
        ) from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _refused(file: str, line: int, column: int, message: str) -> ConfigError:
    return ConfigError((Problem(file, line, column, message),))
