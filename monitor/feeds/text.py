"""HTML, and what feeds pass off as HTML, to plain text."""

import html
import re

from lxml import etree

TITLE_LIMIT = 1_000
SUMMARY_LIMIT = 20_000
BODY_LIMIT = 200_000
AUTHOR_LIMIT = 500
TAG_LIMIT = 200
URL_LIMIT = 4_000
# Markup is mostly shorter than the text it carries; what is beyond this is not looked at.
_MARKUP_FACTOR = 10
_SHORT_MARKUP = 1_000_000

_DROPPED = ("script", "style", "noscript", "template", "iframe", "svg", "math", "head")
_PARAGRAPHS = (
    *("address", "article", "aside", "blockquote", "center", "dl", "div", "fieldset", "figcaption", "figure", "footer"),
    *("form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "nav", "ol", "p", "pre", "section", "table"),
    *("ul",),
)  # fmt: skip
_LINES = ("br", "dd", "dt", "li", "tr", "option", "caption", "summary")
_CELLS = ("td", "th")

# One pass in C; the same in Python, an element at a time, takes five times as long.
_WRITTEN_OUT = etree.XSLT(
    etree.fromstring(f"""\
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:output method="text"/>
<xsl:template match="{"|".join(_DROPPED)}"/>
<xsl:template match="{"|".join(_PARAGRAPHS)}">
<xsl:text>&#10;&#10;</xsl:text><xsl:apply-templates/><xsl:text>&#10;&#10;</xsl:text>
</xsl:template>
<xsl:template match="{"|".join(_LINES)}"><xsl:text>&#10;</xsl:text><xsl:apply-templates/></xsl:template>
<xsl:template match="{"|".join(_CELLS)}"><xsl:text> </xsl:text><xsl:apply-templates/></xsl:template>
</xsl:stylesheet>""")
)

# Tags that are seen in titles and texts of feeds and mean markup, and any with an attribute; `a<b` and `<3` are none.
_MARKUP = re.compile(
    r"</?(?:a|abbr|acronym|b|big|blockquote|br|center|cite|code|del|div|em|figure|font|h[1-6]|hr|i|iframe|img|ins|li"
    r"|ol|p|pre|q|s|script|small|span|strike|strong|style|sub|sup|table|tbody|td|th|tr|tt|u|ul|wbr)(?:\s[^<>]*)?/?>"
    r"|<[a-z][a-z0-9]*\s+[a-z-]+\s*=\s*[\"'][^<>]*>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# An image within its own address, or an attack: libxml2 compares every attribute with every other.
_LONG_TAG = re.compile(r"<[^<>]{5000,}>")
_ANY_TAG = re.compile(r"<[^<>]*>")
_PARAGRAPH_ENDS = re.compile(r"\n{3,}")
# Control characters, surrogates and non-characters: no text, and no XML, JSON or UTF-8 either.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]"
)


def plain(value: str, limit: int, *, is_html: bool) -> str:
    """Return `value` as plain text of at most `limit` characters, paragraphs apart by an empty line.

    Text that was escaped once too often is decoded once more; so are tags in what claims to be plain text.
    """
    value = _cut_markup(value, limit)
    for _ in range(2):
        if "<" in value and (is_html or _MARKUP.search(value)):
            value = _from_html(value)
        else:
            value = html.unescape(value) if "&" in value else value
        if not _ENTITY.search(value) and not _MARKUP.search(value):
            break
    return shorten(tidy(value), limit)


def has_markup(value: str) -> bool:
    """Tell whether there is a tag in `value` that means markup."""
    return _MARKUP.search(value) is not None


def tidy(text: str) -> str:
    """Return plain text with single blanks, no blank at the ends of lines, and at most one empty line in a row."""
    lines = (" ".join(line.split()) for line in _UNPRINTABLE.sub("", text).split("\n"))
    text = "\n".join(lines)
    return (_PARAGRAPH_ENDS.sub("\n\n", text) if "\n\n\n" in text else text).strip()


def line(value: str, limit: int) -> str:
    """Return `value` as one line of at most `limit` characters."""
    return shorten(" ".join(_UNPRINTABLE.sub("", value).split()), limit)


def shorten(text: str, limit: int) -> str:
    """Cut `text` to `limit` characters, at the end of a word where there is one near."""
    if len(text) <= limit:
        return text
    end = text.rfind(" ", limit - 100, limit)
    return text[: end if end > 0 else limit].rstrip()


def _cut_markup(value: str, limit: int) -> str:
    most = max(limit * _MARKUP_FACTOR, _SHORT_MARKUP)
    if len(value) <= most:
        return value
    cut = value[:most]
    return cut[: cut.rfind("<")] if cut.rfind("<") > cut.rfind(">") else cut


def _from_html(value: str) -> str:
    """Return the text of a piece of HTML. Structure is marked before the tags go."""
    flat = _LONG_TAG.sub(" ", _UNPRINTABLE.sub("", value).replace("\n", " ").replace("\r", " "))
    parser = etree.HTMLParser(
        huge_tree=True, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(f"<body>{flat}</body>", parser)
    except etree.LxmlError:
        root = None
    if root is None or any(
        error.domain_name == "PARSER" and error.level_name == "FATAL" for error in parser.error_log
    ):
        return html.unescape(_ANY_TAG.sub(" ", flat))  # nested thousands deep
    return str(_WRITTEN_OUT(root))
