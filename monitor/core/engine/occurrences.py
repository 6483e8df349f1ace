"""Places in an article, and the operators on them. Everything is linear or log-linear in the places given.

An occurrence covers the positions `first` to `last`. Lists are sorted by (first, last).
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from monitor.core.query.expression import Expression


class Leaf(NamedTuple):
    """A place that a term of the query was found at."""

    first: int
    last: int
    part: Expression


class Occurrence(NamedTuple):
    """A place that counts for a node of the query, and the terms that make it up."""

    first: int
    last: int
    leaves: tuple[Leaf, ...]


def in_order(occurrences: Iterable[Occurrence]) -> list[Occurrence]:
    """Sort occurrences; those at one place become one, with the terms of all."""
    places: defaultdict[tuple[int, int], dict[Leaf, None]] = defaultdict(dict)
    for first, last, leaves in occurrences:
        places[first, last].update(dict.fromkeys(leaves))
    return [Occurrence(*place, tuple(places[place])) for place in sorted(places)]


def sequence(items: Sequence[Sequence[tuple[int, int]]]) -> list[tuple[int, int]]:
    """Return the places where the items stand one directly after the other."""
    if not all(items):
        return []
    ends: dict[
        int, set[int]
    ] = {}  # last position -> first positions of the sequences that end there
    for first, last in items[0]:
        ends.setdefault(last, set()).add(first)
    for places in items[1:]:
        extended: dict[int, set[int]] = {}
        for first, last in places:
            if first - 1 in ends:
                extended.setdefault(last, set()).update(ends[first - 1])
        ends = extended
    return sorted((first, last) for last, firsts in ends.items() for first in firsts)


def near(
    left: list[Occurrence], right: list[Occurrence], words: int, *, ordered: bool
) -> list[Occurrence]:
    """Return the places that each occurrence makes with its neighbours on the other side."""
    return in_order(
        Occurrence(min(a.first, b.first), max(a.last, b.last), a.leaves + b.leaves)
        for a, b in near_pairs(left, right, words, ordered=ordered)
    )


def near_pairs(
    left: list[Occurrence], right: list[Occurrence], words: int, *, ordered: bool
) -> list[tuple[Occurrence, Occurrence]]:
    """Pair each occurrence with its neighbours on the other side that have at most `words` words between.

    The nearest neighbours are enough to find every place that has one, and keep the pairs few.
    """
    pairs = [(a, b) for a, b in _neighbours(left, right) if b.first - a.last - 1 <= words]
    if not ordered:
        pairs += [(a, b) for b, a in _neighbours(right, left) if a.first - b.last - 1 <= words]
    return pairs


_last_then_first = itemgetter(1, 0)


def _neighbours(
    earlier: list[Occurrence], later: list[Occurrence]
) -> Iterator[tuple[Occurrence, Occurrence]]:
    """Yield each of `earlier` with the next of `later`, and each of `later` with the one of `earlier` before it."""
    firsts = [occurrence.first for occurrence in later]
    for one in earlier:
        index = bisect_right(firsts, one.last)
        if index < len(later):
            yield one, later[index]
    by_last = sorted(earlier, key=_last_then_first)
    lasts = [occurrence.last for occurrence in by_last]
    for one in later:
        index = bisect_left(lasts, one.first)
        if index:
            yield by_last[index - 1], one


def not_near(wanted: list[Occurrence], unwanted: list[Occurrence], words: int) -> list[Occurrence]:
    """Keep what has nothing unwanted within `words` words, nor overlapping it; the same place is not near itself."""
    firsts = sorted(occurrence.first for occurrence in unwanted)
    lasts = sorted(occurrence.last for occurrence in unwanted)
    same = Counter((occurrence.first, occurrence.last) for occurrence in unwanted)

    def is_alone(one: Occurrence) -> bool:
        begun = bisect_right(firsts, one.last + words + 1)
        over = bisect_left(lasts, one.first - words - 1)
        return begun - over == same[one.first, one.last]

    return [one for one in wanted if is_alone(one)]


def outside(wanted: list[Occurrence], unwanted: list[Occurrence]) -> list[Occurrence]:
    """Keep what does not lie inside anything unwanted."""
    firsts = [occurrence.first for occurrence in unwanted]
    furthest: list[int] = []
    for occurrence in unwanted:
        furthest.append(max(occurrence.last, furthest[-1] if furthest else -1))

    def is_inside(one: Occurrence) -> bool:
        index = bisect_right(firsts, one.first)
        return index > 0 and furthest[index - 1] >= one.last

    return [one for one in wanted if not is_inside(one)]


def longest(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Drop the places that lie inside another: a surname inside the full name."""
    kept: list[tuple[int, int]] = []
    for first, last in sorted(set(places), key=lambda place: (place[0], -place[1])):
        if not kept or last > kept[-1][1]:
            kept.append((first, last))
    return kept


def count_apart(occurrences: Iterable[Occurrence]) -> int:
    """Count occurrences that do not overlap, as many as can be had."""
    count = 0
    end = -1
    for occurrence in sorted(occurrences, key=lambda occurrence: occurrence.last):
        if occurrence.first > end:
            count += 1
            end = occurrence.last
    return count
