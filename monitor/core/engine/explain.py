"""Why a query holds of an article, or why not: a yes or no at every node."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from monitor.core.engine.evaluation import Evaluation, View
from monitor.core.engine.occurrences import Leaf
from monitor.core.model import Span
from monitor.core.query import to_text
from monitor.core.query.expression import Expression, Score
from monitor.core.text import AnalysedArticle

MOST_SPANS = (
    1000  # of one match or node: enough for any reader, and bounds what a hostile article can cause
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A node of a query in canonical form, whether it holds, and where.

    Inside SENT and PARA a node says yes if it holds in some sentence or paragraph. `score` is the best sum of a SCORE.
    """

    text: str
    matched: bool
    spans: tuple[Span, ...] = ()
    score: int | None = None
    children: tuple["Explanation", ...] = ()


def explain_node(
    node: Expression, article: AnalysedArticle, evaluation: Evaluation, view: View | None = None
) -> Explanation:
    """Explain one node and everything below it."""
    view = view or evaluation.whole
    units = evaluation.holds(node, view)
    below = evaluation.view_below(node, view)
    scores = evaluation.scores(node, view).values() if isinstance(node, Score) else ()
    return Explanation(
        text=to_text(node),
        matched=bool(units),
        spans=spans(evaluation.evidence(node, view, units), article),
        score=max(scores, default=0) if isinstance(node, Score) else None,
        children=tuple(
            explain_node(part, article, evaluation, below) for part in evaluation.parts(node)
        ),
    )


def spans(leaves: Iterable[Leaf], article: AnalysedArticle) -> tuple[Span, ...]:
    """Turn places into spans of the article's own text, in reading order, each once."""
    ordered = sorted({(leaf.first, leaf.last, part_text(leaf.part)) for leaf in leaves})
    return tuple(_span(first, last, part, article) for first, last, part in ordered[:MOST_SPANS])


def _span(first: int, last: int, part: str, article: AnalysedArticle) -> Span:
    field = article.field_at(first)
    start, end = field.slice(first, last)
    return Span(field=field.name, start=start, end=end, text=field.text[start:end], part=part)


part_text = lru_cache(maxsize=1 << 14)(to_text)
