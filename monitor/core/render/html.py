"""A message as the HTML part of a mail: one column, inline styles, no image, no script, nothing loaded."""

import re
from collections.abc import Iterable
from html import escape

from monitor.core.model import Severity
from monitor.core.render.clean import cut
from monitor.core.render.message import Message
from monitor.core.render.text import (
    also_in,
    changed,
    grave_mark,
    labels,
    late,
    left_out,
    link_labels,
    more_stories,
    origin,
)
from monitor.core.render.view import AlertView, Change, Piece, RuleView, shortened

_COLOURS = {Severity.INFO: "#6b7280", Severity.WARNING: "#b45309", Severity.CRITICAL: "#b91c1c"}
_SHORT_EXCERPT = 240  # of a story in a digest
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")  # of a language, in the form of BCP 47

# Mail programs drop what they do not know, so that all of the look is in the elements themselves; the style sheet
# only adds the dark colours. The first, hidden line is what a list of mails shows beside the subject.
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{heading}</title>
<style>
:root {{ color-scheme: light dark; }}
@media (prefers-color-scheme: dark) {{
.page {{ background: #111827 !important; color: #f3f4f6 !important; }}
.card {{ background: #1f2937 !important; color: #f3f4f6 !important; }}
.quiet {{ color: #9ca3af !important; }}
.info {{ color: #9ca3af !important; }}
.warning {{ color: #fbbf24 !important; }}
.critical {{ color: #f87171 !important; }}
a {{ color: #93c5fd !important; }}
.quiet a {{ color: #9ca3af !important; }}
mark {{ background: #854d0e !important; color: #fef9c3 !important; }}
ins {{ background: #14532d !important; color: #dcfce7 !important; }}
del {{ color: #9ca3af !important; }}
}}
</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f3f4f6;color:#111827;">
<div style="display:none;max-height:0;overflow:hidden;">{preview}</div>
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" border="0" \
style="background:#f3f4f6;">
<tr><td align="center" style="padding:12px;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" \
style="max-width:600px;text-align:left;text-align:start;\
font-family:-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif;\
font-size:16px;line-height:1.5;overflow-wrap:anywhere;word-break:break-word;">
{rows}
</table>
</td></tr>
</table>
</body>
</html>
"""
_ROW = '<tr><td dir="auto"{extra}>{content}</td></tr>'
_CARD = """\
<tr><td class="card" style="padding:10px 16px 12px;background:#ffffff;border-left:4px solid {colour};">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">
{rows}
</table>
</td></tr>
<tr><td style="height:10px;font-size:0;line-height:0;">&nbsp;</td></tr>"""
_QUIET = ' class="quiet" style="padding:2px 0;font-size:13px;line-height:1.45;color:#4b5563;"'
_TITLE = ' style="padding:2px 0;font-size:{size}px;line-height:1.3;font-weight:600;"'


def html(message: Message) -> str:
    """Write the message as a page of its own; every text in it is escaped."""
    rows = (
        _top(message) if message.is_digest else "",
        *(_card(shown, message) for shown in message.stories),
        _row(_QUIET, escape(more_stories(message))),
        _row(_QUIET, _footer(message)),
    )
    return _PAGE.format(
        heading=escape(message.heading),
        preview=escape(cut(_preview(message), _SHORT_EXCERPT)),
        rows="\n".join(row for row in rows if row),
    )


def _preview(message: Message) -> str:
    if not message.is_digest:
        return message.first.excerpt
    return " · ".join(shown.heading for shown in message.stories[:3])


def _top(message: Message) -> str:
    """Say what the digest is and why it is one."""
    marks = escape(" · ".join(grave_mark(message.severity)))
    style = 'style="padding:4px 0 12px;font-size:13px;"'
    badge = f"{_badge(message.severity, marks)}<br>" if marks else ""
    heading = f'<span style="font-size:22px;line-height:1.3;font-weight:700;">{escape(message.heading)}</span>'
    why = f'<br><span class="quiet" style="color:#4b5563;">{escape(late(message))}</span>'
    return _row(f" {style}", badge + heading + (why if message.because else ""))


def _card(shown: AlertView, message: Message) -> str:
    single, spoken = not message.is_digest, _spoken(shown.lang)
    excerpt = _highlighted(shown.snippet if single else shortened(shown.snippet, _SHORT_EXCERPT))
    rows = (
        _row(' style="padding:2px 0;font-size:13px;"', _badges(shown)),
        _row(_TITLE.format(size=20 if single else 17) + spoken, _title(shown)),
        _row(f' style="padding:6px 0;"{spoken}', excerpt),
        _row(' style="padding:2px 0 6px;font-size:14px;"', _change(shown.changes)),
        _row(_QUIET, _origin(shown)),
        _row(_QUIET, escape(also_in(shown))),
        *(_row(_QUIET, _rule(rule)) for rule in shown.rules),
        _row(_QUIET, escape(left_out(shown))),
        _row(_QUIET, escape(late(message)) if single else ""),
    )
    return _CARD.format(colour=_COLOURS[shown.severity], rows="\n".join(row for row in rows if row))


def _spoken(lang: str) -> str:
    """Say in which language a text is to be read aloud, if that is known; the rest of the mail is in English."""
    return f' lang="{lang}"' if _TAG.fullmatch(lang) and lang != "en" else ""


def _badges(shown: AlertView) -> str:
    return _badge(shown.severity, escape(" · ".join(labels(shown))))


def _badge(severity: Severity, said: str) -> str:
    if not said:
        return ""
    colour = _COLOURS[severity]
    return (
        f'<span class="{severity.value}" style="font-weight:700;letter-spacing:.04em;color:{colour};">'
        f"{said}</span>"
    )


def _title(shown: AlertView) -> str:
    title = _highlighted(shown.title)
    if not shown.url:
        return title
    return f'<a href="{escape(shown.url)}" style="color:#1d4ed8;text-decoration:none;">{title}</a>'


def _origin(shown: AlertView) -> str:
    """Say where and when; a name in another script must not turn the line around."""
    source, *rest = origin(shown) or ("",)
    first = f"<bdi>{escape(source)}</bdi>" if source == shown.source else escape(source)
    return " · ".join((first, *map(escape, rest))) if source else ""


def _highlighted(pieces: Iterable[Piece]) -> str:
    texts = ((escape(piece.text), piece.found) for piece in pieces)
    return "".join(_mark(text) if found else text for text, found in texts)


def _mark(text: str) -> str:
    return f'<mark style="background:#fef08a;color:inherit;">{text}</mark>'


def _change(changes: Iterable[Change]) -> str:
    said = [Change(change.sign, escape(change.text)) for change in changes]
    marks = {
        " ": "{}",
        "-": '<del style="color:#6b7280;">{}</del>',
        "+": '<ins style="background:#dcfce7;text-decoration:none;">{}</ins>',
    }
    return f"Headline: {changed(said, marks)}" if said else ""


def _rule(rule: RuleView) -> str:
    found = f" found {', '.join(_mark(escape(word)) for word in rule.words)}" if rule.words else ""
    return f"Rule <b>{escape(rule.name)}</b>{found}"


def _footer(message: Message) -> str:
    links = [
        f'<a href="{escape(url)}" style="color:#4b5563;text-decoration:underline;'
        f'display:inline-block;margin:0 14px 4px 0;white-space:nowrap;">{label}</a>'
        for label, url in link_labels(message.links)
        if url
    ]
    return " ".join(links)


def _row(extra: str, content: str) -> str:
    return _ROW.format(extra=extra, content=content) if content else ""
