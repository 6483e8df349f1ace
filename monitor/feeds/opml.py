"""OPML: lists of feeds in folders, as every feed reader imports and exports them.

Reading is lenient, because many lists have bare ampersands, and bounded, because they come from anywhere.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any

from lxml import etree

from monitor.core.model import Feed
from monitor.feeds.charset import decode
from monitor.feeds.lines import KEYS, LARGEST_LIST, LONGEST_VALUE, FeedLine
from monitor.feeds.screen import without_illegal

NAMESPACE = "urn:monitor:feed"
FOLDER_LABEL = "folder"
MAX_FOLDERS = 16

_MAX_DEPTH = 200  # libxml2 stops at 256, and says nothing of what it leaves out
_MAX_EQUALS = 300  # in one tag: reading attributes takes quadratic time
_LONGEST_TAG = 64 * 1024
_TAG = re.compile(r"[^<]*")
_ROOT = re.compile(r"<opml\b", re.IGNORECASE)
_ADDRESSES = ("xmlurl", "url")


def read_opml(data: bytes) -> Iterator[FeedLine]:
    """Yield the feeds of a list, in its order; what cannot be read is a line with its problem."""
    refusal, text = "", ""
    if len(data) > LARGEST_LIST:
        refusal = f"more than {LARGEST_LIST // 2**20} MiB: split it"
    else:
        text = without_illegal(decode(data, ""))
        refusal = _hostile(text)
    if refusal:
        yield FeedLine(1, problem=refusal)
        return
    yield from _read(_from_root(text))


def _from_root(text: str) -> str:
    """Return the list without what stands before it, its lines numbered as they were."""
    found = _ROOT.search(text)
    start = found.start() if found else 0
    return "\n" * text.count("\n", 0, start) + text[start:]


def _hostile(text: str) -> str:
    if not _ROOT.search(text, 0, 100_000):
        return "not OPML: there is no <opml>"
    if "<!ENTITY" in text:
        return "declares entities, which no list of feeds needs: take the <!DOCTYPE> out"
    for tag in _TAG.finditer(text):
        length = tag.end() - tag.start()
        if length > _LONGEST_TAG or (
            length > _MAX_EQUALS and text.count("=", *tag.span()) > _MAX_EQUALS
        ):
            line = text.count("\n", 0, tag.start()) + 1
            return f"line {line} has a tag of a size that no list of feeds needs"
    return ""


def _read(text: str) -> Iterator[FeedLine]:
    walk = etree.iterparse(
        BytesIO(text.encode("utf-8", "replace")),
        events=("start", "end"),
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        encoding="utf-8",
    )
    folders: list[str | None] = []  # of each open element; None is no folder
    number = 1
    for event, element in walk:
        if event == "end":
            folders.pop()
            _forget(element)
            continue
        number = element.sourceline or number
        said = _attributes(element) if _is_outline(element) else {}
        has_feed = any(said.get(key) for key in _ADDRESSES)
        if has_feed:
            yield _line(number, said, [name for name in folders if name is not None])
        folders.append(_name(said) if said and not has_feed else None)
        if len(folders) > _MAX_DEPTH:
            yield FeedLine(number, problem="nests too deep: what follows was not read")
            return
    if not re.search(r"</opml\s*>|<opml[^<>]*/>", text[-10_000:], re.IGNORECASE):
        yield FeedLine(number, problem="the list breaks off here: something may be missing")


def _is_outline(element: Any) -> bool:
    return isinstance(element.tag, str) and element.tag.lower() == "outline"


def _forget(element: Any) -> None:
    """Let go of what was read, so that a long list takes no more memory than a short one."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


def _attributes(element: Any) -> dict[str, str]:
    """Return the attributes by name in lower case; ours without their namespace, if the list has no such of its own."""
    said = {
        str(name).lower(): str(value)[:LONGEST_VALUE].strip()
        for name, value in element.attrib.items()
    }
    ours = f"{{{NAMESPACE}}}"
    return said | {
        name.removeprefix(ours): value for name, value in said.items() if name.startswith(ours)
    }


def _name(said: Mapping[str, str]) -> str:
    return said.get("title") or said.get("text") or ""


def _line(number: int, said: Mapping[str, str], folder: list[str]) -> FeedLine:
    if len(folder) > MAX_FOLDERS:
        return FeedLine(number, problem=f"lies in more than {MAX_FOLDERS} folders")
    url = next(said[key] for key in _ADDRESSES if said.get(key))
    known = {key: said[key] for key in KEYS if said.get(key) and key not in {"name", "category"}}
    labels = {key: value for key, value in said.items() if key.startswith("label.") and value}
    values = known | {f"label:{key.removeprefix('label.')}": text for key, text in labels.items()}
    # OPML's own `category` is a list of paths in its own notation; folders say the same to every reader.
    values |= {"url": url, "name": _name(said)}
    return FeedLine(
        number,
        {key: value for key, value in values.items() if value},
        tuple(name for name in folder if name),
    )


def write_opml(feeds: Iterable[Feed], texts: Mapping[str, Mapping[str, str]]) -> bytes:
    """Write a list; `texts` has for each feed what else is to be said of it, in the words of `KEYS`.

    A feed lies in the folder that its label `folder` names, with `/` between the levels, or in that of its category.
    """
    root = etree.Element("opml", version="2.0", nsmap={"monitor": NAMESPACE})
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = "Feeds of monitor"
    body = etree.SubElement(root, "body")
    folders: dict[tuple[str, ...], Any] = {(): body}
    for feed in feeds:
        path = folder_of(feed)
        for depth in range(1, len(path) + 1):
            if path[:depth] not in folders:
                parent = folders[path[: depth - 1]]
                folders[path[:depth]] = etree.SubElement(parent, "outline", text=path[depth - 1])
        name = without_illegal(feed.name)
        outline = etree.SubElement(
            folders[path], "outline", text=name, title=name, type="rss", xmlUrl=feed.url
        )
        for key, value in texts[feed.id].items():
            outline.set(f"{{{NAMESPACE}}}{key.replace(':', '.')}", without_illegal(value))
    return bytes(etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True))


def folder_of(feed: Feed) -> tuple[str, ...]:
    """Return the folders in which a feed lies, outermost first."""
    path = feed.labels.get(FOLDER_LABEL) or feed.category or ""
    names = (without_illegal(name).strip() for name in path.split("/"))
    return tuple(name for name in names if name)[:MAX_FOLDERS]
