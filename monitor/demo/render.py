"""Writes feeds and article pages as a newsroom's software would: RSS 2.0, Atom, JSON Feed, HTML."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html import escape

from monitor.demo.script import Format, Outlet, Piece

CONTENT_TYPE = {
    Format.RSS: "application/rss+xml; charset=utf-8",
    Format.ATOM: "application/atom+xml; charset=utf-8",
    Format.JSON: "application/feed+json; charset=utf-8",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A piece as it stands in a feed. `url` is its link there, tracking parameters included."""

    piece: Piece
    url: str
    at: datetime


def render(outlet: Outlet, site: str, articles: Sequence[Published]) -> bytes:
    """Write the document of `outlet`, in the order given."""
    writer = {Format.RSS: _rss, Format.ATOM: _atom, Format.JSON: _json}[outlet.format]
    return writer(outlet, site, articles).encode()


def render_page(piece: Piece, outlet: Outlet) -> str:
    """Write the page that an article's link leads to."""
    return (
        f'<!doctype html><html lang="{outlet.lang}"><meta charset="utf-8"><title>{escape(piece.title)}</title>'
        f"<body><p>{escape(outlet.name)}</p><h1>{escape(piece.title)}</h1>"
        f"<p><em>{escape(piece.summary)}</em></p>{_html(piece)}"
        "<p><small>Invented for the demo of monitor.</small></p></body></html>"
    )


def _html(piece: Piece) -> str:
    return "".join(f"<p>{escape(each)}</p>" for each in piece.body.strip().split("\n\n") if each)


def _rss(outlet: Outlet, site: str, articles: Sequence[Published]) -> str:
    items = "".join(
        f"<item><title>{escape(each.piece.title)}</title><link>{escape(each.url)}</link>"
        f'<guid isPermaLink="false">{each.piece.guid}</guid><pubDate>{format_datetime(each.at)}</pubDate>'
        f"<description>{escape(each.piece.summary)}</description>"
        f"<content:encoded><![CDATA[{_html(each.piece)}]]></content:encoded></item>\n"
        for each in articles
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        f"<title>{escape(outlet.name)}</title><link>{site}</link><language>{outlet.lang}</language>"
        f"<description>{escape(outlet.name)}, invented for a demo</description>\n{items}</channel></rss>\n"
    )


def _atom(outlet: Outlet, site: str, articles: Sequence[Published]) -> str:
    entries = "".join(
        f'<entry><title>{escape(each.piece.title)}</title><link href="{escape(each.url)}"/>'
        f"<id>tag:demo.invalid,2026:{each.piece.guid}</id><updated>{each.at.isoformat()}</updated>"
        f"<published>{each.at.isoformat()}</published><summary>{escape(each.piece.summary)}</summary>"
        f'<content type="html">{escape(_html(each.piece))}</content></entry>\n'
        for each in articles
    )
    updated = max((each.at for each in articles), default=None)
    stamp = f"<updated>{updated.isoformat()}</updated>" if updated else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{outlet.lang}"><title>{escape(outlet.name)}</title>'
        f'<link href="{site}"/><id>tag:demo.invalid,2026:{outlet.id}</id>{stamp}\n{entries}</feed>\n'
    )


def _json(outlet: Outlet, site: str, articles: Sequence[Published]) -> str:
    items = [
        {
            "id": each.piece.guid,
            "url": each.url,
            "title": each.piece.title,
            "summary": each.piece.summary,
            "content_html": _html(each.piece),
            "date_published": each.at.isoformat(),
        }
        for each in articles
    ]
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": outlet.name,
        "home_page_url": site,
        "language": outlet.lang,
        "items": items,
    }
    return json.dumps(document, ensure_ascii=False, indent=1)
