"""Every key name, and which partition a thing belongs to.

All keys of a partition carry its tag in braces, so that a cluster keeps them in one slot and one function can touch
them together. Sets of 64-bit integers are the compact form of "already seen", so names are hashed to those here too.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache, lru_cache
from hashlib import blake2b, sha1
from ipaddress import ip_address
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

from monitor.core.model import Feed, FeedState
from monitor.core.schedule import Restraint
from monitor.streams import bounds
from monitor.streams.instants import span_ms, to_ms

META = "monitor:meta"
PUBLIC = "monitor:matches"

ARTICLES = "articles"
MATCHES = "matches"
ARCHIVE = "archive"
MISSED = "archive:missed"
DEAD = "dead"


def key(partition: int, name: str) -> str:
    """Return the key `name` of a partition."""
    return f"monitor:{{p{partition:02d}}}:{name}"


def hash64(*parts: str) -> int:
    """Return a stable signed 64-bit hash; signed because the server's compact sets hold signed integers."""
    digest = blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


@lru_cache(4096)
def partition_of(name: str, partitions: int) -> int:
    """Return the partition of a target or of a host."""
    return hash64(name) % partitions


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def registrable_host(url: str) -> str:
    """Return the registrable domain of a URL's host, or the host itself where there is none (an address)."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return url
    try:
        return str(ip_address(host))
    except ValueError:
        return _suffixes().privatesuffix(host) or host or url


def domain_of(state: FeedState) -> str:
    """Return the registrable domain that is asked after this poll; nothing where it is not known."""
    address = state.address or state.configured
    return registrable_host(address) if address else ""


def mood_of(restraint: Restraint, *, well: bool) -> str:
    """Return how the domain took a request."""
    if restraint.slower:
        return "slower"
    return "well" if well else ""


def terms_of(feed: Feed) -> int:
    """Return what changes when the operator gives a feed another address or interval."""
    return hash64("terms", feed.url, str(feed.every))


def spread_over(feed_id: str, spread: timedelta) -> timedelta:
    """Return this feed's place within `spread`, the same each time."""
    return spread * ((hash64("spread", feed_id) % 2**32) / 2**32)


def generation(instant: datetime) -> int:
    """Return the number of the told-generation an instant falls in."""
    return to_ms(instant) // span_ms(bounds.TOLD_GENERATION)


def told_bucket(*parts: str) -> int:
    """Return which of the sets of a generation remembers these names."""
    return hash64("bucket", *parts) % bounds.TOLD_BUCKETS


def told(partition: int, number: int, bucket: int) -> str:
    """Return the set that remembers who was told what in a generation."""
    return key(partition, f"told:{number}:{bucket}")


def published(number: int, bucket: int) -> str:
    """Return the set that remembers what was published in a generation; in the slot of the public stream."""
    return f"{{{PUBLIC}}}:published:{number}:{bucket}"


def delivery_id(article_id: str, rule_ids: list[str], target_id: str) -> str:
    """Return the id that the server's function gives to such a delivery; `rule_ids` are sorted."""
    said = "\0".join((article_id, *rule_ids, target_id))
    return sha1(said.encode(), usedforsecurity=False).hexdigest()[:26]


def digest_id(now: int, ids: Sequence[str]) -> str:
    """Return the id that the server's function gives to a digest of these deliveries, made at `now` milliseconds."""
    gathered = "\0".join((str(now), *ids))
    return sha1(gathered.encode(), usedforsecurity=False).hexdigest()[:26]
