"""CSV: a feed a line, with a header that names the columns, or addresses alone."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO

from monitor.core.model import Feed
from monitor.feeds.charset import decode
from monitor.feeds.lines import KEYS, LARGEST_LIST, LONGEST_VALUE, FeedLine

_ALSO_CALLED = {
    "xmlurl": "url",
    "feed": "url",
    "feed_url": "url",
    "address": "url",
    "title": "name",
    "language": "lang",
    "folder": "folder",
}
_DELIMITERS = ",;\t"
LABEL = "label:"


def read_csv(data: bytes) -> Iterator[FeedLine]:
    """Yield the feeds of a list, in its order; what cannot be read is a line with its problem."""
    if len(data) > LARGEST_LIST:
        yield FeedLine(1, problem=f"more than {LARGEST_LIST // 2**20} MiB: split it")
        return
    text = decode(data, "text/csv").replace("\0", "")
    head = text[: text.find("\n") + 1 or None]
    reader = csv.reader(StringIO(text, newline=""), delimiter=_delimiter(head))
    columns: list[str] | None = None
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if columns is None:
                columns = _columns(row)
                if columns is None:
                    yield FeedLine(1, problem="no column `url` in the header, and no address")
                    return
                if not _is_address(row[0]) and "url" in columns:
                    continue
            yield _line(reader.line_num, columns, row)
    except csv.Error as error:
        yield FeedLine(reader.line_num, problem=f"{error}: what follows was not read")


def _delimiter(head: str) -> str:
    return max(_DELIMITERS, key=head.count)


def _columns(first: list[str]) -> list[str] | None:
    """Return the names of the columns; a list without a header is of addresses."""
    if _is_address(first[0]):
        return ["url"]
    names = [name.strip().lower() for name in first]
    columns = [_ALSO_CALLED.get(name, name) for name in names]
    return columns if "url" in columns else None


def _is_address(cell: str) -> bool:
    return "://" in cell


def _line(number: int, columns: list[str], row: list[str]) -> FeedLine:
    said = {
        column: cell.strip()[:LONGEST_VALUE]
        for column, cell in zip(columns, row, strict=False)
        if cell.strip()
    }
    values = {key: said[key] for key in said if key in KEYS or key.startswith(LABEL)}
    if "url" not in values:
        return FeedLine(number, problem="no address")
    folder = tuple(name.strip() for name in said.get("folder", "").split("/") if name.strip())
    return FeedLine(number, values, folder)


def write_csv(feeds: Iterable[Feed], texts: Mapping[str, Mapping[str, str]]) -> bytes:
    """Write a list; `texts` has for each feed what else is to be said of it, in the words of `KEYS`."""
    rows = [
        {"url": feed.url, "name": feed.name, "category": feed.category or ""} | dict(texts[feed.id])
        for feed in feeds
    ]
    labels = sorted({key for row in rows for key in row if key.startswith(LABEL)})
    out = StringIO(newline="")
    writer = csv.DictWriter(out, [*KEYS, *labels], restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()
