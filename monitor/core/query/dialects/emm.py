"""EMM: an alert is a list of weighted patterns with a threshold, and combinations of groups of patterns.

    define alert ID
      [ words threshold N ]
      define patterns  PATTERN WEIGHT, ...  end patterns
      { define combination  [ proximity N ]  { begin or PATTERN, ... end or }  [ begin not PATTERN, ... end not ]
        end combination }
    end alert

Either may hold. In a pattern `+` is a blank, `%` stands for any letters and `_` for one.
Source: EMM OSINT Suite help, "Defining categories or alerts".
"""

import re
from collections.abc import Iterator
from functools import reduce

from monitor.core.query.dialects.conversion import Notes
from monitor.core.query.expression import (
    Expression,
    Near,
    Score,
    Span,
    Weighted,
    conjunction,
    disjunction,
    negation,
)
from monitor.core.query.terms import term
from monitor.errors import QueryError

_TOKEN = re.compile(r"[^\s,]+")
_NUMBER = re.compile(r"-?\d{1,9}")
_MOST_WORDS = 100
_WILDCARDS = str.maketrans("+%_", " *?")


def read(text: str, notes: Notes) -> Expression:
    """Read a definition, or the bare inside of one; raise `QueryError` with the place of what is wrong."""
    return _Definition(text, notes).read()


class _Definition:
    def __init__(self, text: str, notes: Notes) -> None:
        self._tokens = [(found.group(), Span(*found.span())) for found in _TOKEN.finditer(text)]
        self._end = Span(len(text), len(text))
        self._notes = notes
        self._index = 0
        self._threshold: int | None = None

    # --- tokens ---

    @property
    def _word(self) -> str:
        return self._tokens[self._index][0] if self._index < len(self._tokens) else ""

    @property
    def _at(self) -> Span:
        return self._tokens[self._index][1] if self._index < len(self._tokens) else self._end

    def _is(self, *words: str) -> bool:
        coming = self._tokens[self._index : self._index + len(words)]
        return [word.lower() for word, _ in coming] == list(words)

    def _skip(self, *words: str) -> bool:
        found = self._is(*words)
        self._index += len(words) * found
        return found

    def _expect(self, *words: str) -> None:
        if not self._skip(*words):
            raise _error(f"'{' '.join(words)}' is missing", self._at, "every part ends with 'end'")

    def _number(self, what: str) -> int:
        if not _NUMBER.fullmatch(self._word):
            raise _error(f"{what} is missing", self._at, "write a whole number")
        self._index += 1
        return int(self._tokens[self._index - 1][0])

    # --- grammar ---

    def read(self) -> Expression:
        alert = self._skip("define", "alert")
        self._index += alert  # its name
        ways: list[Expression] = []
        while self._word and not self._is("end", "alert"):
            if self._skip("words", "threshold"):
                self._threshold = self._number("the threshold")
            elif self._is("define", "combination"):
                ways.append(self._combination())
            else:
                ways.append(self._patterns())
        if alert:
            self._expect("end", "alert")
        if self._word:
            raise _error(f"'{self._word}' cannot stand here", self._at, "one alert at a time")
        if not ways:
            raise _error("the query is empty", self._end, "write at least one pattern")
        return disjunction(ways, Span(0, self._end.end))

    def _patterns(self) -> Expression:
        start = self._at
        closing = self._skip("define", "patterns")
        weighted: list[Weighted] = []
        while self._word and not any(
            self._is(first, second)
            for first, second in (("end", "patterns"), ("end", "alert"), ("define", "combination"))
        ):
            pattern = self._pattern()
            weighted.append(Weighted(pattern, self._number("the weight of a pattern")))
        if closing:
            self._expect("end", "patterns")
        if not weighted:
            raise _error("there are no patterns", start, "write a pattern and its weight")
        return self._weighed(weighted, Span(start.start, self._at.start))

    def _weighed(self, weighted: list[Weighted], at: Span) -> Expression:
        threshold = self._threshold
        if threshold is None:
            threshold = 1
            self._notes.changed("without a threshold, a sum above 0 is enough", at)
        if all(each.weight >= threshold > 0 for each in weighted):
            return disjunction([each.part for each in weighted], at)
        self._notes.lost("a pattern counts once here, however often it stands there", at)
        return Score(tuple(weighted), threshold, at=at)

    def _combination(self) -> Expression:
        self._expect("define", "combination")
        proximity = self._number("the number of words") if self._skip("proximity") else None
        groups: list[Expression] = []
        while self._skip("begin", "or"):
            groups.append(self._group("or"))
        if not groups:
            raise _error("'begin or' is missing", self._at, "a combination needs such a group")
        together = self._together(groups, proximity)
        if self._skip("begin", "not"):
            denied = self._group("not")
            together = conjunction([together, negation(denied, denied.at)], denied.at)
        self._expect("end", "combination")
        return together

    def _together(self, groups: list[Expression], proximity: int | None) -> Expression:
        at = Span(groups[0].at.start, groups[-1].at.end)
        if proximity is None or len(groups) == 1:
            return conjunction(groups, at) if len(groups) > 1 else groups[0]
        words = min(max(proximity - 1, 0), _MOST_WORDS)
        if words < proximity - 1:
            self._notes.lost(f"proximity is at most {_MOST_WORDS} words between", at)
        return reduce(lambda left, right: Near(words, left, right, at=at), groups)

    def _group(self, name: str) -> Expression:
        start = self._at
        patterns = list(self._members(name))
        if not patterns:
            raise _error("the group is empty", start, "write at least one pattern")
        return disjunction(patterns, Span(start.start, self._at.start))

    def _members(self, name: str) -> Iterator[Expression]:
        while self._word and not self._is("end", name):
            yield self._pattern()
        self._expect("end", name)

    def _pattern(self) -> Expression:
        word, at = self._word, self._at
        self._index += 1
        return term(word.translate(_WILDCARDS), at)


def _error(message: str, at: Span, hint: str = "") -> QueryError:
    return QueryError(message, at.start, at.end - at.start, hint)
