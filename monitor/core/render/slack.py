"""An alert or a digest as a Slack message: blocks, and the text that notifications and screen readers use.

The limits are those of https://docs.slack.dev/reference/block-kit/blocks; that of the whole message is not
documented there, and about 13,200 characters (slackapi/bolt-js issue 2509).
"""

from collections.abc import Iterable
from datetime import datetime

from monitor.core.links import Links
from monitor.core.localtime import written
from monitor.core.model import Severity
from monitor.core.render.clean import cut
from monitor.core.render.message import Message
from monitor.core.render.text import (
    also_in,
    changed,
    fallback,
    grave_mark,
    labels,
    late,
    left_out,
    more_stories,
)
from monitor.core.render.view import AlertView, Piece, RuleView

Json = dict[str, object]

HEADER_LIMIT, SECTION_LIMIT, BUTTON_LIMIT, URL_LIMIT = 150, 3000, 75, 2000
TOTAL_LIMIT = 12_000
STORIES_LIMIT = 15
_SHORT_EXCERPT = 200  # of a story in a digest
_RULE_LIMIT = 600
_SIGNS = {Severity.INFO: "", Severity.WARNING: "⚠️ ", Severity.CRITICAL: "🔴 "}
# Asterisks are bold only between blanks or punctuation; this blank has no width.
_BOLD, _STRUCK = "\u200b*{}*\u200b", "\u200b~{}~\u200b"
_MARK_UP = frozenset("*`~_")


def blocks(message: Message, sources: int = 1) -> Json:
    """Write the message as the body of a post; `sources` of the story are counted where there are several."""
    plain = text_only(message)
    layout = _digest(message) if message.is_digest else _alert(message, sources)
    return plain | {"blocks": _capped([block for block in layout if block], size(plain))}


def text_only(message: Message) -> Json:
    """Write the message without blocks, for when Slack refuses them."""
    url = message.links.open if message.is_digest else message.first.url
    text = f"{escape(fallback(message))} {_link(url)}".rstrip()
    return {"text": text, "unfurl_links": False, "unfurl_media": False}


def escape(text: str) -> str:
    """Escape the three characters that Slack reads as mark-up; a mention cannot be made without them."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def size(block: Json) -> int:
    """Return how many characters a block counts for in the message's limit; links of buttons count too."""
    return sum(len(text) for text in _texts(block))


def _capped(layout: list[Json], used: int) -> list[Json]:
    """Drop from the end what makes the message too long. The links of a hostile article can."""
    room = TOTAL_LIMIT - used
    kept: list[Json] = []
    for block in layout:
        room -= size(block)
        if room >= 0:
            kept.append(block)
    return kept


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _alert(message: Message, sources: int) -> Iterable[Json]:
    shown = message.first
    count = f"Now in {sources} sources" if sources > 1 else ""
    own = message.parts
    yield _header(shown.severity, own.subject or " ".join((*labels(shown), shown.heading)))
    if own.text:
        yield _section(own.text)
        yield _actions(message.links, shown.url)
        return
    yield _section(_body(shown))
    yield _section(_change(shown))
    yield _context([*_origin(shown), count, escape(late(message))])
    yield _context([*(_rule(rule) for rule in shown.rules), escape(left_out(shown))])
    yield _actions(message.links, shown.url)


def _digest(message: Message) -> Iterable[Json]:
    own = message.parts
    title = own.subject or " ".join((*grave_mark(message.severity), message.heading))
    actions = _actions(message.links, "")
    if own.text:
        return [_header(message.severity, title), _section(own.text), actions]
    top = [_header(message.severity, title), _context([escape(late(message))])]
    room = TOTAL_LIMIT - size(text_only(message)) - sum(map(size, (*top, actions))) - _FOOT
    stories: list[Json] = []
    for shown in message.stories[:STORIES_LIMIT]:
        story = _section(_story(shown))
        room -= size(story)
        if room < 0:
            break
        stories.append(story)
    more = escape(more_stories(message, len(stories)))
    return [*top, *stories, _context([more]), actions]


_FOOT = 100  # characters kept for the line that says how many stories there are besides


def _header(severity: Severity, title: str) -> Json:
    title = cut(_SIGNS[severity] + title, HEADER_LIMIT)
    return {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}}


