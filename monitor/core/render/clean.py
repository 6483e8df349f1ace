"""Text and links of strangers, made fit to stand in a message.

What is taken out here cannot break a terminal, a mail header or a chat message, whatever escaping follows.
"""

import re
from urllib.parse import SplitResult, quote, urlsplit

# Marks and letters that are legitimate in a headline stay, such as the joiners of Persian and of emoji.
_INVISIBLE = re.compile(
    "["
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls of C0 and C1 that are not white space
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction marks, overrides and isolates
    "\ufeff\ufff9-\ufffb"  # byte order mark, annotations
    "\U000e0000-\U000e007f"  # tags: a second, invisible alphabet
    "]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_NAME = re.compile(r"[0-9a-z._-]+|[0-9a-f:.]+")
_SPACE = re.compile(r"\s+")
_ELLIPSIS = "…"
LONGEST_LINK = 2000
# What a URL may hold unescaped (RFC 3986), less the characters that end a link in a Slack message.
_LINK_SAFE = "!#$%&'()*+,/:;=?@[]~-._"


def whole(text: str) -> str:
    """Replace lone surrogates, which no encoding can carry, so that every offset into `text` stays true."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def visible(text: str) -> str:
    """Remove what steers instead of being read, and make any run of white space one blank."""
    return _SPACE.sub(" ", _INVISIBLE.sub("", whole(text)))


def line(text: str, limit: int) -> str:
    """Make one clean line of at most `limit` characters; an ellipsis says that it was cut."""
    # Cut early as well: a hostile megabyte is not worth cleaning.
    return cut(visible(text[: 4 * limit + 100]).strip(), limit)


def cut(text: str, limit: int) -> str:
    """Shorten to `limit` characters, the ellipsis included."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + _ELLIPSIS


def link(url: str) -> str:
    """Return an http or https URL in ASCII that is safe to place in any message, or nothing."""
    if len(url) > LONGEST_LINK:
        return ""
    try:
        parts = urlsplit(visible(url).strip())
        host = _host(parts)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc:
        return ""
    quoted = quote(parts._replace(netloc=host).geturl(), safe=_LINK_SAFE)
    return quoted if len(quoted) <= LONGEST_LINK else ""


def _host(parts: SplitResult) -> str:
    """Return host and port with the host in its ASCII form; raise `ValueError` when it is not one."""
    name = (parts.hostname or "").encode("idna").decode("ascii")
    if not _NAME.fullmatch(name):
        raise ValueError("not the name or address of a host")
    host = f"[{name}]" if ":" in name else name
    return host if parts.port is None else f"{host}:{parts.port}"
