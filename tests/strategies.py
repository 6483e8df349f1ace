"""Hypothesis strategies for queries and articles over a small vocabulary, so that they often meet."""

from hypothesis import settings
from hypothesis import strategies as st

from monitor.core.model import Article
from monitor.core.query.expression import (
    AtLeast,
    AtLeastOf,
    Attribute,
    Compare,
    Comparison,
    Exact,
    Except,
    Expression,
    First,
    Has,
    InField,
    Lead,
    Near,
    NotNear,
    Phrase,
    Quantity,
    Regex,
    Scope,
    Score,
    Stem,
    Unit,
    Weighted,
    Wildcard,
    Within,
    Word,
    conjunction,
    disjunction,
    negation,
)
from tests.factories import article

# On a busy machine one example may take as long as a hundred elsewhere.
unhurried = settings(deadline=None)

VOCABULARY = (
    "un",
    "syria",
    "draft",
    "resolution",
    "resolved",
    "title",
    "3.5",
    "лавров",
    "拉",
    "夫",
)

words = st.sampled_from(VOCABULARY).map(Word)
exacts = st.sampled_from(["UN", "un", "Syria", "Лавров", "OR"]).map(Exact)
wildcards = st.sampled_from(["resol*", "*ria", "dr?ft", "res*ion", "лав?ов"]).map(Wildcard)
phrases = st.one_of(
    st.lists(words, min_size=2, max_size=3).map(lambda items: Phrase(tuple(items))),
    st.tuples(exacts, exacts).map(Phrase),
    st.tuples(words, wildcards).map(Phrase),
)
terms: st.SearchStrategy[Expression] = st.one_of(
    words,
    words,
    exacts,
    wildcards,
    phrases,
    st.sampled_from(["resolve", "draft"]).map(Stem),
    st.sampled_from(["re.*", "s[xy]ria", "a/b|un"]).map(Regex),
)
conditions: st.SearchStrategy[Expression] = st.one_of(
    st.builds(
        Has, st.sampled_from([Attribute.LANG, Attribute.COUNTRY]), st.sampled_from(["en", "gb"])
    ),
    st.builds(Has, st.just(Attribute.CATEGORY), st.sampled_from(["world news", "sport", "a/1"])),
    st.builds(
        Compare, st.sampled_from(Quantity), st.sampled_from(Comparison), st.integers(0, 10_000_000)
    ),
)
distances = st.integers(0, 4)


def _more_places(places: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.one_of(
        st.builds(Near, distances, places, places, ordered=st.booleans()),
        st.builds(NotNear, distances, places, places),
        st.builds(Except, places, places),
        st.lists(places, min_size=2, max_size=3).map(disjunction),
        st.builds(Within, st.sampled_from(Unit), places),
        st.builds(First, st.integers(1, 9), places),
        st.builds(Lead, places),
        st.builds(InField, st.sampled_from(Scope), places),
    )


# Found at places, so that they may stand inside NEAR.
positional = st.recursive(terms, _more_places, max_leaves=5)


def _more(parts: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    weighted = st.builds(Weighted, parts, st.integers(-5, 9))
    return st.one_of(
        st.lists(parts, min_size=2, max_size=3).map(conjunction),
        st.lists(parts, min_size=2, max_size=3).map(disjunction),
        parts.map(negation),
        st.lists(parts, min_size=2, max_size=4).flatmap(
            lambda listed: st.builds(AtLeastOf, st.integers(1, len(listed)), st.just(tuple(listed)))
        ),
        st.builds(
            Score, st.lists(weighted, min_size=1, max_size=3).map(tuple), st.integers(-3, 12)
        ),
        st.builds(Within, st.sampled_from(Unit), parts),
        st.builds(First, st.integers(1, 9), parts),
        st.builds(Lead, parts),
        st.builds(InField, st.sampled_from(Scope), parts),
    )


# Any expression; not each of them has something positive to look for.
expressions = st.recursive(
    st.one_of(positional, conditions, st.builds(AtLeast, st.integers(1, 4), positional)),
    _more,
    max_leaves=8,
)

_SEPARATORS = (" ", " ", " ", " ", "-", ". ", ", ", "\n", "'s ", "…")
_surfaces = st.sampled_from([*VOCABULARY, "Syria", "UN", "U.N", "Лаврова", "l'UN", "resolution"])
prose = st.lists(st.tuples(_surfaces, st.sampled_from(_SEPARATORS)), max_size=25).map(
    lambda pairs: "".join(word + separator for word, separator in pairs)
)
articles: st.SearchStrategy[Article] = st.builds(
    article,
    title=prose,
    summary=prose,
    body=prose,
    author=st.sampled_from(["", "Syria Draft"]),
    tags=st.sampled_from([(), ("un", "draft resolution")]),
    lang=st.sampled_from([None, "en", "ru", "xx"]),
    country=st.sampled_from([None, "gb"]),
    category=st.sampled_from([None, "World  News"]),
)
