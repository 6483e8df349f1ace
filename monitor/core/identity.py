"""What makes two entries the same article: three keys, none of which can be relied on alone.

Guids churn and are reused, links are shared or decorated, texts are edited or boilerplate. Every entry therefore has a
key for each, and the verdict weighs which of them were seen before.
"""

import base64
import re
import unicodedata
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from itertools import chain
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit, urlunsplit

from monitor.core.feed import Entry, Keys, ParsedArticle

# A text this long is not repeated for another event. About twenty words of English; letters are counted, because
# Chinese and Japanese do not separate words.
_LONG_TEXT = 100

_DEFAULT_PORTS = {"http": 80, "https": 443}
_TRACKING_PREFIXES = ("utm_", "at_", "ns_", "pk_", "mtm_", "hsa_", "__hs")
_TRACKING_NAMES = frozenset(
    {
        *("fbclid", "gclid", "dclid", "gbraid", "wbraid", "gclsrc", "msclkid", "yclid", "ysclid", "twclid", "ttclid"),
        *("igshid", "igsh", "mc_cid", "mc_eid", "mkt_tok", "_ga", "_gl", "ref_src", "oly_anon_id", "oly_enc_id"),
        *("cmp", "cmpid", "cid_source", "ftcamp", "ftag", "xtor", "smid", "emc", "partner", "wt_mc", "wt.mc_id"),
        *("ocid", "ncid", "sr_share", "spm", "rss", "feedtype", "jsessionid", "phpsessid"),
    }
)  # fmt: skip
# Names that identify an article on one site and say where the reader came from on the next: judged by the value.
_SOURCE_NAMES = frozenset({"ref", "source", "src", "from", "via", "mc", "medium", "campaign"})
_SOURCE_VALUES = frozenset(
    {"rss", "feed", "feeds", "rssfeed", "rss-feed", "atom", "twitter", "facebook"}
)
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
_SESSION = re.compile(r";(?:jsessionid|phpsessid)=[^/?]*", re.IGNORECASE)
_WORD = re.compile(r"\w+")
# Short cuts for what is usual, with the same results: an address that is canonical as it stands, and ASCII text.
_CANONICAL = re.compile(r"https?://([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(/[\w.~/@:!$'()*+,-]*)", re.ASCII)
_FOLDED = bytes(
    ord(chr(n).lower()) if chr(n).isalnum() or chr(n) == "_" else 32 for n in range(128)
) + bytes(128)


class Verdict(StrEnum):
    """What an entry is, given what was seen in its feed."""

    NEW = "new"
    EDITED = "edited"
    KNOWN = "known"


class Identity(NamedTuple):
    """An entry with its keys, and which of them can be relied on in this document."""

    entry: ParsedArticle
    keys: Keys
    guid_trusted: bool
    url_trusted: bool


@dataclass(frozen=True, slots=True)
class Outline:
    """The keys of the entries of one document in its order, and the guids and links that identify nothing in it.

    With `shared_urls` no link identifies anything.
    """

    keys: Sequence[Keys]
    ambiguous_guids: frozenset[int]
    ambiguous_urls: frozenset[int]
    shared_urls: bool

    def identity(self, place: int, entry: ParsedArticle) -> Identity:
        """Return the identity of the entry at `place`."""
        keys = self.keys[place]
        return Identity(
            entry,
            keys,
            keys.guid is not None and keys.guid not in self.ambiguous_guids,
            keys.url is not None and not self._is_ambiguous(keys.url),
        )

    def has_shared_urls(self) -> bool:
        """Tell whether links of this feed identify nothing: three entries with one link, or all there are.

        Two are an accident: the link blog Daring Fireball now and then links to one page twice.
        """
        if not self.ambiguous_urls and not self.shared_urls:
            return False
        urls = (each.url for each in self.keys if each.url is not None)
        most = max(Counter(url for url in urls if self._is_ambiguous(url)).values(), default=0)
        return most > 1 and most >= min(3, len(self.keys))

    def _is_ambiguous(self, url: int) -> bool:
        return self.shared_urls or url in self.ambiguous_urls


