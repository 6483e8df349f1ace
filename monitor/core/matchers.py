"""What routes, silences and inhibitions ask of a match and of the article it was found in.

A matcher is Alertmanager's: a name, one of `=`, `!=`, `=~` and `!~`, and a value. Regular expressions match the whole
value. What is absent counts as an empty text. Some names have several values, as `entity` does: `=` and `=~` hold when
one of them fits, `!=` and `!~` when none does.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, cast

import re2

from monitor.core.model import Article, Match, Severity
from monitor.core.query.patterns import Pattern
from monitor.core.stories import story_of

RANK: Mapping[Severity, int] = {severity: rank for rank, severity in enumerate(Severity)}
_FOLDED = frozenset(("lang", "category", "country", "entity"))
_LONGEST = 1000
_MEMORY = 1 << 20
_ENTITY = "entity:"


@dataclass(frozen=True, slots=True)
class Subject:
    """A match as matchers see it, with whom it is about to be told to, where that is known."""

    article: Article
    match: Match
    subscriber: str = ""
    target: str = ""

    def values(self, name: str) -> tuple[str, ...]:
        """Return what the match has under a name, at least one text; a name that is not ours is that of a label."""
        read = _READERS.get(name)
        return read(self) if read else (self.match.labels.get(name, ""),)

    def said(self, name: str) -> str:
        """Return what stands under a name, for a person and for keys of groups."""
        return ", ".join(self.values(name)[:1] if name == "lang" else self.values(name))


def entities_of(match: Match) -> tuple[str, ...]:
    """Return the entities that the rule asked for and that the article names, as the rule writes them."""
    found = (
        span.part.removeprefix(_ENTITY).strip('"').casefold()
        for span in match.spans
        if span.part.startswith(_ENTITY)
    )
    return tuple(dict.fromkeys(found))


def _languages(subject: Subject) -> tuple[str, ...]:
    """Return the language of the article, and the one that it is a regional form of."""
    lang = (subject.article.lang or "").casefold()
    return tuple(dict.fromkeys((lang, lang.partition("-")[0])))


_READERS: Mapping[str, Callable[[Subject], tuple[str, ...]]] = {
    "rule": lambda subject: (subject.match.rule_id,),
    "severity": lambda subject: (subject.match.severity.value,),
    "feed": lambda subject: (subject.article.feed_id,),
    "lang": _languages,
    "category": lambda subject: ((subject.article.category or "").casefold(),),
    "country": lambda subject: ((subject.article.country or "").casefold(),),
    "entity": lambda subject: entities_of(subject.match) or ("",),
    "story": lambda subject: (story_of(subject.article),),
    "article": lambda subject: (subject.article.id,),
    "subscriber": lambda subject: (subject.subscriber,),
    "target": lambda subject: (subject.target,),
}
NAMES = tuple(_READERS)
OF_TARGET = ("subscriber", "target")  # not of the match itself, but of whom it is told to


class Operator(StrEnum):
    """How a matcher compares."""

    IS = "="
    IS_NOT = "!="
    MATCHES = "=~"
    MATCHES_NOT = "!~"


class MatcherError(ValueError):
    """A matcher that cannot be used: where in its text, why, and what to do."""

    def __init__(self, position: int, message: str, hint: str = "") -> None:
        self.position = position
        self.message = message
        self.hint = hint
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition."""

    name: str
    operator: Operator
    value: str

    def accepts(self, subject: Subject) -> bool:
        """Tell whether the condition holds."""
        values = subject.values(self.name)
        if self.operator in (Operator.IS, Operator.IS_NOT):
            wanted = self.value.casefold() if self.name in _FOLDED else self.value
            return (wanted in values) is (self.operator is Operator.IS)
        pattern = compile_matcher(self.value, folded=self.name in _FOLDED)
        found = any(pattern.fullmatch(value) is not None for value in values)
        return found is (self.operator is Operator.MATCHES)

    def __str__(self) -> str:
        plain = self.operator in (Operator.IS, Operator.IS_NOT)
        if plain and re.fullmatch(r"[\w./-]+(?: [\w./-]+)*", self.value):
            return f"{self.name}{self.operator}{self.value}"
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{self.operator}"{escaped}"'


def of_match(matchers: tuple[Matcher, ...]) -> tuple[Matcher, ...]:
    """Leave out what is about whom a match is told to."""
    return tuple(matcher for matcher in matchers if matcher.name not in OF_TARGET)


