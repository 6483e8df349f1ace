"""A message for a Teams workflow ("When a Teams webhook request is received"): an adaptive card.

Texts stand in text runs, which know no Markdown, so that none of them can break out. A request has at most 28 KB
(https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using).
"""

import json
from collections.abc import Iterable, Mapping, Sequence

from monitor.core.model import Severity
from monitor.core.render.clean import cut
from monitor.core.render.message import Message
from monitor.core.render.text import (
    also_in,
    fallback,
    grave_mark,
    labels,
    late,
    left_out,
    link_labels,
    more_stories,
    origin,
)
from monitor.core.render.view import AlertView, Change, Piece, RuleView

Json = dict[str, object]

REQUEST_BYTES = 28_000
_FRAME = 1500  # bytes of a request that are not its texts and links
_STORY_LIMIT = 200
_COLOURS = {Severity.INFO: "Default", Severity.WARNING: "Warning", Severity.CRITICAL: "Attention"}
_ACTIONS = 6


def teams(message: Message) -> Json:
    """Write the message as a card."""
    own = message.parts
    head = cut(own.subject, 300) if own.subject else ""
    if own.text:
        body = [_block([_run(line or " ")]) for line in own.text.splitlines()[:100]]
    else:
        body = list(_digest(message) if message.is_digest else _alert(message))
    title = [_block([_run(head, size="Large", weight="Bolder")])] if head else []
    actions = _actions(message)
    return _envelope(_capped([*title, *body], REQUEST_BYTES - _FRAME - _size(actions)), actions)


def teams_plain(message: Message) -> Json:
    """Write the message as a card of one line, for when the whole is refused."""
    return _envelope([_block([_run(fallback(message))])], [])


def _envelope(body: list[Json], actions: Sequence[Mapping[str, str]]) -> Json:
    card: Json = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "msteams": {"width": "Full"},
        "body": body,
        **({"actions": list(actions)} if actions else {}),
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [content]}


def _alert(message: Message) -> Iterable[Json]:
    shown = message.first
    yield _block(
        [
            *(
                _run(f"{label} ", color=_COLOURS[shown.severity], weight="Bolder")
                for label in labels(shown)
            ),
            *(_piece(piece, size="Large", weight="Bolder") for piece in shown.title),
        ]
    )
    yield from _details(shown, list(map(_piece, shown.snippet)))
    if message.because:
        yield _quiet(late(message))


def _digest(message: Message) -> Iterable[Json]:
    head = " ".join((*grave_mark(message.severity), message.heading))
    yield _block([_run(head, size="Large", weight="Bolder")])
    if message.because:
        yield _quiet(late(message))
    room, told = REQUEST_BYTES - 2 * _FRAME - _size(_actions(message)), 0
    for shown in message.stories:
        story = [
            _block(
                [
                    *(_run(f"{label} ", color=_COLOURS[shown.severity]) for label in labels(shown)),
                    _run(shown.heading, weight="Bolder", url=shown.url),
                ]
            ),
            *_details(shown, [_run(cut(shown.excerpt, _STORY_LIMIT))] if shown.excerpt else []),
        ]
        story[0]["separator"] = True
        room -= _size(story)
        if room < 0:
            break
        yield from story
        told += 1
    if more := more_stories(message, told):
        yield _quiet(more)


def _capped(body: Sequence[Json], room: int) -> list[Json]:
    """Drop from the end what makes the request too large. A hostile article can."""
    kept: list[Json] = []
    for block in body:
        room -= _size(block)
        if room >= 0:
            kept.append(block)
    return kept


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8", errors="replace"))


def _details(shown: AlertView, excerpt: list[Json]) -> Iterable[Json]:
    if excerpt:
        yield _block(excerpt)
    if shown.changes:
        yield _block([_run("Headline: "), *map(_change, shown.changes)])
    for said in (" · ".join(origin(shown)), also_in(shown)):
        if said:
            yield _quiet(said)
    for rule in shown.rules:
        yield _rule(rule)
    if shown.rules_left_out:
        yield _quiet(left_out(shown))


def _rule(rule: RuleView) -> Json:
    found = ", ".join(rule.words)
    runs = [_run(f"Rule {rule.name}", isSubtle=True, size="Small")]
    runs += [_run(f" found {found}", highlight=True, size="Small")] if found else []
    return _block(runs)


_CHANGES: Mapping[str, Json] = {
    " ": {},
    "-": {"strikethrough": True},
    "+": {"weight": "Bolder"},
}


def _change(change: Change) -> Json:
    return {**_run(f"{change.text} "), **_CHANGES[change.sign]}


def _piece(piece: Piece, **style: object) -> Json:
    return {**_run(piece.text), **style, **({"highlight": True} if piece.found else {})}


def _quiet(text: str) -> Json:
    return _block([_run(text, isSubtle=True, size="Small")])


def _run(text: str, url: str = "", **style: object) -> Json:
    action = {"selectAction": {"type": "Action.OpenUrl", "url": url}} if url else {}
    return {"type": "TextRun", "text": text, **style, **action}


def _block(runs: list[Json]) -> Json:
    return {"type": "RichTextBlock", "inlines": runs}


def _actions(message: Message) -> list[dict[str, str]]:
    article = "" if message.is_digest else message.first.url
    wanted = (("Open article", article), *link_labels(message.links))
    return [{"type": "Action.OpenUrl", "title": title, "url": url} for title, url in wanted if url][
        :_ACTIONS
    ]