def canonical_url(url: str) -> str:
    """Return `url` without what does not change the page.

    Tracking parameters, the fragment, a default port and capitals in the host go. What cannot be read as an address
    comes back as it is, stripped.
    """
    url = url.strip()
    if _CANONICAL.fullmatch(url):
        return url
    split = _split(url)
    if split is None:
        return url
    parts, host, port = split
    return urlunsplit(
        (
            parts.scheme.lower(),
            _host(parts.scheme, host, port),
            _path(parts.path) or "/",
            _query(parts.query),
            parts.fragment if parts.fragment.startswith("!") else "",
        )
    )


def url_identity(url: str) -> str:
    """Return what two addresses of one article have in common, or "" if the address is no article's.

    Not an address to visit: the scheme, `www.` and a closing slash are gone. A site's front page identifies nothing.
    """
    return _identity_of(canonical_url(url))


def _identity_of(address: str) -> str:
    usual = _CANONICAL.fullmatch(address)
    if usual:
        host, path = usual[1], usual[2].rstrip("/")
        return host.removeprefix("www.") + path if path else ""
    split = _split(address)
    if split is None:
        return ""
    parts, _, _ = split
    path = parts.path.rstrip("/")
    rest = path + (f"?{parts.query}" if parts.query else "")
    rest += f"#{parts.fragment}" if parts.fragment else ""
    return parts.netloc.removeprefix("www.") + rest if rest else ""


def keys_of(entry: Entry) -> Keys:
    """Return the keys of `entry`: those that it was given, or what they are."""
    if entry.keys is not None:
        return entry.keys
    return _keys_of(entry)


def _keys_of(entry: ParsedArticle) -> Keys:
    guid = entry.guid.strip()
    url = url_identity(entry.url)
    text = _text(entry)
    moment = None
    if text and entry.published_at is not None and _is_short(text):
        moment = _key("m", f"{entry.published_at.isoformat()} {text}")
    return Keys(
        guid=_key("g", guid) if guid else None,
        url=_key("u", url) if url else None,
        text=_key("t", text) if text else None,
        moment=moment,
    )


def flat(keys: Iterable[Keys]) -> tuple[int, ...]:
    """Return the keys there are, each once, in their order."""
    return tuple([key for key in dict.fromkeys(chain.from_iterable(keys)) if key is not None])


def outline_of(entries: Sequence[Entry], *, shared_urls: bool = False) -> Outline:
    """Return what identifies the `entries` of one document, in its order.

    A guid or a link that stands with several texts in the document identifies nothing; with `shared_urls` no link does.
    """
    keys = [keys_of(entry) for entry in entries]
    return Outline(
        keys,
        _shared([each.guid for each in keys], keys),
        _shared([each.url for each in keys], keys),
        shared_urls,
    )


def identify(
    entries: Sequence[ParsedArticle], *, shared_urls: bool = False
) -> tuple[Identity, ...]:
    """Return the identity of each of the `entries` of one document, in its order; see `outline_of`."""
    outline = outline_of(entries, shared_urls=shared_urls)
    return tuple(outline.identity(place, entry) for place, entry in enumerate(entries))


def judge(one: Identity, seen: Container[int]) -> Verdict:
    """Tell whether an entry is new, edited or known, given the keys `seen` in its feed."""
    keys = one.keys
    if (
        (keys.guid is None or keys.guid in seen)
        and (keys.url is None or keys.url in seen)
        and (keys.text is None or keys.text in seen)
    ):
        # An entry that has none of them could neither be matched nor told apart.
        return Verdict.KNOWN
    guid_seen = one.guid_trusted and keys.guid in seen
    url_seen = one.url_trusted and keys.url in seen
    if keys.text is None:
        return Verdict.KNOWN if guid_seen or url_seen else Verdict.NEW
    if keys.text in seen:
        return Verdict.KNOWN if guid_seen or url_seen else _judge_repeated(one, seen)
    if url_seen:
        return Verdict.EDITED
    if guid_seen:
        # Another link and another text under an old guid: the guid was used again (feedbin/support #604).
        return Verdict.NEW if one.url_trusted else Verdict.EDITED
    return Verdict.NEW


