"""Regular expressions and wildcards, in the subset that is matched in linear time."""

import re
from functools import lru_cache
from typing import Protocol, cast

import re2

from monitor.core.text import fold

_LONGEST = 500
_MEMORY = 1 << 20


class Pattern(Protocol):
    """A compiled pattern."""

    def fullmatch(self, text: str) -> object | None:
        """Return something if the whole text matches."""
        ...


class PatternError(ValueError):
    """The pattern cannot be used; the message says why."""


@lru_cache(maxsize=4096)
def compile_regex(pattern: str) -> Pattern:
    """Compile a user's regular expression over one folded word; its own letters are folded too."""
    if len(pattern) > _LONGEST:
        raise PatternError(f"longer than {_LONGEST} characters")
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        compiled = cast("Pattern", re2.compile(_folded(pattern), options))
    except (re2.error, UnicodeEncodeError) as error:
        raise PatternError(_reason(error)) from error
    if compiled.fullmatch("") is not None:
        raise PatternError("it matches nothing at all as well as something")
    return compiled


def _folded(pattern: str) -> str:
    return "".join(letter if letter.isascii() else fold(letter) or letter for letter in pattern)


def _reason(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    return first.decode(errors="replace") if isinstance(first, bytes) else str(error)


@lru_cache(maxsize=1 << 14)
def compile_wildcard(pattern: str) -> Pattern:
    """Compile a folded word with `*` and `?`."""
    options = re2.Options()
    options.log_errors = False
    translated = "".join(_WILDCARDS.get(letter) or re.escape(letter) for letter in pattern)
    return cast("Pattern", re2.compile(f"(?s){translated}", options))


_WILDCARDS = {"*": ".*", "?": "."}
