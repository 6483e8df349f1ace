"""A look at the markup before the parser has it: whether it is a feed, and can be parsed in bounded time."""

import re
import sys

from monitor.errors import FeedReason, ParseError

# feedparser takes quadratic time over both: 200,000 levels or attributes would keep it busy for minutes.
MAX_DEPTH = 500
MAX_ATTRIBUTES = 1_000

_FEED_ROOTS = frozenset(
    {"rss", "feed", "rdf", "channel"}
)  # without prefix; CDF begins with <channel>
_PROLOG = re.compile(
    r"(?:[\s\ufeff]+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE(?:[^\[>]|\[.*?\]\s*(?=>))*>)*",
    re.DOTALL | re.IGNORECASE,
)
_ROOT = re.compile(r"<([A-Za-z_][\w.-]*(?::[\w.-]+)?)")
_TOKEN = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<(/?)([A-Za-z_][^\s<>/]*)([^<>]*)>", re.DOTALL
)
_ENTRY_TAG = re.compile(r"<(/?)(?:[\w.-]+:)?(?:item|entry)\b[^<>]*>", re.IGNORECASE)
_BURIED = re.compile(r"<(rss|feed)\b[^<>]{0,4000}?(?:version|xmlns)\s*=", re.IGNORECASE)
_LOOKED_THROUGH = (
    50_000  # characters in front of a feed, from a script that prints warnings before it
)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_REFERENCE = re.compile(r"&#([xX][0-9a-fA-F]+|[0-9]+);?")
_LONGEST_REFERENCE = 8
_BLANKS = (9, 10, 13)
_FIRST_LEGAL = 0x20
_SURROGATES = (0xD800, 0xDFFF)
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "p", "li"}
)  # fmt: skip


def without_illegal(text: str) -> str:
    """Return `text` without the characters that XML forbids, written plainly or as references.

    One of them would cost the whole document: expat stops at it, and feedparser fails on `&#xD800;`.
    """
    return _REFERENCE.sub(_legal_reference, _ILLEGAL.sub("", text))


def _legal_reference(found: re.Match[str]) -> str:
    digits = found[1]
    if len(digits) > _LONGEST_REFERENCE:
        return ""
    code = int(digits[1:], 16) if digits[0] in "xX" else int(digits)
    is_legal = code in _BLANKS or _FIRST_LEGAL <= code <= sys.maxunicode
    return found[0] if is_legal and not _SURROGATES[0] <= code <= _SURROGATES[1] else ""


def root_of(text: str) -> str:
    """Return the name of the root element in lower case, without prefix; "" if there is none."""
    prolog = _PROLOG.match(text)
    found = _ROOT.match(text, prolog.end() if prolog else 0)
    return found[1].lower().rpartition(":")[2] if found else ""


def buried_feed(text: str) -> str:
    """Return a document from where a feed begins in it, behind something else; "" if there is none."""
    found = _BURIED.search(text, 0, _LOOKED_THROUGH)
    return text[found.start() :] if found else ""


def is_feed_root(root: str) -> bool:
    """Tell whether a document with this root element is a feed."""
    return root in _FEED_ROOTS


def breaks_off(text: str, root: str) -> bool:
    """Tell whether the root element is never closed."""
    tail = text[-4096:].lower()
    return not re.search(
        rf"</(?:[\w.-]+:)?{re.escape(root)}\s*>|<(?:[\w.-]+:)?{re.escape(root)}[^<>]*/>", tail
    )


def breaks_off_in_entry(text: str) -> bool:
    """Tell whether a document that breaks off does so inside of an entry, of which only a part is there then."""
    tags = [tag[1] for tag in _ENTRY_TAG.finditer(text)]
    return bool(tags) and not tags[-1]


def refuse_hostile(text: str) -> None:
    """Raise `ParseError` for markup that nests or decorates beyond what any feed does."""
    depth = 0
    for token in _TOKEN.finditer(text):
        closing, name, rest = token.groups()
        if name is None:
            continue
        if len(rest) > MAX_ATTRIBUTES and rest.count("=") > MAX_ATTRIBUTES:
            raise _refusal(f"<{name[:40]}> has more than {MAX_ATTRIBUTES} attributes")
        if closing:
            depth = max(0, depth - 1)
        elif not rest.endswith("/") and name.lower() not in _VOID:
            depth += 1
            if depth > MAX_DEPTH:
                raise _refusal(f"elements nest deeper than {MAX_DEPTH} levels")


def _refusal(what: str) -> ParseError:
    return ParseError(FeedReason.PARSER_FAILED, f"{what}: no feed does that, so it was not parsed")