def _judge_repeated(one: Identity, seen: Container[int]) -> Verdict:
    """Judge a seen text under a guid and a link that are both new, or that identify nothing.

    A long text has moved (a new guid scheme, another domain). A short one may be an hourly "News bulletin": it is known
    only with the date it had before.
    """
    is_short = _is_short(_text(one.entry))
    if is_short and (one.keys.moment is None or one.keys.moment not in seen):
        return Verdict.NEW
    return Verdict.KNOWN


def article_id(feed_id: str, one: Identity, address: str) -> str:
    """Return an id that stays the same over edits, and is the same in every feed that carries a trusted link.

    `address` is the canonical one of the entry.
    """
    if one.url_trusted:
        return _id("u", _identity_of(address))
    if one.guid_trusted:
        return _id("g", feed_id, one.entry.guid.strip())
    return _id("t", feed_id, _text(one.entry))


def fingerprint(keys: Keys) -> str:
    """Return what changes whenever the words of an article do."""
    return "" if keys.text is None else f"{keys.text & 0xFFFF_FFFF_FFFF_FFFF:016x}"


def _shared(parts: Sequence[int | None], keys: Sequence[Keys]) -> frozenset[int]:
    """Return the guids or links, given as `parts` of the `keys`, that stand with several texts."""
    if len(set(parts)) == len(parts):
        return frozenset()
    texts: dict[int, set[int | None]] = {}
    for part, each in zip(parts, keys, strict=True):
        if part is not None:
            texts.setdefault(part, set()).add(each.text)
    return frozenset(key for key, seen in texts.items() if len(seen) > 1)


def _text(entry: ParsedArticle) -> str:
    """Return the words of an entry, folded, with one blank between them."""
    text = f"{entry.title} {entry.summary} {entry.body}"
    if text.isascii():
        return b" ".join(text.encode().translate(_FOLDED).split()).decode()
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def _is_short(text: str) -> bool:
    return len(text) - text.count(" ") < _LONG_TEXT


def _key(kind: str, value: str) -> int:
    digest = blake2b(_encode(value), digest_size=8, person=kind.encode()).digest()
    return int.from_bytes(digest, "big", signed=True)


def _id(*parts: str) -> str:
    digest = blake2b(_encode("\0".join(parts)), digest_size=16).digest()
    return base64.b32encode(digest).decode().rstrip("=").lower()


def _encode(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def _split(url: str) -> tuple[SplitResult, str, int | None] | None:
    """Return the parts of an address, its host and its port; None if it has no host, or cannot be read."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # an address such as http://[::1 or http://host:port
        return None
    return (parts, host or "", port) if parts.netloc else None


def _host(scheme: str, host: str, port: int | None) -> str:
    host = host.rstrip(".")
    if ":" in host:
        host = f"[{host}]"
    if port is None or port == _DEFAULT_PORTS.get(scheme.lower()):
        return host
    return f"{host}:{port}"


def _path(path: str) -> str:
    return _ESCAPE.sub(lambda escape: escape[0].upper(), _SESSION.sub("", path))


def _query(query: str) -> str:
    kept = [pair for pair in query.split("&") if pair and not _is_tracking(pair)]
    return "&".join(_ESCAPE.sub(lambda escape: escape[0].upper(), pair) for pair in kept)


def _is_tracking(pair: str) -> bool:
    name, _, value = pair.lower().partition("=")
    name = name.removeprefix("amp;")  # from a feed that escaped its links twice
    if name in _SOURCE_NAMES:
        return value in _SOURCE_VALUES
    return name in _TRACKING_NAMES or name.startswith(_TRACKING_PREFIXES)
