"""Which entries an article brings up, by the two rarest features of each."""

from collections.abc import Hashable, Iterable
from itertools import chain
from typing import Generic, TypeVar

_FEW = 8  # keys are looked up one by one more quickly than as a set

T = TypeVar("T", bound=Hashable)
K = TypeVar("K", bound=Hashable)


class PairIndex(Generic[K, T]):
    """Entries under pairs of keys. Looked up by a set of keys, it gives the entries whose both keys are in the set."""

    def __init__(self) -> None:
        self._heads: dict[K, dict[K, dict[T, None]]] = {}

    def add(self, first: K, second: K, entry: T) -> None:
        """Put an entry under a pair; again does nothing."""
        self._heads.setdefault(first, {}).setdefault(second, {})[entry] = None

    def remove(self, first: K, second: K, entry: T) -> None:
        """Take an entry out. Leaves nothing behind."""
        tails = self._heads[first]
        entries = tails[second]
        entries.pop(entry)
        if not entries:
            del tails[second]
            if not tails:
                del self._heads[first]

    def find(self, keys: set[K]) -> set[T]:
        """Return every entry whose both keys are among these."""
        found: list[Iterable[T]] = []
        heads = self._heads
        for first in keys & heads.keys():
            tails = heads[first]
            if len(tails) > _FEW:
                found.extend(map(tails.__getitem__, keys & tails.keys()))
            else:
                found += [entries for second, entries in tails.items() if second in keys]
        return set(chain.from_iterable(found))

    def __len__(self) -> int:
        return sum(len(tails) for tails in self._heads.values())
