"""A message for an incoming webhook of Mattermost: Markdown in one attachment.

Limits: a post has 16,383 characters (https://developers.mattermost.com/integrate/webhooks/incoming/).
"""

from monitor.core.model import Severity
from monitor.core.render.clean import cut
from monitor.core.render.markdown import escape, fitted, footer, story
from monitor.core.render.message import Message
from monitor.core.render.text import fallback, grave_mark, late, more_stories

Json = dict[str, object]

POST_LIMIT = 16_383
TEXT_LIMIT = 12_000
_FALLBACK_LIMIT = 1000
_STORY_LIMIT = 200
_COLOURS = {Severity.INFO: "#6b7280", Severity.WARNING: "#d97706", Severity.CRITICAL: "#dc2626"}


def mattermost(message: Message) -> Json:
    """Write the message as an attachment, whose edge has the colour of its severity."""
    plain = cut(escape(fallback(message)), _FALLBACK_LIMIT)
    text = message.parts.text or _text(message)
    attachment = {"fallback": plain, "color": _COLOURS[message.severity], "text": text}
    return {"attachments": [attachment]}


def mattermost_plain(message: Message) -> Json:
    """Write the message as a line of text, for when the attachment is refused."""
    return {"text": cut(f"{escape(fallback(message))} {message.first.url}".strip(), POST_LIMIT)}


def _text(message: Message) -> str:
    links = footer(message.links)
    room = TEXT_LIMIT - len(links) - 1
    if not message.is_digest:
        lines = [*story(message.first, TEXT_LIMIT), escape(late(message))]
        return "\n".join(each for each in (fitted(filter(None, lines), room), links) if each)
    lines = [f"**{escape(' '.join((*grave_mark(message.severity), message.heading)))}**"]
    lines += [escape(late(message))] if message.because else []
    room -= len("\n".join(lines)) + 40
    shown = 0
    for each in message.stories:
        told = "\n".join(story(each, _STORY_LIMIT))
        room -= len(told) + 2
        if room < 0:
            break
        lines += ["", told]
        shown += 1
    return "\n".join([*lines, escape(more_stories(message, shown)), links]).strip()
