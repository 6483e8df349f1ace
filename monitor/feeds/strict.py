"""Well-formed and plain RSS, Atom and RDF, read as feedparser reads it at a fraction of its cost.

feedparser is the oracle: what comes out here is what it would say of the same entry, in its own shape. An entry with
anything in it that is not done here the same way is odd, and feedparser reads that one.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from monitor.feeds.addresses import is_absolute
from monitor.feeds.dates import read_date
from monitor.feeds.names import name_of
from monitor.feeds.text import has_markup

Entry = Mapping[str, Any]

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_KINDS = {"text": "text/plain", "plain": "text/plain", "html": "text/html"}
_PLAIN_KINDS = frozenset({"text/plain", "text/html"})
_XML = "{http://www.w3.org/XML/1998/namespace}"
_THREAD = "{http://purl.org/syndication/thread/1.0}"
_LINK_ATTRIBUTES = frozenset(
    {"href", "rel", "type", "hreflang", "title", "length", f"{_THREAD}count", f"{_THREAD}updated"}
)
_TAG_ATTRIBUTES = frozenset({"term", "scheme", "domain", "label", "text"})
_GUID_ATTRIBUTES = frozenset({"isPermaLink", "ispermalink"})
_ENCLOSURE_ATTRIBUTES = frozenset({"url", "uri", "href", "type", "length", "duration"})
_TEXT_ATTRIBUTES = frozenset(
    {"type", "mode", "src", "base", "lang", f"{_XML}base", f"{_XML}lang", f"{_XML}space"}
)
_CONTEXT_ATTRIBUTES = frozenset({"base", "lang", f"{_XML}base", f"{_XML}lang"})
_LANGUAGES = (f"{_XML}lang", "lang")
_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_ITUNES_TAGS = "http://www.itunes.com/"
_MEDIA_TAGS = "http://search.yahoo.com/mrss/category_schema"
_SLASHES = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)/*")
_LOST_AMPERSAND = re.compile(r"&([A-Za-z0-9_]+);")
_CP1252 = {
    code: bytes([code]).decode("cp1252")
    for code in range(128, 160)
    if bytes([code]).decode("cp1252", "ignore")
}


class OddError(Exception):
    """Something that is left to feedparser."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an element inherits: the address that links are relative to, and the language."""

    base: str
    lang: str | None

    def within(self, element: Any) -> "Surroundings":
        """Return what the children of `element` inherit."""
        attributes = element.attrib
        base = attributes.get(f"{_XML}base") or attributes.get("base")
        if base:
            base = joined(self.base, base)
            if not base.startswith(("http://", "https://")):
                raise OddError("base")
        return Surroundings(base or self.base, _language(element, self.lang))


@dataclass(slots=True)
class _Reading:
    """One entry as far as it was read. `depths` says how deep the element stood that each value is from."""

    around: Surroundings
    entry: dict[str, Any] = field(default_factory=dict)
    depths: dict[str, int] = field(default_factory=dict)
    title_depth: int = -1
    titles: int = 0
    has_content: bool = False
    resets_title: bool = False

    def store(self, key: str, value: str, depth: int) -> None:
        """Keep a value, unless one from an element less deep is there."""
        before = self.depths.get(key)
        if before is None or depth <= before:
            self.depths[key] = depth
            self.entry[key] = value


def read_entry(element: Any, around: Surroundings) -> Entry:
    """Read one entry; raise `OddError` if feedparser has to."""
    attributes = element.attrib
    if "lastmod" in attributes or "href" in attributes:
        raise OddError("cdf")
    reading = _Reading(around.within(element) if attributes else around)
    if _ABOUT in attributes:
        reading.entry["id"] = attributes[_ABOUT]
    _read_children(reading, element, 1)
    if reading.resets_title and reading.titles > 1:
        raise OddError("title")
    return reading.entry


