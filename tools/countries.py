"""Writes `tools/seed/cldr.json`: the name of every country in every language of CLDR, which Babel brings along.

python -m tools.countries (needs Babel, which nothing else does)
"""

import json
from pathlib import Path

import yaml
from babel import Locale, localedata

_SEED = Path(__file__).parent / "seed"


def names(codes: frozenset[str]) -> dict[str, dict[str, list[str]]]:
    """Return the names by country, then by language; regional variants of a language are added to it."""
    found: dict[str, dict[str, list[str]]] = {code: {} for code in sorted(codes)}
    for identifier in sorted(localedata.locale_identifiers()):
        locale = Locale.parse(identifier)
        lang = f"{locale.language}-{locale.script}" if locale.script else locale.language
        for code, name in locale.territories.items():
            listed = found[code].setdefault(lang, []) if code in codes else []
            if code in codes and name not in listed:
                listed.append(name)
    return found


def main() -> None:
    """Write the file."""
    written = yaml.safe_load((_SEED / "countries.yaml").read_text(encoding="utf-8"))
    codes = frozenset([each["code"] for each in written["countries"]] + written["others"])
    text = json.dumps(names(codes), ensure_ascii=False, indent=0, sort_keys=True)
    (_SEED / "cldr.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
