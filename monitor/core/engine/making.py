"""Records made quickly: a busy article has a thousand matches and spans.

The `__init__` of a frozen dataclass goes through `object.__setattr__` for each field, three times the time of
filling its slots.
"""

from monitor.core.model import Match, Rule, Span

_new = object.__new__
_field, _start, _end, _text, _part = (
    getattr(Span, name).__set__ for name in ("field", "start", "end", "text", "part")
)
_rule_id, _article_id, _rule_version, _rule_name, _severity, _labels, _score, _spans = (
    getattr(Match, name).__set__
    for name in (
        "rule_id",
        "article_id",
        "rule_version",
        "rule_name",
        "severity",
        "labels",
        "score",
        "spans",
    )
)


def new_span(field: str, start: int, end: int, text: str, part: str) -> Span:
    """Return a `Span`."""
    made = _new(Span)
    _field(made, field)
    _start(made, start)
    _end(made, end)
    _text(made, text)
    _part(made, part)
    return made


def new_match(
    rule: Rule, version: str, article_id: str, score: int | None, spans: tuple[Span, ...]
) -> Match:
    """Return a `Match` of a rule as it is."""
    made = _new(Match)
    _rule_id(made, rule.id)
    _article_id(made, article_id)
    _rule_version(made, version)
    _rule_name(made, rule.name)
    _severity(made, rule.severity)
    _labels(made, rule.labels)
    _score(made, score)
    _spans(made, spans)
    return made
