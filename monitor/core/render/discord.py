"""A message for a Discord webhook: one embed.

Limits: https://discord.com/developers/docs/resources/message#embed-object-embed-limits.
"""

from monitor.core.model import Severity
from monitor.core.render.clean import cut
from monitor.core.render.markdown import change, escape, fitted, footer, marked, rule, story
from monitor.core.render.message import Message
from monitor.core.render.text import (
    fallback,
    grave_mark,
    labels,
    late,
    left_out,
    more_stories,
    origin,
)

Json = dict[str, object]

TITLE_LIMIT, DESCRIPTION_LIMIT, FOOTER_LIMIT, CONTENT_LIMIT = 256, 4096, 2048, 2000
_LONGEST_URL = 2000
_STORY_LIMIT = 160
_COLOURS = {Severity.INFO: 0x6B7280, Severity.WARNING: 0xD97706, Severity.CRITICAL: 0xDC2626}
# Whatever a text says, it calls nobody.
_SILENT: Json = {"allowed_mentions": {"parse": []}}


def discord(message: Message) -> Json:
    """Write the message as an embed."""
    shown = message.first
    single = not message.is_digest
    own = message.parts
    title = " ".join((*labels(shown), shown.heading)) if single else _digest_title(message)
    embed: Json = {
        "title": cut(own.subject or title, TITLE_LIMIT),
        "description": own.text or (_alert(message) if single else _digest(message)),
        "color": _COLOURS[message.severity],
    }
    if single and shown.url and len(shown.url) <= _LONGEST_URL:
        embed["url"] = shown.url
    if single:
        embed["footer"] = {"text": cut(" · ".join(origin(shown)), FOOTER_LIMIT) or "monitor"}
    return {"embeds": [embed], **_SILENT}


def discord_plain(message: Message) -> Json:
    """Write the message as a line of text, for when the embed is refused."""
    text = f"{escape(fallback(message))} {message.first.url}".strip()
    return {"content": cut(text, CONTENT_LIMIT), **_SILENT}


def _digest_title(message: Message) -> str:
    return " ".join((*grave_mark(message.severity), message.heading))


def _alert(message: Message) -> str:
    shown = message.first
    lines = [
        marked(shown.snippet),
        change(shown),
        *(rule(each) for each in shown.rules),
        left_out(shown),
        escape(late(message)),
    ]
    return _with_footer([each for each in lines if each], message)


def _digest(message: Message) -> str:
    lines = [escape(late(message))] if message.because else []
    shown = 0
    room = DESCRIPTION_LIMIT - len(footer(message.links)) - 40
    for each in message.stories:
        told = "\n".join(story(each, _STORY_LIMIT))
        room -= len(told) + 2
        if room < len("\n".join(lines[:1])):
            break
        lines += ["", told]
        shown += 1
    return _with_footer([*lines, escape(more_stories(message, shown))], message)


def _with_footer(lines: list[str], message: Message) -> str:
    links = footer(message.links)
    room = DESCRIPTION_LIMIT - len(links) - 2
    return "\n".join(each for each in (fitted(lines, room), links) if each) if room > 0 else ""