@lru_cache(maxsize=4096)
def compile_matcher(pattern: str, *, folded: bool = False) -> Pattern:
    """Compile a regular expression of a matcher, in RE2's syntax; raise `MatcherError` where it is wrong."""
    if len(pattern) > _LONGEST:
        raise MatcherError(0, f"a pattern of more than {_LONGEST} characters")
    options = re2.Options()
    options.case_sensitive = not folded
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        return cast("Pattern", re2.compile(pattern, options))
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0] if error.args else ""
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(error)
        raise MatcherError(0, f"not a regular expression: {text}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Matchers:
    """Conditions that must all hold; an empty one asks nothing.

    A set holds when a value is in it, `severity` when the match is at least that severe, and `labels` when the
    match has every one of these labels with one of the values. Values in the sets are lower case; `lang` takes in
    regional forms: `en` accepts `en-GB`. `texts` are those written as Alertmanager writes them.
    """

    rule: frozenset[str] = frozenset()
    severity: Severity = Severity.INFO
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    feed: frozenset[str] = frozenset()
    lang: frozenset[str] = frozenset()
    category: frozenset[str] = frozenset()
    country: frozenset[str] = frozenset()
    entity: frozenset[str] = frozenset()
    texts: tuple[Matcher, ...] = ()

    def accept(self, article: Article, match: Match) -> bool:
        """Tell whether the match, found in this article, meets every condition."""
        return not any(True for _ in self.failures(Subject(article, match)))

    def failures(self, subject: Subject) -> Iterator[str]:
        """Yield each condition that the match does not meet, with what it has instead."""
        severity = subject.match.severity
        if RANK[severity] < RANK[self.severity]:
            yield f"severity is {severity}, not at least {self.severity}"
        for name, wanted in self._sets():
            if wanted and wanted.isdisjoint(_folded(subject.values(name))):
                yield _differs(name, subject, wanted)
        for name, values in self.labels.items():
            if subject.match.labels.get(name) not in values:
                yield _differs(name, subject, values)
        for matcher in self.texts:
            if not matcher.accepts(subject):
                yield f"{matcher} does not hold: {_has(matcher.name, subject)}"

    def __str__(self) -> str:
        parts = [f"severity>={self.severity}"] if self.severity is not Severity.INFO else []
        for name, values in (*self._sets(), *self.labels.items()):
            if values:
                parts.append(f"{name}={'|'.join(sorted(values))}")
        return ", ".join((*parts, *map(str, self.texts)))

    def _sets(self) -> Iterator[tuple[str, frozenset[str]]]:
        for name in ("rule", "feed", "lang", "category", "country", "entity"):
            yield name, getattr(self, name)


ANYTHING = Matchers()


def _folded(values: tuple[str, ...]) -> set[str]:
    return {value.casefold() for value in values if value}


def _differs(name: str, subject: Subject, wanted: frozenset[str]) -> str:
    return f"{_has(name, subject)}, not {' or '.join(sorted(wanted))}"


def _has(name: str, subject: Subject) -> str:
    return f"{name} is {subject.said(name) or 'empty'}"


# --- reading ---

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_OPERATOR = re.compile(r"=~|!~|!=|=")
_PLAIN = re.compile(r'[^,{}"\n]*')
_QUOTED = re.compile(r'"((?:[^"\\\n]|\\[\\"n])*)"')
_ESCAPES: Mapping[str, str] = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


class Read(NamedTuple):
    """A matcher and where in its text it begins, where its value does, and where it ends."""

    matcher: Matcher
    start: int
    value: int
    end: int


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Read `a=b, c=~"d|e"`, in braces or not; raise `MatcherError` with the place of the first mistake."""
    return tuple(read.matcher for read in read_matchers(text))


def read_matchers(text: str) -> tuple[Read, ...]:
    """Read as `parse_matchers` does, with the place of each."""
    begin, end = 0, len(text.rstrip())
    begin += len(text) - len(text.lstrip())
    if text[begin:end].startswith("{"):
        if not text[:end].endswith("}"):
            raise MatcherError(begin, "a brace that is not closed", "write } at the end")
        begin, end = begin + 1, end - 1
    found: list[Read] = []
    at = begin
    while at < end and text[at:end].strip():
        read = _read_one(text[:end], at)
        found.append(read)
        at = read.end
        if at < end and text[at] != ",":
            raise MatcherError(at, "more after the value", "put a value with such signs in quotes")
        at += 1
    if not found:
        raise MatcherError(
            0, "no matcher here", 'write one such as severity=critical or rule=~"un-.*"'
        )
    return tuple(found)


def _read_one(text: str, at: int) -> Read:
    at = _past_blanks(text, at)
    name = _NAME.match(text, at)
    if not name:
        raise MatcherError(at, "expected a name", "such as rule, severity, lang or a label")
    operator_at = _past_blanks(text, name.end())
    operator = _OPERATOR.match(text, operator_at)
    if not operator:
        raise MatcherError(operator_at, f"expected =, !=, =~ or !~ after '{name[0]}'")
    value_at = _past_blanks(text, operator.end())
    value, end = _read_value(text, value_at)
    matcher = Matcher(name[0], Operator(operator[0]), value)
    if matcher.operator in (Operator.MATCHES, Operator.MATCHES_NOT):
        try:
            compile_matcher(value, folded=matcher.name in _FOLDED)
        except MatcherError as error:
            raise MatcherError(
                operator.end(), error.message, "the syntax is that of RE2"
            ) from error
    return Read(matcher, at, value_at, end)


def _read_value(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] != '"':
        plain = _PLAIN.match(text, at)
        end = plain.end() if plain else at
        return text[at:end].strip(), end
    quoted = _QUOTED.match(text, at)
    if not quoted:
        raise MatcherError(at, "a quote that is not closed", 'write " at the end')
    value = re.sub(r"\\.", lambda found: _ESCAPES[found[0]], quoted[1])
    return value, _past_blanks(text, quoted.end())


def _past_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at
