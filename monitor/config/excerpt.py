"""The line of a file as a problem may show it: without secrets, and without what would upset a terminal."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

_KEY = re.compile(r"""([\w-]+)["']?\s*:""")  # a key without a blank after it was meant as one
_TELLTALE = re.compile(
    r"pass|secret|token|webhook_url|authorization|api[_-]?key|credential", re.IGNORECASE
)
_SECRET_KEYS = ("webhook_url", "password", "secret", "previous_secret", "authorization")
_ADDRESS_LOGIN = re.compile(r"://[^\s/@]*@")
_ADDRESS_PASSWORD = re.compile(r"([?&]password=)[^\s&\"',}\]]+")
_ADDRESS_PATH = re.compile(r"(://[^\s/]*(?:hook|discord)[^\s/]*/)[^\s\"',}\]]+")
_REACH = 200  # lines; no secret is longer
_HIDDEN = "***"


def excerpt(lines: Sequence[str], line: int) -> str:
    """Return a line (counted from 1) with every secret in it replaced by `***`; nothing if there is no such line."""
    if not 0 < line <= len(lines):
        return ""
    text = lines[line - 1]
    if _inside_secret(lines, line):
        return _indent(text) * " " + _HIDDEN
    for key in _KEY.finditer(text):
        if is_secret(key[1]):
            text = f"{text[: key.end()]} {_HIDDEN}"
            break
    text = _ADDRESS_LOGIN.sub(f"://{_HIDDEN}@", text)
    text = _ADDRESS_PASSWORD.sub(rf"\1{_HIDDEN}", text)
    text = _ADDRESS_PATH.sub(rf"\1{_HIDDEN}", text)
    return "".join(char if char.isprintable() or char == "\t" else "�" for char in text.rstrip())


def is_secret(key: str) -> bool:
    """Tell whether a key, perhaps misspelt, has a secret as its value."""
    key = key.lower()
    if key.endswith(("_file", "_env")):
        return False
    return bool(_TELLTALE.search(key) or get_close_matches(key, _SECRET_KEYS, n=1, cutoff=0.8))


def _inside_secret(lines: Sequence[str], line: int) -> bool:
    """Whether the line continues the value of a secret key above it."""
    indent = _indent(lines[line - 1])
    for above in reversed(lines[max(0, line - 1 - _REACH) : line - 1]):
        if above.strip() and _indent(above) < indent:
            indent = _indent(above)
            keys = _KEY.findall(above)
            if keys and is_secret(keys[-1]):
                return True
    return False


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())
