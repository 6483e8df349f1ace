"""Language tags as feeds write them."""

import re

_PRIMARY = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9-_]{0,30})?")


def primary(tag: str | None) -> str | None:
    """Return the primary subtag of a language tag in lower case (`en-US` gives `en`); None if it is none."""
    found = _PRIMARY.fullmatch(tag.strip()) if tag else None
    return found[1].lower() if found else None
