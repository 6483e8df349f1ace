"""Entries of the gazetteer, read from plain mappings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from monitor.core.entities.forms import forms
from monitor.core.text import exact_form, split

_KEYS = frozenset({"id", "type", "qid", "label", "parents", "names"})
_NAME_KEYS = frozenset({"n", "case", "needs", "not", "inflect"})
_Choice = TypeVar("_Choice", bound=StrEnum)


class EntityType(StrEnum):
    """What an entry is."""

    PERSON = "person"
    PLACE = "place"
    ORGANISATION = "org"
    BODY = "body"
    EVENT = "event"
    TOPIC = "topic"


class Case(StrEnum):
    """Which capitals a name needs: exactly as written, a capital first in each word, or any."""

    EXACT = "exact"
    TITLE = "title"
    ANY = "any"


Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """One way to write an entity, as folded words.

    `exact` are the same words as written. `needs` are phrases of which one must stand in the article; an occurrence
    that overlaps or touches one of the phrases `unless` does not count.
    """

    words: Phrase
    exact: Phrase
    case: Case = Case.ANY
    needs: tuple[Phrase, ...] = ()
    unless: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """Someone or something that is watched for, with every name in every language and form."""

    id: str
    type: EntityType
    label: str
    qid: str = ""
    parents: tuple[str, ...] = ()
    names: tuple[Name, ...] = ()


class RecordError(ValueError):
    """An entry that cannot be read; the message says where in the entry."""


def read_entity(record: Mapping[str, object]) -> Entity:
    """Read one entry."""
    _refuse_unknown(record, _KEYS)
    names = record.get("names")
    if not isinstance(names, Mapping) or not names:
        raise RecordError("'names' must give names for each language, as in names: {en: [Lavrov]}")
    read = [name for lang, values in names.items() for name in _names(str(lang), values)]
    id_ = _string(record, "id")
    return Entity(
        id=id_,
        type=_choice(EntityType, record.get("type", ""), "type"),
        label=_string(record, "label") if "label" in record else id_,
        qid=_string(record, "qid") if "qid" in record else "",
        parents=tuple(_strings(record.get("parents", ()), "parents")),
        names=tuple(dict.fromkeys(read)),
    )


def _names(lang: str, values: object) -> Iterator[Name]:
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise RecordError(f"names.{lang} must be a list of names")
    for value in values:
        options: Mapping[str, object] = value if isinstance(value, Mapping) else {"n": value}
        _refuse_unknown(options, _NAME_KEYS)
        case = _choice(Case, options.get("case", Case.ANY), f"names.{lang}: case")
        needs = tuple(_phrases(options.get("needs", ()), f"names.{lang}: needs"))
        unless = tuple(_phrases(options.get("not", ()), f"names.{lang}: not"))
        for form in forms(_string(options, "n", f"a name in names.{lang}"), lang):
            words, exact = _words(form, f"names.{lang}")
            yield Name(words=words, exact=exact, case=case, needs=needs, unless=unless)


def _phrases(values: object, what: str) -> Iterator[Phrase]:
    for value in _strings(values, what):
        yield _words(value, what)[0]


def _words(text: str, what: str) -> tuple[Phrase, Phrase]:
    words = split(text)
    if not words:
        raise RecordError(f"{what}: '{text}' has no letter and no digit")
    exact = tuple(exact_form(text[word.start : word.end]) for word in words)
    return tuple(word.folded for word in words), exact


def _strings(values: object, what: str) -> Iterator[str]:
    listed = (values,) if isinstance(values, str) else values
    if not isinstance(listed, Sequence):
        raise RecordError(f"{what} must be a list of texts")
    for value in listed:
        if not isinstance(value, str):
            raise RecordError(f"{what}: {value!r} must be a text")
        yield value


def _string(record: Mapping[str, object], key: str, what: str = "") -> str:
    value = record.get(key)
    if not isinstance(value, str) or not value.strip():
        raise RecordError(f"{what or repr(key)} must be a text that is not empty")
    return value.strip()


def _choice(kind: type[_Choice], value: object, what: str) -> _Choice:
    try:
        return kind(str(value))
    except ValueError:
        raise RecordError(f"{what} must be one of {', '.join(kind)}, not {value!r}") from None


def _refuse_unknown(record: Mapping[str, object], known: frozenset[str]) -> None:
    for key in record:
        if key not in known:
            raise RecordError(f"unknown key {key!r}; known are {', '.join(sorted(known))}")