def read_about(root: Any, holder: Any, around: Surroundings, entries: frozenset[str]) -> Entry:
    """Read what a channel says of itself; raise `OddError` if feedparser has to.

    `entries` are names that are read elsewhere.
    """
    reading = _Reading(around)
    for child in holder:
        name = name_of(child)
        if name in entries:
            continue
        if name in {"language", "dc_language"}:
            reading.entry["language"] = _text(child)
        elif name in {"title", "link", "id", "guid"}:
            _HANDLERS[name](reading, child, 1)
        else:
            _check_ignored(child, name, entries)
    if holder is not root:
        for child in root:
            if child is not holder and (name := name_of(child)) not in entries:
                _check_ignored(child, name, entries)
    if reading.titles > 1 or "&" in reading.entry.get("link", ""):
        raise OddError("channel")
    return reading.entry


def joined(base: str, address: str) -> str:
    """Return `address` made absolute, the way feedparser does it."""
    if is_absolute(address):
        return address
    try:
        return urljoin(base, _SLASHES.sub(r"\1", address))
    except ValueError:
        return ""


def _read_children(reading: _Reading, parent: Any, depth: int) -> None:
    for child in parent:
        name = name_of(child)
        handle = _HANDLERS.get(name)
        if handle is not None:
            handle(reading, child, depth)
        elif name in _ODD or name in _TAKEN:
            raise OddError(name)
        elif len(child):
            if not _CONTEXT_ATTRIBUTES.isdisjoint(child.attrib):
                raise OddError("context")
            _read_children(reading, child, depth + 1)


def _check_ignored(element: Any, name: str, entries: frozenset[str]) -> None:
    """Raise unless neither an element of a channel nor what is below it says anything of the channel."""
    if name == "image":
        if any(name_of(below) not in _IMAGE for below in element.iterdescendants()):
            raise OddError(name)
        return
    if name in _TELLING or name in _ODD:
        raise OddError(name)
    for below in element.iterdescendants():
        name = name_of(below)
        if name in _TELLING or name in _ODD or name in entries:
            raise OddError(name)


# --- elements ---


def _title(reading: _Reading, element: Any, depth: int) -> None:
    lang, kind, value = _content(reading, element, "text/plain")
    reading.titles += 1
    if not -1 < reading.title_depth <= depth:
        reading.store("title", value, depth)
        reading.entry["title_detail"] = {"type": kind, "language": lang}
    if value:
        reading.title_depth = depth


def _media_title(reading: _Reading, element: Any, depth: int) -> None:
    before = reading.title_depth
    _title(reading, element, depth)
    reading.title_depth = before


def _link(reading: _Reading, element: Any, _: int) -> None:
    attributes = _attributes(element, _LINK_ATTRIBUTES)
    rel = (attributes.get("rel") or "alternate").lower()
    href = attributes.get("href")
    if href is not None:
        href = joined(reading.around.base, href)
        default = "application/atom+xml" if rel == "self" else "text/html"
        kind = (attributes.get("type") or default).lower()
        reading.entry.setdefault("links", []).append({"rel": rel, "href": href})
        if rel == "alternate" and _KINDS.get(kind, kind) in _HTML:
            reading.entry["link"] = href
        return
    if rel != "alternate" or "type" in attributes:
        raise OddError("link")
    value = _text(element, resolve=reading.around.base)
    reading.entry["link"] = _LOST_AMPERSAND.sub(r"&\1", value.replace("&amp;", "&"))


def _guid(reading: _Reading, element: Any, depth: int) -> None:
    said = _attributes(element, _GUID_ATTRIBUTES).values()
    is_link = not said or list(said) == ["true"]
    value = _text(element, resolve=reading.around.base if is_link else None)
    reading.store("id", value, depth)
    if is_link:
        reading.entry.setdefault("link", value)


def _description(reading: _Reading, element: Any, depth: int) -> None:
    if "summary" in reading.entry and not reading.has_content:
        _full_content(reading, element, depth)
    else:
        _keep_summary(reading, element, depth, "text/html")


def _summary(reading: _Reading, element: Any, depth: int) -> None:
    if "summary" in reading.entry and not reading.has_content:
        _full_content(reading, element, depth)
    else:
        _keep_summary(reading, element, depth, "text/plain")


def _keep_summary(reading: _Reading, element: Any, depth: int, default: str) -> None:
    lang, kind, value = _content(reading, element, default)
    reading.store("summary", value, depth)
    reading.entry["summary_detail"] = {"type": kind, "language": lang}


def _full_content(reading: _Reading, element: Any, _: int) -> None:
    _keep_content(reading, element, "text/plain")


