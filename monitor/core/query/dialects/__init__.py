"""Queries of other systems, turned into ours: each system is a table, read by one grammar."""

from monitor.core.query.check import LONGEST, validate
from monitor.core.query.dialects import emm
from monitor.core.query.dialects.conversion import Conversion, Note, Notes
from monitor.core.query.dialects.databases import FACTIVA, LEXIS
from monitor.core.query.dialects.lexer import tokenise
from monitor.core.query.dialects.media import BRANDWATCH, MELTWATER
from monitor.core.query.dialects.reader import Reader
from monitor.core.query.dialects.search import GOOGLE, LUCENE
from monitor.core.query.expression import Expression
from monitor.core.query.parser import parse
from monitor.core.query.printer import to_text
from monitor.errors import QueryError

__all__ = ["DIALECTS", "Conversion", "Note", "convert"]

_TABLES = {
    "meltwater": MELTWATER,
    "brandwatch": BRANDWATCH,
    "factiva": FACTIVA,
    "lexis": LEXIS,
    "lucene": LUCENE,
    "google": GOOGLE,
}
DIALECTS = (*_TABLES, "emm")


def convert(dialect: str, text: str) -> Conversion:
    """Turn a query of one of `DIALECTS` into ours.

    Raise `QueryError`, with the place in `text`, for a query that is wrong there or cannot be asked here.
    """
    if len(text) > LONGEST:
        raise QueryError(f"the query is longer than {LONGEST} characters", LONGEST)
    notes = Notes()
    try:
        expression = _read(dialect, text, notes)
        validate(expression)
        query = to_text(expression)
    except QueryError as error:
        raise _inside(error, text) from error
    _assure(query, text)
    return Conversion(query, notes.ordered())


def _read(dialect: str, text: str, notes: Notes) -> Expression:
    if dialect == "emm":
        return emm.read(text, notes)
    table = _TABLES[dialect]
    return Reader(table, tokenise(table, text, notes), notes).whole()


def _inside(error: QueryError, text: str) -> QueryError:
    """Keep the place of an error inside of the text, also where signs were exchanged for longer ones."""
    position = min(error.position, len(text))
    length = min(error.length, max(1, len(text) - position))
    return QueryError(error.message, position, length, error.hint)


def _assure(query: str, text: str) -> None:
    """Make sure that what was made can be read; what cannot is the fault of nothing smaller than the whole."""
    try:
        parse(query)
    except QueryError as error:
        raise QueryError(error.message, 0, max(1, len(text)), error.hint) from error
