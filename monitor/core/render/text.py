"""An alert or a digest as plain text, for mail and for anything that shows no more than text."""

from collections.abc import Iterable, Sequence

from monitor.core.links import Links
from monitor.core.localtime import time_of_day, written
from monitor.core.model import Severity
from monitor.core.render.clean import cut, line
from monitor.core.render.message import Message
from monitor.core.render.view import AlertView, Change, Piece, RuleView

SUBJECT_LIMIT = 200
_SHORT_EXCERPT, _RULES_LIMIT = 200, 300  # of a story in a digest


def subject(message: Message) -> str:
    """Say the message in one line: '[Talks] Talks resume in Geneva'."""
    if message.is_digest:
        marks = grave_mark(message.severity)
        first = f": {message.first.heading}"
        return cut(" ".join((*marks, message.heading)) + first, SUBJECT_LIMIT)
    shown = message.first
    more = len(shown.rules) + shown.rules_left_out - 1
    rule = shown.rules[0].name if shown.rules else "monitor"
    marks = labels(shown)
    tag = f"[{rule}{f' +{more}' if more > 0 else ''}]"
    return cut(" ".join((tag, *marks, shown.heading)), SUBJECT_LIMIT)


def text(message: Message) -> str:
    """Write the message in a few lines; what was found stands between asterisks."""
    if message.is_digest:
        return _written([*_digest(message), *_footer(message.links)])
    shown = message.first
    return _written([*_alert(shown), late(message), "", *_footer(message.links)])


def short_text(message: Message) -> str:
    """Write the message in as few lines as there can be: for a mail server that finds the whole too large."""
    lines = [message.heading if message.is_digest else ""]
    for shown in message.stories:
        lines += [" ".join((*labels(shown), shown.heading)), shown.url]
    return _written([*lines, more_stories(message)])


def labels(shown: AlertView) -> tuple[str, ...]:
    """Return the words that stand before the title: how grave it is, and whether it is an edit."""
    return (*grave_mark(shown.severity), *(("EDITED",) if shown.edited else ()))


def grave_mark(severity: Severity) -> tuple[str, ...]:
    """Return the word for a severity that is worth one."""
    return (severity.upper(),) if severity is not Severity.INFO else ()


def origin(shown: AlertView) -> tuple[str, ...]:
    """Say where the article comes from, in which language, and when it was published and seen."""
    published = f"published {written(shown.published_at)}" if shown.published_at else ""
    return tuple(part for part in (shown.source, published, _seen(shown), shown.lang) if part)


def _seen(shown: AlertView) -> str:
    """Say when it was seen; the day stands beside it already where it was published on the same."""
    published, seen = shown.published_at, shown.seen_at
    if seen is None:
        return ""
    same_day = published and published.date() == seen.date()
    return f"seen {time_of_day(seen)}" if same_day else f"seen {written(seen)}"


def rule_line(rule: RuleView) -> str:
    """Say which rule matched and what it found."""
    found = f" (found: {', '.join(rule.words)})" if rule.words else ""
    return f"Rule: {rule.name}{found}"


def left_out(shown: AlertView) -> str:
    """Say how many rules are not shown, if any."""
    return f"and {shown.rules_left_out} more rules" if shown.rules_left_out else ""


def also_in(shown: AlertView) -> str:
    """Name the other sources of the story, if there are any."""
    return f"Also in: {', '.join(shown.also)}" if shown.also else ""


def more_stories(message: Message, shown: int | None = None) -> str:
    """Say how many stories are not shown, if any; `shown` is how many are."""
    rest = (
        message.left_out + len(message.stories) - (len(message.stories) if shown is None else shown)
    )
    return f"and {rest} more" if rest else ""


def late(message: Message) -> str:
    """Say why the message comes late, or why it is a digest, if it does or is."""
    return message.because[:1].upper() + message.because[1:]


def headline_change(shown: AlertView) -> str:
    """Say what an edit did to the headline, if that is known: '[-two-] {+three+} killed'."""
    said = " ".join(_CHANGES[change.sign].format(change.text) for change in shown.changes)
    return f"Headline: {said}" if said else ""


_CHANGES = {" ": "{}", "-": "[-{}-]", "+": "{{+{}+}}"}


def changed(changes: Sequence[Change], marks: dict[str, str]) -> str:
    """Write changes by a format for each sign; the texts must be escaped already."""
    return " ".join(marks[change.sign].format(change.text) for change in changes)


def fallback(message: Message) -> str:
    """Say the message in one line with its source, where nothing but text can be shown."""
    if message.is_digest:
        return line(f"{message.heading}: {message.first.heading}", SUBJECT_LIMIT)
    shown = message.first
    parts = (*labels(shown), shown.heading)
    return line(" ".join(parts) + (f" ({shown.source})" if shown.source else ""), SUBJECT_LIMIT)


def starred(pieces: Iterable[Piece]) -> str:
    """Write pieces with asterisks around what was found."""
    return "".join(f"*{piece.text}*" if piece.found else piece.text for piece in pieces)


def _alert(shown: AlertView) -> Iterable[str]:
    yield " ".join((*labels(shown), starred(shown.title)))
    yield shown.url
    yield ""
    yield starred(shown.snippet)
    yield ""
    yield headline_change(shown)
    yield " · ".join(origin(shown))
    yield from (rule_line(rule) for rule in shown.rules)
    yield left_out(shown)


def _digest(message: Message) -> Iterable[str]:
    yield message.heading
    yield late(message)
    for number, shown in enumerate(message.stories, 1):
        yield ""
        yield f"{number}. {' '.join((*labels(shown), starred(shown.title)))}"
        details = (
            shown.url,
            cut(starred(shown.snippet), _SHORT_EXCERPT),
            headline_change(shown),
            " · ".join(origin(shown)),
            also_in(shown),
            cut("; ".join(rule_line(rule) for rule in shown.rules), _RULES_LIMIT),
        )
        yield from (f"   {detail}" for detail in details if detail)
    yield ""
    yield more_stories(message)
    yield ""


def _footer(links: Links) -> Iterable[str]:
    said = tuple((label, url) for label, url in link_labels(links) if url)
    if said:
        yield "-- "  # what follows is a signature to a mail program: it shows it grey, and quotes it not
        yield from (f"{label}: {url}" for label, url in said)


def link_labels(links: Links) -> tuple[tuple[str, str], ...]:
    """Return every link with what it does, in the order in which they are shown."""
    return (
        ("Why this alert", links.open),
        ("Snooze this story", links.snooze_story),
        ("Snooze this rule", links.snooze_rule),
        ("Change to a digest", links.digest),
        ("Unsubscribe", links.unsubscribe),
    )


def _written(lines: Iterable[str]) -> str:
    return "\n".join(_squeezed(lines)) + "\n"


def _squeezed(lines: Iterable[str]) -> list[str]:
    """Drop an empty line at either end or after another."""
    kept: list[str] = []
    for one in lines:
        if one or (kept and kept[-1]):
            kept.append(one)
    return kept if not kept or kept[-1] else kept[:-1]
