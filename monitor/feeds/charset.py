"""Bytes to text: byte order mark, then what HTTP says, then what the document says, then detection."""

import codecs
import re
from collections.abc import Iterator

from charset_normalizer import from_bytes

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# `<` without a mark (XML 1.0, appendix F).
_WIDE_STARTS = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
# What is declared, and what is meant (WHATWG Encoding): the superset that publishers really use.
_MEANT = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
    "iso8859-11": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
# Codecs of text that no document is in, and that take quadratic time or run escapes.
_REFUSED = frozenset(
    {"idna", "punycode", "undefined", "unicode-escape", "unicode_escape", "raw-unicode-escape", "raw_unicode_escape"}
    | {"utf-7", "mbcs", "oem"}
)  # fmt: skip
_DECLARATION = re.compile(
    rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']"""
)
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_ESCAPE, _KOREAN_ESCAPE = b"\x1b", b"\x1b$)C"
_SAMPLE = 32_768  # detection is slow, and a page of text is enough
_TOLERATED = 5  # one broken character for so many good ones beyond ASCII


def decode(body: bytes, content_type: str) -> str:
    """Return `body` as text. Never fails: what cannot be read becomes U+FFFD."""
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    for start, name in _WIDE_STARTS:
        if body.startswith(start):
            return body.decode(name, "replace")
    # Bytes beyond ASCII that happen to be valid UTF-8 are UTF-8, whatever a server's default setting says.
    text = _utf8(body)
    if text is not None:
        return text if not body.isascii() else _seven_bits(body, content_type) or text
    for name in _declared(body, content_type):
        text = _strict(body, name) or _tolerant(body, name)
        if text is not None:
            return text
    return _tolerant(body, "utf-8") or _detected(body)


def _utf8(body: bytes) -> str | None:
    """Read as UTF-8, but for a character at the end of which only a part is there: the document broke off in it."""
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(body)
    except UnicodeError:
        return None


def _seven_bits(body: bytes, content_type: str) -> str | None:
    """Read what is ASCII only on the surface: ISO-2022 and HZ write other scripts in seven bits.

    The escapes of ISO-2022 need no declaration: no text has them otherwise.
    """
    for name in _declared(body, content_type):
        if name.startswith(("iso2022", "hz")):
            return _strict(body, name)
    if _ESCAPE in body and _ESCAPE + b"$" in body:  # one byte is looked for much faster than two
        return _strict(body, "iso2022_kr" if _KOREAN_ESCAPE in body else "iso2022_jp_2")
    return None


def _declared(body: bytes, content_type: str) -> Iterator[str]:
    for found in (_CHARSET.search(content_type), _DECLARATION.match(body[:400])):
        if found:
            label = found[1] if isinstance(found[1], str) else found[1].decode("ascii")
            name = _codec(label)
            # A declaration that can be read byte by byte is not in wide characters, whatever it says.
            if name is not None and not name.startswith(("utf-16", "utf-32")):
                yield name


def _codec(label: str) -> str | None:
    try:
        name = codecs.lookup(label.removeprefix("x-")).name
    except (LookupError, ValueError):
        return None
    return None if name in _REFUSED else _MEANT.get(name, name)


def _strict(body: bytes, name: str) -> str | None:
    try:
        return body.decode(name)
    except (UnicodeError, LookupError):  # LookupError: a codec, but not of text
        return None


def _tolerant(body: bytes, name: str) -> str | None:
    """Read with replacements, if they are few: one bad byte must not turn a whole document into another script."""
    try:
        text = body.decode(name, "replace")
    except (UnicodeError, LookupError):
        return None
    broken = text.count("\ufffd")
    beyond = len(text) - len(text.encode("ascii", "ignore")) - broken
    return text if broken * _TOLERATED <= beyond else None


def _detected(body: bytes) -> str:
    best = from_bytes(_sample(body)).best()
    name = _codec(best.encoding) if best is not None else None
    return (_strict(body, name) if name else None) or body.decode("cp1252", "replace")


def _sample(body: bytes) -> bytes:
    """Cut the sample around the first byte beyond ASCII: the start of a feed is mostly markup."""
    first = next((found.start() for found in re.finditer(rb"[\x80-\xff]", body)), 0)
    return body[max(0, first - _SAMPLE // 4) : first + _SAMPLE]