def _encoded_content(reading: _Reading, element: Any, _: int) -> None:
    _keep_content(reading, element, "text/html")


def _keep_content(reading: _Reading, element: Any, default: str) -> None:
    reading.has_content = True
    lang, kind, value = _content(reading, element, default)
    reading.entry.setdefault("content", []).append({"type": kind, "language": lang, "value": value})
    reading.entry.setdefault("summary", value)


def _author(reading: _Reading, element: Any, depth: int) -> None:
    if not len(element):
        reading.store("author", _text(element), depth)
        return
    said = {"name": "", "email": ""}
    if (element.text or "").strip():
        raise OddError("author")
    for child in element:
        name = name_of(child)
        is_known = name in {"name", "email", "uri", "url"} or name.startswith(("gd_", "thr_"))
        if len(child) or not is_known or (child.tail or "").strip():
            raise OddError("author")
        if name in said:
            said[name] = (child.text or "").strip()
    name, email = said["name"], said["email"]
    reading.store("author", "", depth)
    if name or email:
        reading.entry["author"] = f"{name} ({email})" if name and email else name or email


def _category(reading: _Reading, element: Any, _: int) -> None:
    attributes = _attributes(element, _TAG_ATTRIBUTES)
    _tag(reading, element, attributes.get("scheme", attributes.get("domain")))


def _media_category(reading: _Reading, element: Any, _: int) -> None:
    attributes = _attributes(element, _TAG_ATTRIBUTES)
    _tag(reading, element, attributes.get("scheme", attributes.get("domain", _MEDIA_TAGS)))


def _itunes_category(reading: _Reading, element: Any, _: int) -> None:
    text = _attributes(element, _TAG_ATTRIBUTES).get("text")
    _add_tag(reading, [text, _ITUNES_TAGS, None])
    _end_tag(reading, _text(element))


def _tag(reading: _Reading, element: Any, scheme: str | None) -> None:
    attributes = element.attrib
    _add_tag(reading, [attributes.get("term"), scheme, attributes.get("label")])
    _end_tag(reading, _text(element))


def _end_tag(reading: _Reading, value: str) -> None:
    tags = reading.entry["tags"]
    if value and tags and not tags[-1]["term"]:
        tags[-1]["term"] = value
    elif value:
        _add_tag(reading, [value, None, None])


def _add_tag(reading: _Reading, parts: list[str | None]) -> None:
    tags = reading.entry.setdefault("tags", [])
    tag = dict(zip(("term", "scheme", "label"), parts, strict=True))
    if any(parts) and tag not in tags:
        tags.append(tag)


def _itunes_keywords(reading: _Reading, element: Any, _: int) -> None:
    for term in _terms(element):
        _add_tag(reading, [term, _ITUNES_TAGS, None])


def _media_keywords(reading: _Reading, element: Any, _: int) -> None:
    for term in _terms(element):
        _add_tag(reading, [term, None, None])


def _terms(element: Any) -> Iterator[str]:
    if element.attrib:
        raise OddError("attributes")
    return (term.strip() for term in _text(element).split(",") if term.strip())


def _date(key: str) -> "Handler":
    def handle(reading: _Reading, element: Any, depth: int) -> None:
        value = _text(element)
        reading.store(key, value, depth)
        if value and read_date(value) is None:
            raise OddError("date")

    return handle


def _enclosure(reading: _Reading, element: Any, _: int) -> None:
    attributes = _attributes(element, _ENCLOSURE_ATTRIBUTES)
    href = attributes.get("url", attributes.get("uri", attributes.get("href")))
    reading.entry.setdefault("links", []).append({"rel": "enclosure", "href": href})


def _source(reading: _Reading, element: Any, _: int) -> None:
    if len(element):
        raise OddError("source")
    reading.resets_title = True


def _image(reading: _Reading, element: Any, _: int) -> None:
    if any(name_of(child) not in {"url", "width", "height"} or len(child) for child in element):
        raise OddError("image")
    reading.resets_title = True


def _contributor(_: _Reading, element: Any, _depth: int) -> None:
    if any(
        name_of(child) not in {"name", "email", "uri", "url"} or len(child) for child in element
    ):
        raise OddError("contributor")


