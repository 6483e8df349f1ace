"""The text of an article out of its page, by trafilatura and some care of our own.

Synchronous, and not safe to call on hostile pages in a process that matters: `HttpPages` calls it in another.
"""

from trafilatura import bare_extraction

from monitor.core.feed import Document
from monitor.core.fulltext import PageOutcome, PageText
from monitor.feeds import text
from monitor.feeds.boilerplate import clean
from monitor.feeds.charset import decode
from monitor.feeds.screen import without_illegal

MOST_CHARACTERS = 3_000_000  # of markup; the longest page of the corpus has 0.6 million
_SHORTEST = 100  # characters; less is a notice about cookies or a login


def extract_page(document: Document) -> PageText:
    """Return the text of a page that was fetched, its title, and in words what was left out."""
    source = without_illegal(decode(document.body, document.headers.get("content-type", "")))
    if len(source) > MOST_CHARACTERS:
        return _nothing(f"the page has more than {MOST_CHARACTERS:,} characters")
    if "<" not in source:
        return _nothing("there is no markup in it: not a web page")
    found = bare_extraction(
        source, url=document.url, fast=True, include_comments=False, with_metadata=True
    )
    if found is None or isinstance(found, dict) or not found.text:
        return _nothing("nothing on the page looks like an article")
    title = text.line(found.title or "", text.TITLE_LIMIT)
    cleaned = clean(text.tidy(found.text), title)
    body = text.shorten(cleaned.text, text.BODY_LIMIT)
    if len(body) < _SHORTEST:
        return _nothing(f"what looks like an article has {len(body)} characters: too short")
    left_out = ", ".join(f"{count} {why}" for why, count in sorted(cleaned.left_out.items()))
    return PageText(
        outcome=PageOutcome.EXTRACTED,
        text=body,
        title=title,
        detail=f"{len(body):,} characters of text in {len(source):,} of markup"
        + (f"; lines left out: {left_out}" if left_out else ""),
    )


def _nothing(why: str) -> PageText:
    return PageText(outcome=PageOutcome.NO_TEXT, detail=why)
