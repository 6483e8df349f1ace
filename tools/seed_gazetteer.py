"""Compiles the shipped gazetteer, `monitor/config/seed.json`, from the files in `tools/seed/`.

python -m tools.seed_gazetteer
"""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from monitor.core.entities.cases import EXCHANGES
from monitor.core.entities.declension import GRAMMARS
from monitor.core.text import split

SEED = Path(__file__).parent / "seed"
TARGET = Path(__file__).parents[1] / "monitor" / "config" / "seed.json"

_Record = dict[str, Any]
_Names = dict[str, list[Any]]
# Letters of a name from CLDR in an alphabet: below, too many are words somewhere. The names of small languages need
# more, or a letter that tells them apart.
_SHORTEST = 4
_SHORTEST_IN_SMALL = 6
# fmt: off
_LARGE = frozenset({
    "en", "fr", "de", "es", "it", "pt", "nl", "pl", "cs", "sk", "sl", "hr", "bs", "sr", "sq", "tr",
    "sv", "da", "nb", "nn", "no", "fi", "et", "lv", "lt", "hu", "ro", "id", "ms", "vi", "sw", "ca", "is", "af", "az",
    "ru", "uk", "bg", "be", "mk", "el", "kk", "uz",
})
# fmt: on
_ADJECTIVES: Mapping[str, tuple[str, ...]] = {
    "de": ("", "e", "en", "er", "es", "em"),
    "ru": ("ий", "ого", "ому", "им", "ом", "ая", "ой", "ую", "ое", "ие", "их", "ими"),
    "uk": ("ий", "ого", "ому", "им", "ім", "а", "ої", "ій", "у", "ою", "е", "і", "их", "ими"),
    "pl": ("i", "iego", "iemu", "im", "a", "iej", "ą", "ie", "ich", "imi"),
}
_ALPHABETS = ("LATIN", "CYRILLIC", "GREEK")
_LIKE_ENGLISH = ("de", "fr", "es", "pl", "tr")
_WITHOUT_COLUMN = ("cs", "sk", "sl", "hr")  # spelled as in English, with endings of their own
_INFLECTING = frozenset([*GRAMMARS, *EXCHANGES, "de", "tr", "ar", "he", "ko", "fi", "et", "hu"])


def compiled() -> list[_Record]:
    """Return every entry, in the order of the files."""
    entries = list(_countries())
    entries += [
        {"type": "org", "case": "title", **each} for each in _yaml("organisations")["entities"]
    ]
    people = {person["id"]: person for person in _people()}
    for each in _yaml("people")["entities"]:
        person = people.setdefault(
            each["id"], {"type": "person", "case": "title", **each, "names": {}}
        )
        for lang, names in each["names"].items():
            person["names"].setdefault(lang, []).extend(names)
    merged = {entry["id"]: _merged(entry) for entry in (*entries, *people.values())}
    for id_, lang, name in _offices():
        merged[id_]["names"].setdefault(lang, []).append(name)
    return [*merged.values()]


def text() -> str:
    """Return the file: an entry a line, so that a change is a line."""
    lines = [json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in compiled()]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def folded(name: str) -> str:
    """Return the words of a name as articles are searched for them."""
    return " ".join(word.folded for word in split(name))


def _countries() -> Iterator[_Record]:
    written = _yaml("countries")
    cldr: dict[str, dict[str, list[str]]] = json.loads(
        (SEED / "cldr.json").read_text(encoding="utf-8")
    )
    several = _several(cldr)
    left_out = frozenset(map(folded, written["left_out"])) | several
    listed = written["countries"] + [{"code": code} for code in written["others"]]
    for country in listed:
        names = cldr[country["code"]]
        english = _outside_brackets(names["en"][0])
        label = country.get("label", english)
        adjectives = _adjectives(country.get("adjectives", {}))
        own: _Names = country.get("names", {})
        kept = {
            lang: [
                safe for name in found if (safe := _safe(_outside_brackets(name), lang, left_out))
            ]
            for lang, found in names.items()
        }
        langs = dict.fromkeys([*own, *adjectives, "en", *kept])
        yield {
            "id": country.get("id") or _slug(label),
            "type": "place",
            "label": label,
            **({"qid": country["qid"]} if "qid" in country else {}),
            "case": "title",
            "names": {
                lang: [*own.get(lang, ()), *adjectives.get(lang, ()), *kept.get(lang, ())]
                for lang in langs
            },
        }


