"""From the words and phrases of a foreign query to terms and conditions of ours."""

import re
from collections.abc import Iterator, Sequence
from functools import reduce

from monitor.core.query.dialects.conversion import Notes
from monitor.core.query.dialects.grammar import Dialect, Field, Meaning
from monitor.core.query.dialects.lexer import Kind, Token
from monitor.core.query.expression import (
    Attribute,
    Compare,
    Comparison,
    Expression,
    Has,
    InField,
    Near,
    Regex,
    Scope,
    Span,
    conjunction,
)
from monitor.core.query.patterns import PatternError, compile_regex
from monitor.core.query.terms import term
from monitor.errors import QueryError

_LANGUAGES = {
    "arabic": "ar", "chinese": "zh", "czech": "cs", "danish": "da", "dutch": "nl", "english": "en",
    "finnish": "fi", "french": "fr", "german": "de", "greek": "el", "hebrew": "he", "hindi": "hi",
    "hungarian": "hu", "italian": "it", "japanese": "ja", "korean": "ko", "norwegian": "no",
    "polish": "pl", "portuguese": "pt", "romanian": "ro", "russian": "ru", "spanish": "es",
    "swedish": "sv", "turkish": "tr", "ukrainian": "uk",
}  # fmt: skip
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")
_COUNTRY = re.compile(r"[a-z]{2}")
_SITE = re.compile(r"(?:https?://)?(?:www\.)?([\w-]+(?:\.[\w-]+)+)(?::\d+)?(/.*)?")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LARGEST = 999_999_999
_SECONDS = {"h": 3600, "d": 86_400, "w": 604_800, "m": 2_592_000, "y": 31_536_000}


class Terms:
    """Makes terms, by the signs of a dialect."""

    def __init__(self, dialect: Dialect, notes: Notes) -> None:
        self._dialect = dialect
        self._notes = notes

    def read(self, token: Token, fields: Sequence[Field]) -> Expression | None:
        """Return what a word, phrase, exact form or regular expression stands for inside of these fields."""
        meanings = [field.becomes for field in fields]
        attribute = next((one for one in reversed(meanings) if isinstance(one, Attribute)), None)
        if attribute:
            return self._has(attribute, token)
        if token.kind is Kind.REGEX:
            return _regex(token)
        if token.kind is Kind.EXACT or Meaning.EXACT in meanings:
            return term(token.text, token.at, exact=True)
        if Meaning.UPPER in meanings:
            return term(token.text.upper(), token.at, exact=True)
        if self._dialect.gap and self._dialect.gap[0] in token.text:
            return self._gapped(token, *self._dialect.gap)
        return self._term(token.text, token)

    def _term(self, text: str, token: Token) -> Expression:
        for pattern, ours, difference in self._dialect.wildcards:
            if difference and pattern.search(text):
                self._notes.lost(difference, token.at)
            text = pattern.sub(ours, text)
        return term(text, token.at, offset=token.kind is Kind.QUOTED)

    def _gapped(self, token: Token, sign: str, words: int) -> Expression | None:
        """Read a phrase in which a sign stands for whole words."""
        pieces = [piece for piece in token.text.split(sign) if any(map(str.isalnum, piece))]
        if not pieces:
            self._notes.lost(f"'{sign}' stands for any word: left out", token.at)
            return None
        terms = [self._term(piece, token) for piece in pieces]
        if len(terms) > 1:
            self._notes.changed(
                f"'{sign}' for whole words becomes ONEAR/{words}: up to {words} words", token.at
            )
        return reduce(
            lambda left, right: Near(words, left, right, ordered=True, at=token.at), terms
        )

    # --- conditions ---

    def _has(self, attribute: Attribute, token: Token) -> Expression | None:
        value = " ".join(_ESCAPED.sub(r"\1", token.text).casefold().split())
        made = next(self._conditions(attribute, value, token.at), None)
        if made is None:
            self._notes.lost(f"'{token.text}' is no {attribute} here: left out", token.at)
        return made

    def _conditions(self, attribute: Attribute, value: str, at: Span) -> Iterator[Expression]:
        if attribute is Attribute.SITE:
            site = _SITE.fullmatch(value)
            if site:
                host = Has(attribute, site[1], at=at)
                yield self._with_path(host, site[2] or "", at)
            return
        if attribute is Attribute.LANG:
            value = _LANGUAGES.get(value, value).replace("_", "-")
        form = {Attribute.LANG: _LANGUAGE, Attribute.COUNTRY: _COUNTRY}.get(attribute)
        if value and (form is None or form.fullmatch(value)):
            yield Has(attribute, value, at=at)

    def _with_path(self, host: Has, path: str, at: Span) -> Expression:
        if not any(map(str.isalnum, path)):
            return host
        self._notes.changed("the path becomes words that the address must have", at)
        words = term(re.sub(r"[*?]", " ", path), at)
        return conjunction([host, InField(Scope.URL, words, at=at)], at)

    def measured(self, token: Token) -> Expression | None:
        """Return a comparison with a number."""
        measure = token.measure
        found = measure and measure.pattern.fullmatch(token.text)
        if not measure or not found:  # pragma: no cover - the lexer has matched it
            return None
        named = found.groupdict()
        unit = _SECONDS.get((named.get("unit") or "").lower(), 1)
        comparison = Comparison(named["sign"]) if named.get("sign") else measure.comparison
        value = min(int(named["number"][:9]) * unit, _LARGEST)
        return Compare(measure.quantity, comparison, value, at=token.at)


def _regex(token: Token) -> Regex:
    pattern = token.text.replace("\\/", "/")
    try:
        compile_regex(pattern)
    except PatternError as error:
        raise QueryError(
            f"the regular expression cannot be used: {error}",
            token.at.start,
            token.at.end - token.at.start,
            "look-around and back-references are not available",
        ) from error
    return Regex(pattern, at=token.at)
