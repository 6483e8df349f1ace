"""Inhibition: a match that says more keeps back, for a time, one that says less.

Alertmanager's rules with one more word, `window`: news does not resolve, so a source counts for so long after it came.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from monitor.core.matchers import Matcher, Subject, of_match


@dataclass(frozen=True, slots=True, kw_only=True)
class InhibitRule:
    """While a match that meets `source` is not older than `window`, those that meet `target` are kept back.

    Both must have the same under every name in `equal`; what both lack is the same. Only `target` can ask for whom it
    would be told to: a source is one whoever is told of it.
    """

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()
    window: timedelta = timedelta(hours=1)
    name: str = ""

    def __str__(self) -> str:
        return self.name or f"{_texts(self.source)} inhibits {_texts(self.target)}"

    @property
    def key(self) -> str:
        """What sources of this rule are remembered under; another rule has another."""
        return _digest((_texts(self.source), _texts(self.target), *self.equal))


@dataclass(frozen=True, slots=True)
class Trace:
    """What is remembered of a source: a key, and for how long."""

    key: str
    window: timedelta


@dataclass(frozen=True, slots=True)
class Source:
    """When the last match came that left a trace."""

    came_at: datetime


@dataclass(frozen=True, slots=True)
class Inhibited:
    """By what rule a match is kept back, and when the source came."""

    rule: InhibitRule
    source_at: datetime


def traces(rules: Iterable[InhibitRule], subject: Subject) -> Iterator[Trace]:
    """Yield what is to be remembered of a match, one trace for each rule that it is a source of."""
    for rule in rules:
        if _meets(rule.source, subject):
            both = _meets(of_match(rule.target), subject)
            yield Trace(_key(rule, subject, both=both), rule.window)


def asked(rules: Iterable[InhibitRule], subject: Subject) -> frozenset[str]:
    """Return the keys of every source that would inhibit the match, whoever it is told to."""
    return frozenset(
        key
        for rule in rules
        if _meets(of_match(rule.target), subject)
        for key in _sources(rule, subject)
    )


def has_source(
    rule: InhibitRule, remembered: Mapping[str, datetime], subject: Subject, now: datetime
) -> bool:
    """Tell whether the rule keeps the match back from somebody, whoever that is."""
    met = _meets(of_match(rule.target), subject)
    return met and _source_at(rule, remembered, subject, now) is not None


def inhibited_by(
    rules: Iterable[InhibitRule],
    remembered: Mapping[str, datetime],
    subject: Subject,
    now: datetime,
) -> Inhibited | None:
    """Return what keeps the match back. `remembered` says when the last source came, by key."""
    for rule in rules:
        if _meets(rule.target, subject):
            source_at = _source_at(rule, remembered, subject, now)
            if source_at:
                return Inhibited(rule, source_at)
    return None


def _source_at(
    rule: InhibitRule, remembered: Mapping[str, datetime], subject: Subject, now: datetime
) -> datetime | None:
    """Return when a source came that is not too old, if one did."""
    came = (remembered[key] for key in _sources(rule, subject) if key in remembered)
    return next((at for at in came if now - at < rule.window), None)


def _sources(rule: InhibitRule, subject: Subject) -> tuple[str, ...]:
    """Return under which keys a source would stand. What is source and target both is not inhibited by its like."""
    only = _key(rule, subject, both=False)
    return (only,) if _meets(rule.source, subject) else (only, _key(rule, subject, both=True))


def _key(rule: InhibitRule, subject: Subject, *, both: bool) -> str:
    values = (subject.said(name) for name in rule.equal)
    return _digest((rule.key, "both" if both else "", *values))


def _meets(matchers: tuple[Matcher, ...], subject: Subject) -> bool:
    return all(matcher.accepts(subject) for matcher in matchers)


def _texts(matchers: tuple[Matcher, ...]) -> str:
    return ", ".join(sorted(map(str, matchers)))


def _digest(parts: Iterable[str]) -> str:
    return blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
