"""The operators on places, against their definitions over all pairs."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.engine.occurrences import (
    Leaf,
    Occurrence,
    count_apart,
    in_order,
    longest,
    near,
    not_near,
    outside,
    sequence,
)
from monitor.core.query.expression import Word
from tests.strategies import unhurried


def at(first: int, last: int, part: str) -> Occurrence:
    return Occurrence(first, last, (Leaf(first, last, Word(part)),))


def occurrences(part: str) -> st.SearchStrategy[list[Occurrence]]:
    places = st.tuples(st.integers(0, 25), st.integers(0, 2))
    return st.lists(places, max_size=8).map(
        lambda found: in_order(at(first, first + longer, part) for first, longer in found)
    )


lefts = occurrences("a")
rights = occurrences("b")
distances = st.integers(0, 4)


def are_near(a: Occurrence, b: Occurrence, words: int, *, ordered: bool) -> bool:
    forwards = 0 <= b.first - a.last - 1 <= words
    backwards = 0 <= a.first - b.last - 1 <= words
    return forwards or (backwards and not ordered)


def all_pairs(
    left: list[Occurrence], right: list[Occurrence], words: int, *, ordered: bool
) -> list[Occurrence]:
    return [
        Occurrence(min(a.first, b.first), max(a.last, b.last), a.leaves + b.leaves)
        for a in left
        for b in right
        if are_near(a, b, words, ordered=ordered)
    ]


def leaves(found: list[Occurrence]) -> set[Leaf]:
    return {leaf for occurrence in found for leaf in occurrence.leaves}


@unhurried
@given(lefts, rights, distances, st.booleans())
def test_near_finds_every_place_that_has_a_neighbour(
    left: list[Occurrence], right: list[Occurrence], words: int, ordered: bool
) -> None:
    found = near(left, right, words, ordered=ordered)
    expected = all_pairs(left, right, words, ordered=ordered)
    assert leaves(found) == leaves(expected)
    assert {(o.first, o.last) for o in found} <= {(o.first, o.last) for o in expected}
    assert found == sorted(found, key=lambda o: (o.first, o.last))


@unhurried
@given(lefts, rights, occurrences("c"), distances, distances, st.booleans())
def test_nested_near_misses_nothing_by_looking_at_neighbours_only(
    left: list[Occurrence],
    right: list[Occurrence],
    third: list[Occurrence],
    inner: int,
    outer: int,
    ordered: bool,
) -> None:
    found = near(near(left, right, inner, ordered=ordered), third, outer, ordered=ordered)
    pairs = all_pairs(left, right, inner, ordered=ordered)
    expected = all_pairs(pairs, third, outer, ordered=ordered)
    assert bool(found) == bool(expected)
    assert leaves(found) <= leaves(expected)


@unhurried
@given(lefts, rights, distances)
def test_not_near_keeps_what_is_neither_near_nor_overlapping(
    wanted: list[Occurrence], unwanted: list[Occurrence], words: int
) -> None:
    def is_disturbed(one: Occurrence) -> bool:
        return any(
            (other.first, other.last) != (one.first, one.last)
            and other.first <= one.last + words + 1
            and other.last >= one.first - words - 1
            for other in unwanted
        )

    assert not_near(wanted, unwanted, words) == [one for one in wanted if not is_disturbed(one)]


@unhurried
@given(lefts, rights)
def test_outside_drops_what_lies_inside(
    wanted: list[Occurrence], unwanted: list[Occurrence]
) -> None:
    def is_inside(one: Occurrence) -> bool:
        return any(other.first <= one.first and one.last <= other.last for other in unwanted)

    assert outside(wanted, unwanted) == [one for one in wanted if not is_inside(one)]


@unhurried
@given(lefts, rights, occurrences("c"))
def test_sequence_joins_what_touches(
    one: list[Occurrence], two: list[Occurrence], three: list[Occurrence]
) -> None:
    places = [[(o.first, o.last) for o in found] for found in (one, two, three)]
    expected = {
        (a[0], c[1])
        for a in places[0]
        for b in places[1]
        for c in places[2]
        if a[1] + 1 == b[0] and b[1] + 1 == c[0]
    }
    assert sequence(places) == sorted(expected)


@unhurried
@given(lefts)
def test_longest_drops_only_what_lies_inside_another(found: list[Occurrence]) -> None:
    places = {(o.first, o.last) for o in found}
    expected = [
        place
        for place in places
        if not any(o != place and o[0] <= place[0] and place[1] <= o[1] for o in places)
    ]
    assert longest(places) == sorted(expected)


@unhurried
@given(st.lists(st.integers(0, 20), max_size=12))
def test_single_words_are_all_counted(positions: list[int]) -> None:
    assert count_apart(at(p, p, "a") for p in positions) == len(set(positions))
