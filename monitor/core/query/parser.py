"""The grammar: tokens to an expression tree, by recursive descent.

or    = and { "OR" and }
and   = near { [ "AND" ] near }
near  = not { ( "NEAR/n" | "ONEAR/n" | "NOT" "NEAR/n" | "EXCEPT" ) not }
not   = { "NOT" | "-" } operand
"""

import re
from dataclasses import replace

from monitor.core.query.check import LONGEST, MOST_LEVELS, TOO_DEEP_HINT, validate
from monitor.core.query.expression import (
    And,
    AtLeast,
    AtLeastOf,
    Attribute,
    Compare,
    Comparison,
    EntityRef,
    Except,
    Expression,
    First,
    Has,
    InField,
    Lead,
    ListRef,
    Near,
    NotNear,
    Quantity,
    Regex,
    RuleRef,
    Scope,
    Score,
    Span,
    Stem,
    Unit,
    Weighted,
    Within,
    Word,
    conjunction,
    disjunction,
    negation,
)
from monitor.core.query.lexer import OPERATORS, Kind, Token, suggest, tokenise
from monitor.core.query.patterns import PatternError, compile_regex
from monitor.core.query.terms import term
from monitor.errors import QueryError

_DEFAULT_DISTANCE = 4
_LIMITS = {"NEAR": (0, 100), "ONEAR": (0, 100), "FIRST": (1, 10_000), "ATLEAST": (1, 100)}
_PROXIMITY = ("NEAR", "ONEAR", "EXCEPT")
_NOT_OPERANDS = ("AND", "OR", "NEAR", "ONEAR", "EXCEPT", "OF")
_PREFIXES = (*Scope, *Attribute, "lead", "entity", "list", "re")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"([0-9]{1,9})([smhdw])")
_INTEGER = re.compile(r"[0-9]{1,9}")
_NAME = re.compile(r"[\w.][\w./-]*")
_VALUES = {
    Attribute.LANG: (re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*"), "a language code such as lang:en"),
    Attribute.COUNTRY: (re.compile(r"[a-z]{2}"), "a two-letter country code such as country:gb"),
    Attribute.SITE: (re.compile(r"[\w-]+(\.[\w-]+)+"), "a domain such as site:bbc.co.uk"),
}


def parse(query: str) -> Expression:
    """Read a query. Raise `QueryError` with the place of the first thing that is wrong.

    What `@`, `list:` and `entity:` point to is checked by `check`, which knows what there is.
    """
    if len(query) > LONGEST:
        raise QueryError(
            f"the query is longer than {LONGEST} characters", LONGEST, 1, "move terms to a list"
        )
    parser = _Parser(tokenise(query))
    expression = parser.whole()
    validate(expression)
    return expression


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._index = 0
        self._levels = 0
        self._scores = 0

    # --- tokens ---

    @property
    def _token(self) -> Token:
        return self._tokens[self._index]

    @property
    def _following(self) -> Token:
        return self._tokens[min(self._index + 1, len(self._tokens) - 1)]

    def _take(self) -> Token:
        token = self._token
        self._index = min(self._index + 1, len(self._tokens) - 1)
        return token

    def _is_operator(self, *names: str) -> bool:
        return self._token.kind is Kind.OPERATOR and self._token.text in names

    def _expect(self, kind: Kind, message: str, hint: str = "") -> Token:
        if self._token.kind is not kind:
            raise _error(message, self._token.at, hint)
        return self._take()

    def _touches(self, kind: Kind) -> bool:
        """Tell whether the next token follows the current one without a blank and is of a kind."""
        return self._following.kind is kind and self._following.at.start == self._token.at.end

    # --- grammar ---

    def whole(self) -> Expression:
        if self._token.kind is Kind.END:
            raise _error("the query is empty", self._token.at, "write at least one word")
        expression = self._or()
        token = self._token
        if token.kind is Kind.CLOSE:
            raise _error(
                "there is no '(' for this ')'", token.at, "remove it or open a parenthesis before"
            )
        if token.kind is not Kind.END:
            raise _unexpected(token)
        return expression

    def _or(self) -> Expression:
        start = self._token.at.start
        parts = [self._and()]
        while self._is_operator("OR"):
            self._take()
            parts.append(self._and())
        return disjunction(parts, self._since(start)) if len(parts) > 1 else parts[0]

    def _and(self) -> Expression:
        start = self._token.at.start
        parts = [self._near()]
        while self._is_operator("AND") or self._starts_operand():
            if self._is_operator("AND"):
                self._take()
            parts.append(self._near())
        return conjunction(parts, self._since(start), grouped=False) if len(parts) > 1 else parts[0]

    def _near(self) -> Expression:
        start = self._token.at.start
        left = self._not()
        while True:
            negative = self._is_operator("NOT") and _is_near(self._following)
            if not negative and not self._is_operator(*_PROXIMITY):
                return left
            if negative:
                self._take()
            operator = self._take()
            left = self._proximity(operator, left, self._not(), start, negative=negative)

    def _proximity(
        self, operator: Token, left: Expression, right: Expression, start: int, *, negative: bool
    ) -> Expression:
        at = self._since(start)
        if operator.text == "EXCEPT":
            return Except(left, right, at=at)
        words = _DEFAULT_DISTANCE if operator.number is None else _number(operator)
        if negative and operator.text == "ONEAR":
            raise _error("NOT ONEAR does not exist", operator.at, "write NOT NEAR")
        if negative:
            return NotNear(words, left, right, at=at)
        return Near(words, left, right, ordered=operator.text == "ONEAR", at=at)

    def _not(self) -> Expression:
        start = self._token.at.start
        signs = 0
        while self._is_operator("NOT") or self._token.kind is Kind.MINUS:
            token = self._take()
            if token.kind is Kind.MINUS and self._token.at.start != token.at.end:
                raise _error(
                    "'-' stands alone",
                    token.at,
                    "write it before a word without a blank, or write NOT",
                )
            signs += 1
        operand = self._operand()
        for _ in range(signs % 2):
            operand = negation(operand, self._since(start))
        return operand

    def _starts_operand(self) -> bool:
        token = self._token
        if token.kind is Kind.OPERATOR:
            return token.text not in _NOT_OPERANDS
        return token.kind not in (Kind.CLOSE, Kind.COMMA, Kind.COLON, Kind.COMPARISON, Kind.END)

    # --- operands ---

    def _operand(self) -> Expression:
        self._levels += 1
        if self._levels > MOST_LEVELS:
            raise _error(f"nested deeper than {MOST_LEVELS} levels", self._token.at, TOO_DEEP_HINT)
        operand = self._single()
        self._levels -= 1
        return operand

    def _single(self) -> Expression:  # noqa: PLR0911 - one branch for each operator
        token = self._token
        match token.kind:
            case Kind.OPEN:
                return self._group()
            case Kind.QUOTED:
                self._take()
                return term(token.text, token.at, offset=1)
            case Kind.EQUALS:
                return self._exact()
            case Kind.AT:
                self._take()
                return RuleRef(self._name("a rule's id"), at=self._since(token.at.start))
            case Kind.REGEX:
                return self._regex()
            case Kind.OPERATOR:
                return self._function()
            case Kind.WORD:
                return self._word()
            case _:
                raise _unexpected(token)

    def _group(self) -> Expression:
        opening = self._take()
        inner = self._or()
        self._close(opening)
        return replace(inner, grouped=True) if isinstance(inner, And) else inner

    def _close(self, opening: Token) -> None:
        if self._token.kind is Kind.END:
            raise _error("this '(' is never closed", opening.at, "add a ')'")
        if self._token.kind is not Kind.CLOSE:
            raise _unexpected(self._token)
        self._take()

    def _exact(self) -> Expression:
        sign = self._take()
        token = self._token
        usable = token.kind in (Kind.WORD, Kind.QUOTED, Kind.OPERATOR) and token.number is None
        if not usable or token.at.start != sign.at.end:
            raise _error(
                "'=' needs a word or a phrase right behind it", sign.at, 'write =WHO or ="the WHO"'
            )
        self._take()
        return term(token.text, Span(sign.at.start, token.at.end), exact=True)

    def _regex(self) -> Expression:
        token = self._take()
        try:
            compile_regex(token.text)
        except PatternError as error:
            hint = "look-around and back-references are not available, because they are not linear in time"
            raise _error(
                f"the regular expression cannot be used: {error}", token.at, hint
            ) from error
        return Regex(token.text, at=token.at)

    def _word(self) -> Expression:
        token = self._token
        following = self._following
        if self._touches(Kind.COLON):
            if token.text.lower() in _PREFIXES:
                return self._prefixed()
            if not self._scores:
                hint = (
                    suggest(token.text.lower(), _PREFIXES)
                    or "to look for the text itself, put it in quotes"
                )
                raise _error(f"unknown scope '{token.text}'", token.at, hint)
        if self._touches(Kind.COMPARISON):
            return self._compare()
        if self._touches(Kind.OPEN):
            return self._called()
        if following.kind is Kind.OPERATOR and following.text == "OF":
            return self._at_least_of()
        self._take()
        return term(token.text, token.at)

    def _called(self) -> Expression:
        name = self._take()
        if name.text.lower() != "stem":
            hint = suggest(name.text.upper(), OPERATORS) or "put a blank or an operator before '('"
            raise _error(f"unknown operator '{name.text}('", name.at, hint)
        opening = self._take()
        word = self._take()
        found = term(word.text, word.at) if word.kind in (Kind.WORD, Kind.QUOTED) else None
        if not isinstance(found, Word):
            raise _error("stem() takes one word", word.at, "write stem(resolve)")
        self._close(opening)
        return Stem(found.text, at=self._since(name.at.start))

    def _prefixed(self) -> Expression:
        prefix = self._take()
        self._take()
        name = prefix.text.lower()
        start = prefix.at.start
        if name == "lead":
            return Lead(self._operand(), at=self._since(start))
        if name in tuple(Scope):
            return InField(Scope(name), self._operand(), at=self._since(start))
        if name == "entity":
            return EntityRef(self._value("the id of an entity"), at=self._since(start))
        if name == "list":
            self._expect(Kind.AT, "'list:' needs '@' and the id of a list", "write list:@my-list")
            return ListRef(self._name("a list's id"), at=self._since(start))
        if name == "re":
            raise _error(
                "'re:' needs a regular expression between slashes", prefix.at, "write re:/colou?r/"
            )
        return self._has(Attribute(name), start)

    def _has(self, attribute: Attribute, start: int) -> Expression:
        value_at = self._token.at
        value = self._value(f"a value for '{attribute}:'")
        form, example = _VALUES.get(attribute, (None, ""))
        if form and not form.fullmatch(value):
            raise _error(f"'{value}' cannot be a {attribute}", value_at, f"write {example}")
        return Has(attribute, value, at=self._since(start))

    def _value(self, what: str) -> str:
        token = self._token
        if token.kind not in (Kind.WORD, Kind.QUOTED) or not token.text.strip():
            raise _error(f"{what} is missing", token.at)
        self._take()
        return " ".join(token.text.casefold().split())

    def _name(self, what: str) -> str:
        token = self._token
        if token.kind is not Kind.WORD or not _NAME.fullmatch(token.text):
            raise _error(f"{what} is missing", token.at, "letters, digits, '-', '_', '.' and '/'")
        return self._take().text

    def _compare(self) -> Expression:
        name = self._take()
        comparison = self._take()
        value = self._take()
        at = self._since(name.at.start)
        if name.text.lower() not in tuple(Quantity):
            raise _error(
                f"'{name.text}' cannot be compared", name.at, "compare words>300 or age<6h"
            )
        quantity = Quantity(name.text.lower())
        duration = _DURATION.fullmatch(value.text)
        if quantity is Quantity.AGE and duration:
            seconds = int(duration[1]) * _UNITS[duration[2]]
            return Compare(quantity, Comparison(comparison.text), seconds, at=at)
        if quantity is Quantity.WORDS and _INTEGER.fullmatch(value.text):
            return Compare(quantity, Comparison(comparison.text), int(value.text), at=at)
        hint = (
            "write a time such as age<6h, with s, m, h, d or w"
            if quantity is Quantity.AGE
            else "write words>300"
        )
        raise _error(f"'{name.text}{comparison.text}' needs a number behind it", value.at, hint)

    # --- operators that take parentheses ---

    def _function(self) -> Expression:
        operator = self._token
        if operator.text in _NOT_OPERANDS or operator.text == "NOT":
            raise _missing_operand(operator)
        if self._following.kind is not Kind.OPEN:
            hint = f"to look for the word, write {operator.text.lower()}"
            raise _error(f"{operator.text} needs '('", operator.at, hint)
        self._take()
        if operator.text in _LIMITS and operator.number is None:
            raise _error(
                f"{operator.text} needs a number", operator.at, f"write {operator.text}/3(…)"
            )
        if operator.text == "SCORE":
            return self._score(operator)
        opening = self._take()
        inner = self._or()
        self._close(opening)
        return _restricted(operator, inner, self._since(operator.at.start))

    def _at_least_of(self) -> Expression:
        count = self._take()
        self._take()
        if not _INTEGER.fullmatch(count.text):
            raise _error("OF needs a number before it", count.at, "write 2 OF (a, b, c)")
        opening = self._expect(Kind.OPEN, "OF needs '(' behind it", "write 2 OF (a, b, c)")
        parts = [self._or()]
        while self._token.kind is Kind.COMMA:
            self._take()
            parts.append(self._or())
        self._close(opening)
        if not 1 <= int(count.text) <= len(parts):
            hint = f"write a number from 1 to {len(parts)}"
            raise _error(f"'{count.text} OF' cannot be asked of {len(parts)} parts", count.at, hint)
        return AtLeastOf(int(count.text), tuple(parts), at=self._since(count.at.start))

    def _score(self, operator: Token) -> Expression:
        opening = self._take()
        self._scores += 1
        parts = [self._weighted()]
        while self._token.kind is Kind.COMMA:
            self._take()
            parts.append(self._weighted())
        self._scores -= 1
        self._close(opening)
        example = "write SCORE(a:30, b:20) >= 40"
        sign = self._expect(Kind.COMPARISON, "SCORE needs '>=' and a threshold behind it", example)
        if sign.text != ">=":
            raise _error(f"SCORE cannot be compared with '{sign.text}'", sign.at, example)
        threshold = self._integer()
        return Score(tuple(parts), threshold, at=self._since(operator.at.start))

    def _weighted(self) -> Weighted:
        part = self._or()
        self._expect(
            Kind.COLON,
            "a part of SCORE needs ':' and a weight behind it",
            'write "part":30; a word that is also a scope needs quotes',
        )
        return Weighted(part, self._integer(), at=self._since(part.at.start))

    def _integer(self) -> int:
        sign = -1 if self._token.kind is Kind.MINUS else 1
        if sign < 0:
            self._take()
        token = self._token
        if token.kind is not Kind.WORD or not _INTEGER.fullmatch(token.text):
            raise _error("a whole number is missing", token.at)
        self._take()
        return sign * int(token.text)

    def _since(self, start: int) -> Span:
        """Return the span from `start` to the end of the token taken last."""
        return Span(start, self._tokens[self._index - 1].at.end)


def _is_near(token: Token) -> bool:
    return token.kind is Kind.OPERATOR and token.text in ("NEAR", "ONEAR")


def _restricted(operator: Token, inner: Expression, at: Span) -> Expression:
    match operator.text:
        case "LEAD":
            return Lead(inner, at=at)
        case "FIRST":
            return First(_number(operator), inner, at=at)
        case "ATLEAST":
            return AtLeast(_number(operator), inner, at=at)
        case unit:
            return Within(Unit(unit), inner, at=at)


def _number(operator: Token) -> int:
    low, high = _LIMITS[operator.text]
    number = operator.number or 0
    if not low <= number <= high:
        raise _error(
            f"{operator.text}/{number} is out of range", operator.at, f"n is from {low} to {high}"
        )
    return number


def _missing_operand(operator: Token) -> QueryError:
    if operator.text == "OF":
        return _error("OF needs a number before it", operator.at, "write 2 OF (a, b, c)")
    hint = f"to look for the word, write {operator.text.lower()}"
    return _error(f"{operator.text} has nothing to stand between", operator.at, hint)


def _unexpected(token: Token) -> QueryError:
    if token.kind is Kind.END:
        return _error(
            "something is missing at the end",
            token.at,
            "write what the last operator should apply to",
        )
    if token.kind is Kind.CLOSE:
        return _error(
            "something is missing before ')'", token.at, "write a term, or remove the parentheses"
        )
    return _error(
        f"'{token.text}' cannot stand here", token.at, "to look for it as text, put it in quotes"
    )


def _error(message: str, at: Span, hint: str = "") -> QueryError:
    return QueryError(message, at.start, at.end - at.start, hint)