def _people() -> Iterator[_Record]:
    """Read the table of people."""
    lines = (SEED / "people.txt").read_text(encoding="utf-8").splitlines()
    columns = _cells(lines[0].removeprefix("#"))
    for line in lines:
        cells = dict(zip(columns, _cells(line), strict=False))
        if line.startswith("#") or not line:
            continue
        names = {lang: _listed(cells.get(lang, "")) for lang in columns[3:]}
        for lang in _LIKE_ENGLISH:
            names[lang] = names[lang] or names["en"]
        names |= dict.fromkeys(_WITHOUT_COLUMN, names["en"])
        yield {
            "id": cells["id"],
            "type": "person",
            "label": cells["label"],
            **({"qid": cells["qid"]} if cells["qid"] else {}),
            "case": "title",
            "names": {lang: listed for lang, listed in names.items() if listed},
        }


def _offices() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each name of an office for each who held it: whose it is, in which language, and when it holds."""
    for office in _yaml("offices")["offices"]:
        for (id_, first, last), lang in product(
            office["holders"], sorted(office.keys() - {"holders"})
        ):
            valid = [day and day.isoformat() for day in (first, last)]
            for name in office[lang]:
                yield id_, lang, {"n": name, "case": "any", "inflect": "none", "valid": valid}


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")]


def _listed(cell: str) -> list[Any]:
    return [
        {"n": name.removesuffix("~"), "inflect": "none"} if name.endswith("~") else name
        for name in (each.strip() for each in cell.split(","))
        if name
    ]


def _several(cldr: Mapping[str, Mapping[str, list[str]]]) -> frozenset[str]:
    """Find the names that CLDR gives to two countries."""
    counts = Counter(
        name
        for names in cldr.values()
        for name in {folded(_outside_brackets(name)) for found in names.values() for name in found}
    )
    return frozenset(name for name, count in counts.items() if count > 1)


def _safe(name: str, lang: str, left_out: frozenset[str]) -> str | dict[str, str] | None:
    """Return how a name from CLDR can be listed without finding other words, if it can."""
    words = folded(name)
    first = next((letter for letter in name if letter.isalpha()), "")
    in_alphabet = unicodedata.name(first, "").startswith(_ALPHABETS)
    if not words or words in left_out or (in_alphabet and len(words) < _SHORTEST):
        return None
    is_large = lang.partition("-")[0] in _LARGE
    if is_large or not in_alphabet or len(words) >= _SHORTEST_IN_SMALL:
        return name
    return None if name.isascii() else {"n": name, "case": "exact", "inflect": "none"}


def _adjectives(written: Mapping[str, list[str]]) -> _Names:
    """Write the adjectives out: all endings of a stem, the plurals of French and Spanish."""
    made: _Names = {}
    for lang, stems in written.items():
        if lang in _ADJECTIVES:
            forms = [stem + ending for stem in stems for ending in _ADJECTIVES[lang]]
        else:
            forms = [form for stem in stems for form in _romance(stem, lang)]
        made[lang] = [{"n": form, "inflect": "none"} for form in dict.fromkeys(forms)]
    return made


def _romance(stem: str, lang: str) -> Iterator[str]:
    if lang == "es" and stem.endswith("o"):
        yield from (stem, f"{stem[:-1]}a", f"{stem}s", f"{stem[:-1]}as")
    elif lang == "es" and stem.endswith("és"):
        yield from (stem, f"{stem[:-2]}eses")
    else:
        yield from (stem, stem if stem.endswith("s") else f"{stem}s")


def _merged(entry: _Record) -> _Record:
    """Leave out what another name of the entry finds anyway: a guarded name stands for all that are written alike."""
    guarded = {
        folded(_n(name)) for names in entry["names"].values() for name in names if _is_guarded(name)
    }
    seen: set[str] = set()
    kept: _Names = {}
    for lang, names in entry["names"].items():
        fresh = list(_fresh(lang, names, guarded, seen))
        if fresh:
            kept[lang] = fresh
    return {**entry, "names": kept}


def _fresh(lang: str, names: Iterable[Any], guarded: set[str], seen: set[str]) -> Iterator[Any]:
    for name in names:
        words = folded(_n(name))
        # Names that are inflected differently in two languages are two names.
        key = f"{lang} {words}" if lang.partition("-")[0] in _INFLECTING else words
        if key in seen or (words in guarded and not _is_guarded(name)) or not words:
            continue
        seen.update((key, words))
        yield name


def _is_guarded(name: str | dict[str, Any]) -> bool:
    """Tell whether somebody wrote down what a name needs; the exact names from CLDR say `inflect` too."""
    return (
        isinstance(name, dict)
        and bool(name.keys() & {"case", "needs", "not"})
        and "inflect" not in name
    )


def _n(name: str | dict[str, Any]) -> str:
    return name if isinstance(name, str) else str(name["n"])


def _outside_brackets(name: str) -> str:
    return re.sub(r"\s*[(（].*[)）]\s*", " ", name).strip()


def _slug(label: str) -> str:
    return "-".join(folded(label.replace("&", "and")).replace("'", "").split())


def _yaml(name: str) -> Any:
    return yaml.safe_load((SEED / f"{name}.yaml").read_text(encoding="utf-8"))


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
