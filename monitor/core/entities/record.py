"""Entries of the gazetteer, read from plain mappings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

from monitor.core.entities.forms import forms
from monitor.core.text import exact_words, split

_KEYS = frozenset({"id", "type", "qid", "label", "parents", "names", "case", "extend"})
_NAME_KEYS = frozenset({"n", "case", "needs", "not", "inflect", "valid"})
_SHORT = 6
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
    """Which capitals a name needs: exactly as written, a capital wherever one begins a word of the name, or any."""

    EXACT = "exact"
    TITLE = "title"
    ANY = "any"


class Inflect(StrEnum):
    """Whether the case forms of a name are made."""

    AUTO = "auto"
    NONE = "none"


Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """One way to write an entity, as folded words.

    `exact` are the same words as written. `needs` are phrases of which one must stand in the article; an occurrence
    that overlaps or touches one of the phrases `unless` does not count. The name holds from the first to the last day
    of `valid`, both included.
    """

    words: Phrase
    exact: Phrase
    case: Case = Case.ANY
    needs: tuple[Phrase, ...] = ()
    unless: tuple[Phrase, ...] = ()
    valid: tuple[date | None, date | None] = (None, None)

    def is_valid(self, day: date) -> bool:
        """Tell whether the name held on a day."""
        first, last = self.valid
        return (first is None or first <= day) and (last is None or day <= last)


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
    id_ = _string(record, "id")
    type_ = _choice(EntityType, record.get("type", ""), "type")
    case = _choice(Case, record.get("case", Case.ANY), "case")
    read = [
        name
        for lang, values in names.items()
        for options in _options(str(lang), values)
        for name in _names(str(lang), {"case": case, **options}, type_)
    ]
    return Entity(
        id=id_,
        type=type_,
        label=_string(record, "label") if "label" in record else id_,
        qid=_string(record, "qid") if "qid" in record else "",
        parents=tuple(_strings(record.get("parents", ()), "parents")),
        names=_strictest(read),
    )


def _strictest(names: Sequence[Name]) -> tuple[Name, ...]:
    """Leave out names, made forms among them, that are spelled like one with conditions: those hold in any language."""
    conditional = {name.words for name in names if name.needs or name.unless}
    return tuple(
        dict.fromkeys(
            name for name in names if name.needs or name.unless or name.words not in conditional
        )
    )


def _options(lang: str, values: object) -> Iterator[Mapping[str, object]]:
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise RecordError(f"names.{lang} must be a list of names")
    for value in values:
        options: Mapping[str, object] = value if isinstance(value, Mapping) else {"n": value}
        _refuse_unknown(options, _NAME_KEYS)
        yield options


def _names(lang: str, options: Mapping[str, object], type_: EntityType) -> Iterator[Name]:
    """Read one name, and make its forms."""
    what = f"names.{lang}"
    case = _choice(Case, options["case"], f"{what}: case")
    inflect = _choice(Inflect, options.get("inflect", Inflect.AUTO), f"{what}: inflect")
    needs = tuple(_phrases(options.get("needs", ()), f"{what}: needs"))
    unless = tuple(_phrases(options.get("not", ()), f"{what}: not"))
    valid = _valid(options.get("valid"), what)
    name = _string(options, "n", f"a name in {what}")
    is_person = type_ is EntityType.PERSON
    made = forms(name, lang, person=is_person) if inflect is Inflect.AUTO else (name,)
    for form in made:
        words, exact = _words(form, what)
        form_case = case if form == name or case is Case.EXACT else _case_of_made(form, words, case)
        kept = () if form_case is Case.ANY else exact
        yield Name(words=words, exact=kept, case=form_case, needs=needs, unless=unless, valid=valid)


def _case_of_made(form: str, words: Phrase, case: Case) -> Case:
    """Ask more of a short form that nobody listed: without capitals and diacritics it is a word of some language."""
    if len(form) >= _SHORT:
        return case
    return Case.TITLE if " ".join(words) == form.casefold() else Case.EXACT


def _valid(value: object, what: str) -> tuple[date | None, date | None]:
    """Read the first and the last day, of which either may be absent."""
    if value is None:
        return None, None
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:  # noqa: PLR2004 - from, to
        raise RecordError(f"{what}: valid must be two dates, as in valid: [2004-03-09, null]")
    first, last = (_date(day, what) for day in value)
    if first and last and last < first:
        raise RecordError(f"{what}: valid ends before it begins")
    return first, last


def _date(value: object, what: str) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise RecordError(f"{what}: valid: {value!r} is no date; write it as 2004-03-09") from None


def _phrases(values: object, what: str) -> Iterator[Phrase]:
    for value in _strings(values, what):
        yield _words(value, what)[0]


def _words(text: str, what: str) -> tuple[Phrase, Phrase]:
    words = split(text)
    if not words:
        raise RecordError(f"{what}: '{text}' has no letter and no digit")
    return tuple(word.folded for word in words), exact_words(text)


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
