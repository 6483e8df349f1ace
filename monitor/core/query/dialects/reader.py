"""One grammar for all dialects: tokens to an expression tree, by the levels of the table.

A part that has nothing to correspond to here is dropped with a note: then the reader has `None` in its place, and what
stood beside it stays.
"""

from collections.abc import Sequence

from monitor.core.query.check import MOST_LEVELS, TOO_CLOSE_HINT, TOO_DEEP_HINT
from monitor.core.query.dialects import parts
from monitor.core.query.dialects.conversion import Notes
from monitor.core.query.dialects.grammar import Dialect, Field, Meaning, Role
from monitor.core.query.dialects.lexer import Kind, Token
from monitor.core.query.dialects.terms import Terms
from monitor.core.query.expression import (
    AtLeast,
    Attribute,
    Expression,
    First,
    InField,
    Lead,
    Scope,
    Span,
    conjunction,
    disjunction,
    negation,
)
from monitor.errors import QueryError

Part = Expression | None

_INFIX = frozenset(
    {
        Role.OR,
        Role.AND,
        Role.AND_NOT,
        Role.NEAR,
        Role.ONEAR,
        Role.NOT_NEAR,
        Role.SENTENCE,
        Role.PARAGRAPH,
        Role.ADJACENT,
    }
)


