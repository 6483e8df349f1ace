"""An alert as a Slack message: blocks, and the text that notifications and screen readers use.

The limits are those of https://docs.slack.dev/reference/block-kit/blocks; that of the whole message is not
documented there, and about 13,200 characters (slackapi/bolt-js issue 2509).
"""

from collections.abc import Iterable
from datetime import datetime

from monitor.core.model import Alert, Severity
from monitor.core.render.clean import cut
from monitor.core.render.text import fallback, labels, left_out
from monitor.core.render.view import AlertView, Piece, RuleView, view, written

Json = dict[str, object]

HEADER_LIMIT = 150
SECTION_LIMIT = 3000
_SIGNS = {Severity.INFO: "", Severity.WARNING: "⚠️ ", Severity.CRITICAL: "🔴 "}
# Asterisks are bold only between blanks or punctuation; this blank has no width.
_BOLD = "\u200b*{}*\u200b"


def blocks(alert: Alert) -> Json:
    """Write the alert as the body of a call of an incoming webhook."""
    shown = view(alert)
    layout = [
        _header(shown),
        _section(_body(shown)),
        _context(_origin(shown)),
        _context([*(_rule(rule) for rule in shown.rules), escape(left_out(shown))]),
    ]
    return text_only(alert) | {"blocks": [block for block in layout if block]}


def text_only(alert: Alert) -> Json:
    """Write the alert without blocks, for when Slack refuses them."""
    text = f"{escape(fallback(alert))} {_link(view(alert).url)}".rstrip()
    return {"text": text, "unfurl_links": False, "unfurl_media": False}


def escape(text: str) -> str:
    """Escape the three characters that Slack reads as mark-up; a mention cannot be made without them."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _header(shown: AlertView) -> Json:
    title = cut(_SIGNS[shown.severity] + " ".join((*labels(shown), shown.heading)), HEADER_LIMIT)
    return {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}}


def _body(shown: AlertView) -> str:
    snippet = "".join(_piece(piece) for piece in shown.snippet)
    link = _link(shown.url, "|Read the article")
    # A link that does not fit with the snippet is worth more than the snippet.
    if len(snippet) + 1 + len(link) > SECTION_LIMIT:
        snippet = ""
    return "\n".join(part for part in (snippet, link) if part)


def _link(url: str, label: str = "") -> str:
    """Write a link, or nothing when escaping has made it too long for any section."""
    link = f"<{escape(url)}{label}>"
    return link if url and len(link) <= SECTION_LIMIT else ""


def _piece(piece: Piece) -> str:
    text = escape(piece.text)
    plain = piece.text.strip() == piece.text and "*" not in text and "`" not in text
    return _BOLD.format(text) if piece.found and plain else text


def _origin(shown: AlertView) -> list[str]:
    published = shown.published_at and f"published {_instant(shown.published_at)}"
    seen = shown.seen_at and f"seen {_instant(shown.seen_at)}"
    return [part for part in (escape(shown.source), published, seen) if part]


def _instant(at: datetime) -> str:
    """Let Slack write the instant in the reader's own time zone."""
    seconds = int(at.timestamp())
    return (
        f"<!date^{seconds}^{{date_short_pretty}} {{time}}|{written(at)}>"
        if seconds > 0
        else written(at)
    )


def _rule(rule: RuleView) -> str:
    found = ", ".join(escape(word) for word in rule.words)
    return escape(rule.name) + (f": {found}" if found else "")


def _section(text: str) -> Json:
    return {"type": "section", "text": _markdown(text)} if text else {}


def _context(texts: Iterable[str]) -> Json:
    elements = [_markdown(text) for text in texts if text]
    return {"type": "context", "elements": elements} if elements else {}


def _markdown(text: str) -> Json:
    # verbatim: Slack makes no links, channels or mentions of its own out of what a feed says
    return {"type": "mrkdwn", "text": text, "verbatim": True}
