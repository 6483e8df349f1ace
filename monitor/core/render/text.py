"""An alert as plain text, for mail and for anything that shows no more than text."""

from collections.abc import Iterable

from monitor.core.model import Alert, Severity
from monitor.core.render.clean import cut, line
from monitor.core.render.view import AlertView, Piece, RuleView, view, written

_SUBJECT_LIMIT = 200


def subject(alert: Alert) -> str:
    """Say the alert in one line: '[Talks] Talks resume in Geneva'."""
    shown = view(alert)
    more = len(alert.matches) - 1
    rule = shown.rules[0].name if shown.rules else "monitor"
    marks = "".join(f"{mark} " for mark in labels(shown))
    return cut(f"[{rule}{f' +{more}' if more > 0 else ''}] {marks}{shown.heading}", _SUBJECT_LIMIT)


def text(alert: Alert) -> str:
    """Write the alert in a few lines; what was found stands between asterisks."""
    shown = view(alert)
    lines = [
        " ".join((*labels(shown), _starred(shown.title))),
        shown.url,
        "",
        _starred(shown.snippet),
        "",
        " · ".join(origin(shown)),
        *(rule_line(rule) for rule in shown.rules),
        left_out(shown),
    ]
    return "\n".join(_squeezed(lines)) + "\n"


def labels(shown: AlertView) -> tuple[str, ...]:
    """Return the words that stand before the title: how grave it is, and whether it is an edit."""
    grave = (shown.severity.upper(),) if shown.severity is not Severity.INFO else ()
    return (*grave, *(("EDITED",) if shown.edited else ()))


def origin(shown: AlertView) -> tuple[str, ...]:
    """Say where the article comes from and when it was published and seen."""
    published = shown.published_at and f"published {written(shown.published_at)}"
    seen = shown.seen_at and f"seen {written(shown.seen_at)}"
    return tuple(part for part in (shown.source, published, seen) if part)


def rule_line(rule: RuleView) -> str:
    """Say which rule matched and what it found."""
    found = f" (found: {', '.join(rule.words)})" if rule.words else ""
    return f"Rule: {rule.name}{found}"


def left_out(shown: AlertView) -> str:
    """Say how many rules are not shown, if any."""
    return f"and {shown.rules_left_out} more rules" if shown.rules_left_out else ""


def fallback(alert: Alert) -> str:
    """Say the alert in one line with its source, where nothing but text can be shown."""
    shown = view(alert)
    parts = (*labels(shown), shown.heading)
    return line(" ".join(parts) + (f" ({shown.source})" if shown.source else ""), _SUBJECT_LIMIT)


def _starred(pieces: Iterable[Piece]) -> str:
    return "".join(f"*{piece.text}*" if piece.found else piece.text for piece in pieces)


def _squeezed(lines: Iterable[str]) -> list[str]:
    """Drop an empty line at either end or after another."""
    kept: list[str] = []
    for one in lines:
        if one or (kept and kept[-1]):
            kept.append(one)
    return kept if not kept or kept[-1] else kept[:-1]
