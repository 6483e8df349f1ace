"""A well-formed document as a tree: its entries, a mark for each, and what is left when some are taken out."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

from lxml import etree

from monitor.core.feed import Document
from monitor.feeds.names import has_twisted_names, name_of
from monitor.feeds.strict import Entry, OddError, Surroundings, read_about, read_entry

_PARSER = etree.XMLParser(
    encoding="utf-8",
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    remove_comments=True,
    remove_pis=True,
    collect_ids=False,
)
_RSS, _RDF, _ATOM = "rss", "rdf_rdf", "feed"
_ENTRY_NAMES = frozenset({"item", "entry"})


class TreeEntry(NamedTuple):  # made for every entry of every document
    """An entry in its place. Entries of one `mark` are made of the same bytes and inherit the same."""

    element: Any
    around: Surroundings
    mark: int

    def read(self) -> Entry:
        """Read it; raise `OddError` if feedparser has to."""
        return read_entry(self.element, self.around)


@dataclass(frozen=True, slots=True)
class Tree:
    """A document with nothing in its structure that feedparser is needed for; `entries` stand in its order."""

    root: Any
    holder: Any
    around: Surroundings
    lang: str | None
    entries: Sequence[TreeEntry]

    def about(self) -> Entry:
        """Read what it says of itself; raise `OddError` if feedparser has to."""
        found = read_about(self.root, self.holder, self.around, _ENTRY_NAMES)
        return {"language": self.lang or "", **found}

    def remainder(self, places: Sequence[int], *, with_about: bool) -> str:
        """Return the document without its entries, but for those in `places`. The tree is spoilt after that.

        Without what it says of itself, nothing of that leaks into the first entry, as feedparser has it.
        """
        kept = {self.entries[place].element for place in places}
        for parent in (self.root, self.holder):
            for child in list(parent):
                is_told = with_about and name_of(child) not in _ENTRY_NAMES
                if child not in kept and child is not self.holder and not is_told:
                    parent.remove(child)
        written: str = etree.tostring(self.root, encoding="unicode")
        return written


def open_tree(source: str, document: Document) -> Tree | None:
    """Return the tree of a document; None if it is malformed, or feedparser is needed for its structure."""
    written = source.lstrip().encode("utf-8", "replace")
    if not written.startswith(b"<"):
        return None
    try:
        root = etree.fromstring(written, _PARSER)
    except (etree.LxmlError, ValueError):
        return None
    if root is None or root.getroottree().docinfo.doctype:
        return None
    try:
        return _tree(root, document)
    except OddError:
        return None


def _tree(root: Any, document: Document) -> Tree:
    kind = name_of(root)
    if kind not in {_RSS, _RDF, _ATOM} or has_twisted_names(root.nsmap):
        raise OddError(kind)
    header = document.headers.get("content-language") or None
    outer = Surroundings(document.url, header).within(root)
    holder = root if kind == _ATOM else _channel(root)
    around = outer if holder is root else outer.within(holder)
    parents = [(holder, around)] if holder is root else [(holder, around), (root, outer)]
    entries = [each for parent, where in parents for each in _entries(parent, where, document)]
    return Tree(root, holder, around, header if kind == _RDF else outer.lang, entries)


def _channel(root: Any) -> Any:
    """Return the only channel, which must stand before the entries beside it."""
    found = None
    for child in root:
        name = name_of(child)
        if (name in _ENTRY_NAMES and found is None) or (name == "channel" and found is not None):
            raise OddError(name)
        if name == "channel":
            found = child
    if found is None or "lastmod" in found.attrib or "href" in found.attrib:
        raise OddError("channel")
    return found


def _entries(parent: Any, around: Surroundings, document: Document) -> list[TreeEntry]:
    found = [child for child in parent if name_of(child) in _ENTRY_NAMES]
    inherited = sha256(repr((document.url, around.base, around.lang)).encode("utf-8", "replace"))
    return [TreeEntry(child, around, _mark(child, inherited)) for child in found]


def _mark(element: Any, inherited: Any) -> int:
    digest = inherited.copy()
    digest.update(etree.tostring(element, encoding="utf-8", with_tail=False))
    return int.from_bytes(digest.digest()[:8], "big")
