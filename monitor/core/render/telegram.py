"""A message for Telegram's `sendMessage`: its few HTML tags, and buttons that are links.

Limits: 4,096 characters (https://core.telegram.org/bots/api#sendmessage); tags are counted too here, to be safe.
"""

from collections.abc import Iterable
from html import escape

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
    link_labels,
    more_stories,
    origin,
)
from monitor.core.render.view import AlertView, Change, Piece

Json = dict[str, object]

TEXT_LIMIT = 4096
_STORY_LIMIT = 160
_NO_PREVIEW: Json = {"link_preview_options": {"is_disabled": True}}


def telegram(message: Message) -> Json:
    """Write the message in HTML, its links as buttons."""
    text = message.parts.text or _fitted(_digest(message) if message.is_digest else _alert(message))
    buttons = [[{"text": label, "url": url}] for label, url in link_labels(message.links) if url]
    keyboard: Json = {"reply_markup": {"inline_keyboard": buttons}} if buttons else {}
    return {"text": text, "parse_mode": "HTML", **_NO_PREVIEW, **keyboard}


def telegram_plain(message: Message) -> Json:
    """Write the message as plain text, for when the layout is refused."""
    return {
        "text": cut(f"{fallback(message)}\n{message.first.url}".strip(), TEXT_LIMIT),
        **_NO_PREVIEW,
    }


def _alert(message: Message) -> list[str]:
    shown = message.first
    return [_title(shown), *_details(shown, _marked(shown.snippet)), escape(late(message))]


def _digest(message: Message) -> list[str]:
    head = " ".join((*grave_mark(message.severity), message.heading))
    lines = [f"<b>{escape(head)}</b>", escape(late(message))]
    room = TEXT_LIMIT - sum(map(len, lines)) - 60
    shown = 0
    for each in message.stories:
        told = "\n".join([_title(each), *_details(each, escape(cut(each.excerpt, _STORY_LIMIT)))])
        room -= len(told) + 2
        if room < 0:
            break
        lines += [f"\n{told}"]
        shown += 1
    return [*lines, escape(more_stories(message, shown))]


def _title(shown: AlertView) -> str:
    title = f"<b>{escape(shown.heading)}</b>"
    link = f'<a href="{escape(shown.url)}">{title}</a>' if shown.url else title
    return " ".join((*labels(shown), link))


def _details(shown: AlertView, excerpt: str) -> list[str]:
    said = [Change(each.sign, escape(each.text)) for each in shown.changes]
    marks = {" ": "{}", "-": "<s>{}</s>", "+": "<u>{}</u>"}
    lines = [
        excerpt,
        f"Headline: {changed(said, marks)}" if said else "",
        f"<i>{escape(' · '.join(origin(shown)))}</i>" if origin(shown) else "",
        escape(also_in(shown)),
        *(
            f"Rule {escape(rule.name)}"
            + (f": {escape(', '.join(rule.words))}" if rule.words else "")
            for rule in shown.rules
        ),
        left_out(shown),
    ]
    return [each for each in lines if each]


def _marked(pieces: Iterable[Piece]) -> str:
    return "".join(f"<b>{escape(p.text)}</b>" if p.found else escape(p.text) for p in pieces)


def _fitted(lines: list[str]) -> str:
    """Join as many whole lines as fit, so that no tag is left open."""
    said = ""
    for each in lines:
        if each and len(said) + 1 + len(each) <= TEXT_LIMIT:
            said = f"{said}\n{each}" if said else each
    return said
