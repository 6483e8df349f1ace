"""A message for ntfy: plain text, a priority, and up to three buttons.

Limits: 4,096 bytes of message (https://docs.ntfy.sh/publish/#limitations); a longer one becomes a file.
"""

from monitor.core.model import Severity
from monitor.core.render.clean import cut
from monitor.core.render.message import Message
from monitor.core.render.text import (
    also_in,
    fallback,
    headline_change,
    labels,
    late,
    more_stories,
    origin,
    rule_line,
)
from monitor.core.render.view import AlertView

Json = dict[str, object]

TITLE_LIMIT, MESSAGE_BYTES = 200, 4096
_ACTIONS = 3
_PRIORITIES = {Severity.INFO: 3, Severity.WARNING: 4, Severity.CRITICAL: 5}
_TAGS = {
    Severity.INFO: "newspaper",
    Severity.WARNING: "warning",
    Severity.CRITICAL: "rotating_light",
}


def ntfy(message: Message) -> Json:
    """Write the message without its topic."""
    own, shown = message.parts, message.first
    title = message.heading if message.is_digest else " ".join((*labels(shown), shown.heading))
    links = message.links
    wanted = (
        ("Why", links.open),
        ("Snooze story", links.snooze_story),
        ("Snooze rule", links.snooze_rule),
        ("Digest", links.digest),
    )
    actions = [{"action": "view", "label": label, "url": url} for label, url in wanted if url]
    click = links.open if message.is_digest else shown.url
    return {
        "title": cut(own.subject or title, TITLE_LIMIT),
        "message": shortened(own.text or _text(message), MESSAGE_BYTES) or fallback(message),
        "priority": _PRIORITIES[message.severity],
        "tags": [_TAGS[message.severity]],
        **({"click": click} if click else {}),
        **({"actions": actions[:_ACTIONS]} if actions else {}),
    }


def ntfy_plain(message: Message) -> Json:
    """Write the message in a line, for when the whole is refused."""
    return {"message": shortened(fallback(message), MESSAGE_BYTES)}


def _text(message: Message) -> str:
    if not message.is_digest:
        lines = [message.first.excerpt, *_details(message.first), late(message)]
    else:
        lines = [late(message)]
        for number, shown in enumerate(message.stories, 1):
            lines += [
                f"{number}. {' '.join((*labels(shown), shown.heading))}",
                *_details(shown)[:1],
            ]
        lines.append(more_stories(message))
    return "\n".join(line for line in lines if line)


def _details(shown: AlertView) -> list[str]:
    lines = (
        " · ".join(origin(shown)),
        headline_change(shown),
        also_in(shown),
        *map(rule_line, shown.rules),
    )
    return [line for line in lines if line]


def shortened(text: str, most: int) -> str:
    """Cut a text to a number of bytes in UTF-8, between two characters."""
    data = text.encode()
    return text if len(data) <= most else data[: most - 3].decode(errors="ignore").rstrip() + "…"
