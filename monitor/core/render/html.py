"""An alert as the HTML part of a mail: one column, inline styles, no image, no script, nothing loaded."""

from collections.abc import Iterable
from html import escape

from monitor.core.model import Alert, Severity
from monitor.core.render.text import labels, left_out, origin, rule_line
from monitor.core.render.view import AlertView, Piece, view

_COLOURS = {Severity.INFO: "#4b5563", Severity.WARNING: "#b45309", Severity.CRITICAL: "#b91c1c"}

# Mail programs drop what they do not know, so that all of the look is in the elements themselves; the style sheet
# only adds the dark colours.
_PAGE = """\
<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{heading}</title>
<style>
:root {{ color-scheme: light dark; }}
@media (prefers-color-scheme: dark) {{
.page, .card {{ background: #111827 !important; color: #f3f4f6 !important; }}
.quiet {{ color: #9ca3af !important; }}
a {{ color: #93c5fd !important; }}
mark {{ background: #854d0e !important; color: #fef9c3 !important; }}
}}
</style>
</head>
<body class="page" style="margin:0;padding:0;background:#ffffff;color:#111827;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">
<tr><td align="center" style="padding:12px;">
<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" border="0" \
style="max-width:600px;text-align:left;font-family:-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif;\
font-size:16px;line-height:1.5;overflow-wrap:anywhere;word-break:break-word;">
{rows}
</table>
</td></tr>
</table>
</body>
</html>
"""
_ROW = '<tr><td dir="auto" {extra}>{content}</td></tr>'
_QUIET = 'class="quiet" style="padding:4px 0;font-size:13px;color:#4b5563;"'


def html(alert: Alert) -> str:
    """Write the alert as a page of its own; every text in it is escaped."""
    shown = view(alert)
    rows = (
        _badges(shown),
        _row(
            'style="padding:4px 0;font-size:20px;line-height:1.3;font-weight:600;"', _title(shown)
        ),
        _row('style="padding:8px 0;"', _highlighted(shown.snippet)),
        _row(_QUIET, escape(" · ".join(origin(shown)))),
        *(_row(_QUIET, escape(rule_line(rule))) for rule in shown.rules),
        _row(_QUIET, escape(left_out(shown))),
    )
    return _PAGE.format(heading=escape(shown.heading), rows="\n".join(row for row in rows if row))


def _badges(shown: AlertView) -> str:
    style = (
        f'style="padding:4px 0;font-size:13px;font-weight:700;color:{_COLOURS[shown.severity]};"'
    )
    return _row(style, escape(" · ".join(labels(shown))))


def _title(shown: AlertView) -> str:
    title = _highlighted(shown.title)
    if not shown.url:
        return title
    return f'<a href="{escape(shown.url)}" style="color:#1d4ed8;text-decoration:none;">{title}</a>'


def _highlighted(pieces: Iterable[Piece]) -> str:
    mark = '<mark style="background:#fef08a;color:inherit;">{}</mark>'
    texts = ((escape(piece.text), piece.found) for piece in pieces)
    return "".join(mark.format(text) if found else text for text, found in texts)


def _row(extra: str, content: str) -> str:
    return _ROW.format(extra=extra, content=content) if content else ""
