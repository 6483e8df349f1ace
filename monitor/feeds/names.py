"""Names of elements as feedparser knows them: its own prefix for a namespace, whatever prefix the document uses."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from feedparser.mixin import _FeedParserMixin

_PREFIXES = {
    space.lower(): prefix.lower() for space, prefix in _FeedParserMixin.namespaces.items() if space
}
_OWN = frozenset(_PREFIXES.values()) - {""}
_USERLAND = "backend.userland.com/rss"


def name_of(element: Any) -> str:
    """Return the name of an element without its namespace: `title`, `dc_creator`."""
    return _name(element.tag, element.prefix)


def has_twisted_names(namespaces: Mapping[str | None, str]) -> bool:
    """Tell whether a document calls a namespace by the prefix that feedparser has for another."""
    return any(
        prefix is not None
        and prefix.lower() in _OWN
        and _PREFIXES.get(space.lower(), prefix.lower()) != prefix.lower()
        for prefix, space in namespaces.items()
    )


@lru_cache(maxsize=4096)
def _name(tag: str, prefix: str | None) -> str:
    space, _, local = tag[1:].partition("}") if tag[0] == "{" else ("", "", tag)
    space, local = space.lower(), local.lower()
    if _USERLAND in space:
        return local
    known = _PREFIXES.get(space, (prefix or "").lower())
    return f"{known}_{local}" if known else local