def _body(shown: AlertView) -> str:
    snippet = "".join(_piece(piece) for piece in shown.snippet)
    link = _link(shown.url, "|Read the article")
    # A link that does not fit with the snippet is worth more than the snippet.
    if len(snippet) + 1 + len(link) > SECTION_LIMIT:
        snippet = ""
    return "\n".join(part for part in (snippet, link) if part)


def _story(shown: AlertView) -> str:
    """Write one story of a digest: what must be left out to fit goes from the end."""
    title = _linked(shown)
    lines = [
        " ".join((*labels(shown), title)),
        escape(cut(shown.excerpt, _SHORT_EXCERPT)),
        _change(shown),
        " · ".join(_origin(shown)),
        escape(also_in(shown)),
        "; ".join(_rule(rule) for rule in shown.rules),
    ]
    said = ""
    for line in lines:
        if line and len(said) + 1 + len(line) <= SECTION_LIMIT:
            said = f"{said}\n{line}" if said else line
    return said


def _linked(shown: AlertView) -> str:
    link = _link(shown.url, f"|{escape(shown.heading)}")
    return link or escape(shown.heading)


def _link(url: str, label: str = "") -> str:
    """Write a link, or nothing when escaping has made it too long for any section."""
    link = f"<{escape(url)}{label}>"
    return link if url and len(link) <= SECTION_LIMIT else ""


def _piece(piece: Piece) -> str:
    text = escape(piece.text)
    return _BOLD.format(text) if piece.found and _is_plain(piece.text) else text


def _is_plain(text: str) -> bool:
    """Tell whether marks can be put around a text."""
    return text.strip() == text and not _MARK_UP & set(text)


def _change(shown: AlertView) -> str:
    """Show what an edit did to the headline: struck out what went, bold what came."""
    if not shown.changes or not all(_is_plain(change.text) for change in shown.changes):
        return ""
    said = [type(change)(change.sign, escape(change.text)) for change in shown.changes]
    text = "Headline: " + changed(said, {" ": "{}", "-": _STRUCK, "+": _BOLD})
    return text if len(text) <= SECTION_LIMIT else ""


def _origin(shown: AlertView) -> list[str]:
    published = shown.published_at and f"published {_instant(shown.published_at)}"
    seen = shown.seen_at and f"seen {_instant(shown.seen_at)}"
    said = (escape(shown.source), published, seen, escape(shown.lang))
    return [part for part in said if part]


def _instant(at: datetime) -> str:
    """Let Slack write the instant in the reader's own time zone."""
    seconds = int(at.timestamp())
    return (
        f"<!date^{seconds}^{{date_short_pretty}} {{time}}|{written(at)}>"
        if seconds > 0
        else written(at)
    )


def _rule(rule: RuleView) -> str:
    """Name the rule and the words that it found, as many as there is room for."""
    said = escape(rule.name)
    for number, word in enumerate(map(escape, rule.words)):
        more = f"{', ' if number else ': '}{word}"
        if len(said) + len(more) > _RULE_LIMIT:
            break
        said += more
    return said


def _section(text: str) -> Json:
    return {"type": "section", "text": _markdown(text)} if text else {}


def _context(texts: Iterable[str]) -> Json:
    elements = [_markdown(text) for text in texts if text]
    return {"type": "context", "elements": elements} if elements else {}


def _actions(links: Links, article: str) -> Json:
    wanted = (
        ("article", "Open article", article),
        ("open", "Why this alert", links.open),
        ("snooze_story", "Snooze story", links.snooze_story),
        ("snooze_rule", "Snooze rule", links.snooze_rule),
        ("digest", "Change to digest", links.digest),
    )
    buttons = [
        {
            "type": "button",
            "action_id": action,
            "text": {"type": "plain_text", "text": label, "emoji": False},
            "url": url,
        }
        for action, label, url in wanted
        if url and len(url) <= URL_LIMIT
    ]
    # The article alone has its link above.
    return {"type": "actions", "elements": buttons} if buttons and links.open else {}


def _markdown(text: str) -> Json:
    # verbatim: Slack makes no links, channels or mentions of its own out of what a feed says
    return {"type": "mrkdwn", "text": text, "verbatim": True}
