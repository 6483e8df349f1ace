"""Which archived articles a query can possibly find, said in words that an index can look up.

A narrowing never leaves out an article that the query finds; the engine decides about those that are left.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from monitor.core.engine.conditions import attributes
from monitor.core.engine.evaluation import Bindings
from monitor.core.entities import Entity
from monitor.core.model import Article
from monitor.core.query.expression import (
    And,
    AtLeast,
    AtLeastOf,
    Attribute,
    EntityRef,
    Exact,
    Except,
    Expression,
    First,
    Has,
    InField,
    Lead,
    ListRef,
    Near,
    NotNear,
    Or,
    Phrase,
    RuleRef,
    Score,
    Wildcard,
    Within,
    Word,
)
from monitor.core.text import DEFAULT_FIELDS, analyse, split

_LONGEST_WORD = 64  # longer ones are addresses and noise; the index has their beginning
_MARK = "\x1f"  # begins and parts what is said of an attribute: no word of a text has it


@dataclass(frozen=True, slots=True)
class HasWord:
    """The article has this folded word."""

    word: str


@dataclass(frozen=True, slots=True)
class HasPrefix:
    """The article has a word that begins so."""

    prefix: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds; of none: any article will do."""

    parts: tuple["Narrowing", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Some part holds."""

    parts: tuple["Narrowing", ...]


Narrowing: TypeAlias = HasWord | HasPrefix | AllOf | AnyOf

EVERYTHING = AllOf(())


def index_words(article: Article) -> frozenset[str]:
    """Return the words by which an article is found, each once: those of its text, and its attributes as words."""
    found = {_attribute_word(each) for each in attributes(article) if each.value}
    for field in analyse(article).text_fields:
        found.update(field.words, field.aliases)
    return frozenset(word[:_LONGEST_WORD] for word in found)


def narrow_to(attribute: Attribute, value: str) -> Narrowing:
    """Return what an article must have whose attribute has this value, written as in a query; "": anything."""
    return _word(_attribute_word(Has(attribute, value))) if value else EVERYTHING


def all_of(*narrowings: Narrowing) -> Narrowing:
    """Return what an article must have that has all of these."""
    return _all(narrowings)


def narrow(node: Expression, bindings: Bindings) -> Narrowing:  # noqa: PLR0911, PLR0912 - a branch for each kind of operator
    """Return what an article must have for the query to stand a chance."""
    match node:
        case Word(text=text):
            return _word(text)
        case Exact(text=text):
            return _all(_word(word.folded) for word in split(text))
        case Wildcard(pattern=pattern):
            return _prefix(pattern)
        case Phrase(items=items):
            return _all(narrow(item, bindings) for item in items)
        case Has(attribute=attribute, value=value):
            return narrow_to(attribute, value)
        case EntityRef():
            return _entity(bindings.gazetteer.get(node.id))
        case ListRef():
            return narrow(bindings.lists[node.id], bindings)
        case RuleRef():
            return narrow(bindings.rules[node.id], bindings)
        case And(parts=parts):
            return _all(narrow(part, bindings) for part in parts)
        case Or(parts=parts):
            return _any(narrow(part, bindings) for part in parts)
        case Near():
            return _all(narrow(side, bindings) for side in (node.left, node.right))
        case NotNear() | Except():
            return narrow(node.wanted, bindings)
        case InField():
            inside = node.scope.value in DEFAULT_FIELDS
            return narrow(node.part, bindings) if inside else EVERYTHING
        case Within() | First() | Lead() | AtLeast():
            return narrow(node.part, bindings)
        case AtLeastOf():
            return _any(narrow(part, bindings) for part in node.parts)
        case Score():
            return _score(node, bindings)
        case _:
            return EVERYTHING


def _score(node: Score, bindings: Bindings) -> Narrowing:
    """Ask for some part that adds to the score, where nothing at all is not enough."""
    if node.threshold <= 0:
        return EVERYTHING
    return _any(narrow(each.part, bindings) for each in node.parts if each.weight > 0)


def _attribute_word(condition: Has) -> str:
    """Write an attribute as one word of Unicode, blanks and all, without what no database takes."""
    value = condition.value.replace("\0", "").encode(errors="replace").decode()
    return _MARK.join(("", condition.attribute, *value.split()))


def _entity(entity: Entity | None) -> Narrowing:
    if entity is None or not entity.names:
        return EVERYTHING
    return _any(_all(map(_word, name.words)) for name in entity.names)


def _word(text: str) -> Narrowing:
    return HasWord(text) if len(text) <= _LONGEST_WORD else HasPrefix(text[:_LONGEST_WORD])


def _prefix(pattern: str) -> Narrowing:
    prefix = pattern.partition("*")[0].partition("?")[0][:_LONGEST_WORD]
    return HasPrefix(prefix) if prefix else EVERYTHING


def _all(parts: Iterable[Narrowing]) -> Narrowing:
    wanted = tuple(dict.fromkeys(part for part in parts if part != EVERYTHING))
    return wanted[0] if len(wanted) == 1 else AllOf(wanted)


def _any(parts: Iterable[Narrowing]) -> Narrowing:
    wanted = tuple(dict.fromkeys(parts))
    if not wanted or EVERYTHING in wanted:
        return EVERYTHING
    return wanted[0] if len(wanted) == 1 else AnyOf(wanted)