class Reader:
    """Reads the tokens of one query."""

    def __init__(self, dialect: Dialect, tokens: Sequence[Token], notes: Notes) -> None:
        self._dialect = dialect
        self._tokens = tokens
        self._notes = notes
        self._index = 0
        self._depth = 0
        self._fields: list[Field] = []
        self._terms = Terms(dialect, notes)
        # What NOT denies: everything that binds tighter than AND.
        self._denied = 1 + next(
            (
                number
                for number, level in enumerate(dialect.levels)
                if level & {Role.AND, Role.AND_NOT}
            ),
            -1,
        )

    def whole(self) -> Expression:
        """Read everything; raise `QueryError` with the place of the first thing that is wrong."""
        if len(self._tokens) == 1:
            raise _error("the query is empty", self._token.at, "write at least one word")
        expression = self._outermost()
        if self._token.kind is Kind.CLOSE:
            raise _error("there is no '(' for this ')'", self._token.at, "remove it")
        if self._token.kind is not Kind.END:
            raise _unexpected(self._token)
        if expression is None:
            raise QueryError("nothing of this query can be carried over", 0, self._token.at.end)
        return expression

    # --- tokens ---

    @property
    def _token(self) -> Token:
        return self._tokens[self._index]

    def _take(self) -> Token:
        token = self._token
        self._index = min(self._index + 1, len(self._tokens) - 1)
        return token

    def _since(self, start: int) -> Span:
        return Span(start, self._tokens[self._index - 1].at.end)

    def _is(self, *roles: Role) -> bool:
        return self._token.role in roles

    def _starts_operand(self) -> bool:
        if self._token.kind is Kind.OPERATOR:
            return self._is(Role.NOT, Role.MINUS, Role.PLUS, Role.AT_LEAST)
        return self._token.kind not in (Kind.CLOSE, Kind.END)

    # --- levels ---

    def _outermost(self) -> Part:
        return self._clauses() if self._dialect.clauses else self._level(0)

    def _level(self, number: int) -> Part:
        if number == len(self._dialect.levels):
            return self._single()
        if number == self._denied and self._is(Role.NOT, Role.AND_NOT):
            return self._denial(number)
        operands = [self._level(number + 1)]
        operators: list[tuple[Role, int]] = []
        while operator := self._infix(number):
            operators.append(operator)
            operands.append(self._level(number + 1))
        return self._reduced(operands, operators)

    def _denial(self, number: int) -> Part:
        start = self._token.at.start
        signs = 0
        while self._is(Role.NOT, Role.AND_NOT):
            self._take()
            signs += 1
        part = self._level(number)
        return negation(part, self._since(start)) if part is not None and signs % 2 else part

    def _infix(self, number: int) -> tuple[Role, int] | None:
        """Take the operator that joins what stands before with what follows, if it belongs to this level."""
        level = self._dialect.levels[number]
        if self._token.kind is Kind.OPERATOR and self._token.role in _INFIX:
            if self._token.role not in level:
                return None
            token = self._take()
            return token.role or Role.AND, token.number or 0
        if not self._starts_operand():
            return None
        # 'a NOT b' leaves out an AND, whatever a blank stands for.
        role = Role.AND if self._is(Role.NOT, Role.MINUS) else self._dialect.implicit
        return (role, 0) if role in level else None

    def _reduced(self, operands: list[Part], operators: list[tuple[Role, int]]) -> Part:
        roles = {role for role, _ in operators}
        if Role.AND_NOT in roles:
            denied = [part and negation(part, part.at) for part in operands[1:]]
            operands = [operands[0], *denied]
        present = [part for part in operands if part is not None]
        if len(present) < 2:  # noqa: PLR2004 - it takes two to join
            return present[0] if present else None
        together = parts.run(roles.pop(), present) if len(roles) == 1 else None
        return together or self._paired(operands, operators)

    def _paired(self, operands: list[Part], operators: list[tuple[Role, int]]) -> Part:
        """Join two by two, in the order in which the operators bind."""
        if len(operators) > MOST_LEVELS:
            raise _error(f"more than {MOST_LEVELS} in a row", self._token.at, TOO_CLOSE_HINT)
        while operators:
            first = 0
            if self._dialect.closest_first:
                first = min(range(len(operators)), key=lambda index: operators[index][1])
            role, words = operators.pop(first)
            left, right = operands[first], operands.pop(first + 1)
            if left is None or right is None:
                operands[first] = left or right
            else:
                bounded = self._bounded(words, 0, right.at)
                operands[first] = parts.joined(role, bounded, left, right)
        return operands[0]

    def _bounded(self, number: int, least: int, at: Span, most: int = 100) -> int:
        if number > most:
            self._notes.lost(f"{number} is more than can be asked for: it becomes {most}", at)
        return min(max(number, least), most)

    # --- Lucene: marks on clauses instead of levels ---

    def _clauses(self) -> Part:
        """Read clauses that must, should or must not hold; an AND makes those on both of its sides a must."""
        clauses: list[tuple[Role, Part]] = []
        while not clauses or self._starts_operand() or self._is(Role.AND, Role.OR):
            joined = self._take().role if clauses and self._is(Role.AND, Role.OR) else None
            if joined is Role.AND and clauses[-1][0] is Role.OR:
                clauses[-1] = (Role.AND, clauses[-1][1])
            clauses.append(self._clause(joined or Role.OR))
        must = [part for role, part in clauses if part and role is Role.AND]
        should = [part for role, part in clauses if part and role is Role.OR]
        for optional in should if must else ():
            self._notes.changed("this only ranks beside what must be there: left out", optional.at)
        denied = [part for role, part in clauses if part and role is Role.NOT]
        wanted = must or ([disjunction(should, parts.span(should))] if should else [])
        everything = [*wanted, *denied]
        return conjunction(everything, parts.span(everything)) if everything else None

    def _clause(self, joined: Role) -> tuple[Role, Part]:
        """Read one clause, and tell whether it must (AND), should (OR) or must not (NOT) hold."""
        if not self._starts_operand():
            raise _unexpected(self._token)
        start = self._token.at.start
        mark = self._take().role if self._is(Role.NOT, Role.MINUS, Role.PLUS) else None
        part = self._single()
        if mark in (Role.NOT, Role.MINUS):
            return Role.NOT, part and negation(part, self._since(start))
        return (Role.AND if mark is Role.PLUS else joined), part

    # --- operands ---

    def _single(self) -> Part:
        start = self._token.at.start
        self._depth += 1
        if self._depth > MOST_LEVELS:
            raise _error(f"nested deeper than {MOST_LEVELS} levels", self._token.at, TOO_DEEP_HINT)
        part = self._operand()
        self._depth -= 1
        while True:
            if self._token.kind is Kind.SLOP:
                part = self._sloppy(part, self._take())
            elif self._token.kind is Kind.BOOST:
                token = self._take()
                self._notes.changed("a weight only ranks: left out", token.at)
            elif self._is(Role.FIRST):
                words = self._bounded(self._take().number or 0, 1, self._since(start), 10_000)
                part = part and First(words, part, at=self._since(start))
            else:
                return part

    def _operand(self) -> Part:
        token = self._token
        match token.kind:
            case Kind.OPEN:
                return self._group()
            case Kind.FIELD:
                return self._in_field()
            case Kind.DROPPED:
                self._take()
                return None
            case Kind.MEASURE:
                self._take()
                return self._terms.measured(token)
            case Kind.OPERATOR:
                return self._prefixed()
            case Kind.WORD | Kind.QUOTED | Kind.EXACT | Kind.REGEX:
                self._take()
                return self._terms.read(token, self._fields)
            case _:
                raise _unexpected(token)

    def _group(self) -> Part:
        opening = self._take()
        part = self._outermost()
        if self._token.kind is not Kind.CLOSE:
            if self._token.kind is Kind.END:
                raise _error("this '(' is never closed", opening.at, "add a ')'")
            raise _unexpected(self._token)
        self._take()
        return part

    def _prefixed(self) -> Part:
        token = self._take()
        match token.role:
            case Role.NOT | Role.MINUS | Role.AND_NOT:
                start = token.at.start
                part = self._single()
                return part and negation(part, self._since(start))
            case Role.PLUS:
                return self._single()
            case Role.AT_LEAST:
                return self._at_least(token)
            case _:
                raise _error(
                    f"'{token.text.strip()}' has nothing to stand between",
                    token.at,
                    "to look for it as text, put it in quotes",
                )

    def _at_least(self, token: Token) -> Part:
        times = self._bounded(token.number or 0, 1, token.at)
        part = self._taken_in()
        return part and AtLeast(times, part, at=self._since(token.at.start))

    def _taken_in(self) -> Part:
        """Read what a field or ATLEAST in front applies to."""
        level = self._dialect.operand
        return self._single() if level is None else self._level(level)

    def _sloppy(self, part: Part, token: Token) -> Part:
        if part is None:
            return None
        loose = parts.loosened(part, self._dialect.slop, min(token.number or 0, 100))
        if loose is None:
            self._notes.lost("words that are only similar are not looked for", token.at)
            return part
        if parts.count_items(part) > 2:  # noqa: PLR2004 - of two there is one distance
            self._notes.changed("the distance is from each to the next", token.at)
        return loose

    # --- fields ---

    def _in_field(self) -> Part:
        token = self._take()
        known = self._dialect.fields.get(token.text)
        field = known or Field(
            Meaning.NOTHING, lost=f"there is no field '{token.text}' here: left out"
        )
        self._fields.append(field)
        if field.becomes is Meaning.AT_LEAST:
            part = self._at_least(token)
        elif field.everything:
            part = self._level(0)
        else:
            part = self._taken_in()
        self._fields.pop()
        at = self._since(token.at.start)
        if field.lost:
            self._notes.lost(field.lost, at)
        if field.changed:
            self._notes.changed(field.changed, at)
        return self._placed(field, part, at) if known else None

    def _placed(self, field: Field, part: Part, at: Span) -> Part:
        becomes = field.becomes
        if part is None or isinstance(becomes, Attribute):
            return part
        if isinstance(becomes, Scope):
            return InField(becomes, part, at=at)
        return Lead(part, at=at) if becomes is Meaning.LEAD else part


def _unexpected(token: Token) -> QueryError:
    if token.kind is Kind.END:
        return _error(
            "something is missing at the end", token.at, "write what the last operator joins"
        )
    if token.kind is Kind.CLOSE:
        return _error("something is missing before ')'", token.at, "remove the parentheses")
    return _error(
        f"'{token.text.strip()}' cannot stand here",
        token.at,
        "to look for it as text, put it in quotes",
    )


def _error(message: str, at: Span, hint: str = "") -> QueryError:
    return QueryError(message, at.start, at.end - at.start, hint)