def _feedburner_link(reading: _Reading, element: Any, depth: int) -> None:
    if element.attrib:
        raise OddError("feedburner")
    reading.store("feedburner_origlink", _text(element), depth)


def _content(reading: _Reading, element: Any, default: str) -> tuple[str | None, str, str]:
    """Return language, type and value of an element that holds text."""
    lang, kind = reading.around.lang, default
    attributes = _attributes(element, _TEXT_ATTRIBUTES)
    if attributes:
        if attributes.get("mode") == "base64":
            raise OddError("base64")
        kind = (attributes.get("type") or default).lower()
        kind = _KINDS.get(kind, kind)
        lang = _language(element, lang)
    if kind not in _PLAIN_KINDS:
        raise OddError("type")
    value = _text(element)
    if kind == "text/plain" and "<" in value and not has_markup(value):
        raise OddError("guess")  # feedparser guesses whether this is HTML
    return lang, kind, value


def _attributes(element: Any, allowed: frozenset[str]) -> Any:
    """Return the attributes of an element without children; raise unless all of them are `allowed`."""
    attributes = element.attrib
    if len(element) or (attributes and not allowed.issuperset(attributes)):
        raise OddError("attributes")
    return attributes


def _language(element: Any, inherited: str | None) -> str | None:
    for name in _LANGUAGES:
        value = element.attrib.get(name)
        if value is not None:
            return value or None
    return inherited


def _text(element: Any, resolve: str | None = None) -> str:
    if len(element):
        raise OddError("children")
    value = (element.text or "").strip()
    if resolve is not None and value:
        value = joined(resolve, value)
    if value.isascii():
        return value
    with suppress(UnicodeError):  # UTF-8 that was taken for Latin-1 and encoded again
        value = value.encode("iso-8859-1").decode("utf-8")
    return value.translate(_CP1252)


# What a channel is asked for, or may be taken for it.
_TELLING = frozenset(
    {
        "title",
        "link",
        "id",
        "guid",
        "language",
        "dc_language",
        "dc_title",
        "media_title",
        "newlocation",
    }
)
_IMAGE = frozenset({"title", "link", "description", "url", "href", "width", "height"})
Handler = Callable[[_Reading, Any, int], None]
_PUBLISHED, _UPDATED, _CREATED = _date("published"), _date("updated"), _date("created")
_HANDLERS: dict[str, Handler] = {
    "title": _title,
    "dc_title": _title,
    "media_title": _media_title,
    "link": _link,
    "guid": _guid,
    "id": _guid,
    "description": _description,
    "dc_description": _description,
    "media_description": _description,
    "summary": _summary,
    "itunes_summary": _summary,
    "content": _full_content,
    "content_encoded": _encoded_content,
    "author": _author,
    "managingeditor": _author,
    "dc_author": _author,
    "dc_creator": _author,
    "itunes_author": _author,
    "category": _category,
    "keywords": _category,
    "dc_subject": _category,
    "media_category": _media_category,
    "itunes_category": _itunes_category,
    "itunes_keywords": _itunes_keywords,
    "media_keywords": _media_keywords,
    "published": _PUBLISHED,
    "issued": _PUBLISHED,
    "pubdate": _PUBLISHED,
    "dcterms_issued": _PUBLISHED,
    "updated": _UPDATED,
    "modified": _UPDATED,
    "lastbuilddate": _UPDATED,
    "dc_date": _UPDATED,
    "dcterms_modified": _UPDATED,
    "created": _CREATED,
    "dcterms_created": _CREATED,
    "enclosure": _enclosure,
    "source": _source,
    "image": _image,
    "contributor": _contributor,
    "feedburner_origlink": _feedburner_link,
}
_ODD = frozenset(
    {"abstract", "body", "xhtml_body", "fullitem", "textinput", "tags", "item", "entry", "channel", "feed", "rss"}
    | {"rdf_rdf", "newlocation"}
)  # fmt: skip
# feedparser would keep these where an entry has what is made of others.
_TAKEN = frozenset(
    {"date", "date_parsed", "items", "entries", "links", "authors", "author_detail"}
    | {"title_detail", "summary_detail", "description_detail", "content_detail"}
    | {f"{name}_parsed" for name in ("published", "updated", "created", "modified", "issued")}
)  # fmt: skip
