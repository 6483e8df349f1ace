"""Matchers, beside Python's own regular expressions and comparison."""

import re

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.matchers import Matcher, MatcherError, Operator, Subject, parse_matchers
from monitor.core.silences import new_silence
from tests.factories import NOW, article, match

texts = st.text("abAB-. ", max_size=5)
patterns = st.text("abAB|.*+?()[]^$-", max_size=8)


@given(st.sampled_from(Operator), st.none() | texts, texts, patterns)
def test_matcher_agrees_with_plain_python(
    operator: Operator, value: str | None, text: str, pattern: str
) -> None:
    is_regex = operator in (Operator.MATCHES, Operator.MATCHES_NOT)
    matcher = Matcher("desk", operator, pattern if is_regex else text)
    about = Subject(article(), match(labels={} if value is None else {"desk": value}))
    has = value or ""
    try:
        found = re.fullmatch(pattern, has) is not None if is_regex else has == text
        accepted = matcher.accepts(about)
    except (re.error, FutureWarning, MatcherError, RecursionError):
        return  # one of the two has no such pattern
    assert accepted is (found is (operator in (Operator.IS, Operator.MATCHES)))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["rule", "feed", "desk", "lang"]), st.sampled_from(Operator), texts
        ),
        min_size=1,
        max_size=4,
    )
)
def test_matchers_survive_being_written(asked: list[tuple[str, Operator, str]]) -> None:
    matchers = tuple(Matcher(*each) for each in asked)
    try:
        read = parse_matchers(", ".join(map(str, matchers)))
    except MatcherError:
        assert any(each.operator in (Operator.MATCHES, Operator.MATCHES_NOT) for each in matchers)
        return
    assert read == matchers
    silence = new_silence(matchers, starts_at=NOW, ends_at=NOW, author="a")
    assert parse_matchers(str(silence)) == matchers


@given(st.text(max_size=30))
def test_no_text_does_anything_but_be_read_or_refused(text: str) -> None:
    refused: MatcherError | None = None
    try:
        read = parse_matchers(text)
    except MatcherError as error:
        refused, read = error, ()
    assert bool(read) is (refused is None)
    assert refused is None or (0 <= refused.position <= len(text) and refused.message)
