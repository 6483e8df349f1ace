"""Reads the kinds of value that settings are made of. What is wrong with one never quotes what may be secret."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeVar
from urllib.parse import urlsplit

from monitor.core.matchers import Matcher, MatcherError, parse_matchers
from monitor.core.routing import EVERYTHING

T = TypeVar("T")

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
DURATION = r"(?:[0-9]{1,6}(?:ms|[smhdw]))+"
RATE = r"([1-9][0-9]{0,2}|1000)/([smh])"
_SIZES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
SIZE = r"([0-9]{1,9})(B|KiB|MiB|GiB|TiB)"
ID = r"[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?"
_MAILBOX = r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LONGEST_HOST = 253
_BY_PATH = frozenset({"unix", "postgresql", "postgres"})  # the host may be left out
_PASSWORD = re.compile(r"(?:^|&)password=")
_UNSEEN = re.compile(r"[\x00-\x20\x7f]")
_SHOWN = 40
_OUR_HEADERS = frozenset(
    (
        "host",
        "content-length",
        "content-type",
        "content-encoding",
        "transfer-encoding",
        "connection",
        "user-agent",
    )
)
_SECRET_HEADERS = frozenset(("authorization", "proxy-authorization", "cookie"))


class WrongValueError(ValueError):
    """A value that cannot be used, and the next step if one is known.

    `key` says where in a mapping the value stands, when the mapping as a whole was checked; `position` which character
    of a text is wrong, from 0.
    """

    def __init__(
        self, message: str, hint: str = "", key: str = "", position: int | None = None
    ) -> None:
        self.message = message
        self.hint = hint
        self.key = key
        self.position = position
        super().__init__(message)


def shown(value: object) -> str:
    """Return a value as a message may have it, bounded."""
    match value:
        case str():
            return f"'{value}'" if len(value) <= _SHOWN else f"'{value[:_SHOWN]}…'"
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list"
        case _:
            return "a mapping"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint that names what was probably meant, or nothing."""
    found = get_close_matches(word[:100].lower(), list(known), n=1, cutoff=0.6)
    return f"did you mean '{found[0]}'?" if found else ""


def duration(value: object) -> timedelta:
    """Read `5m`, `1h30m` or `250ms`."""
    if not isinstance(value, str) or not re.fullmatch(DURATION, value):
        bare = isinstance(value, int) and not isinstance(value, bool)
        hint = f"write {value}s, {value}m or {value}h" if bare else ""
        raise WrongValueError(f"expected a duration such as 30s or 1h30m, not {shown(value)}", hint)
    pieces = re.findall(r"([0-9]+)(ms|[smhdw])", value)
    try:
        return sum((int(count) * _UNITS[unit] for count, unit in pieces), timedelta())
    except OverflowError:
        raise WrongValueError(f"the duration {shown(value)} is too long") from None


def rate(value: object) -> timedelta:
    """Read `10/s`, `30/m` or `100/h` as the time between two."""
    found = re.fullmatch(RATE, value) if isinstance(value, str) else None
    if found is None:
        raise WrongValueError(f"expected a rate such as 10/s or 30/m, not {shown(value)}")
    milliseconds = -(-(_UNITS[found[2]] // _UNITS["ms"]) // int(found[1]))
    return timedelta(milliseconds=milliseconds)


def interval_or_auto(value: object) -> timedelta | str:
    """Read a duration, or `auto`."""
    return value if value == "auto" and isinstance(value, str) else duration(value)


def size(value: object) -> int:
    """Read `512MiB` as a number of bytes."""
    if isinstance(value, int) and not isinstance(value, bool):
        raise WrongValueError(f"a size needs its unit, not {shown(value)}", f"write {value}MiB")
    found = re.fullmatch(SIZE, value) if isinstance(value, str) else None
    if found is None:
        raise WrongValueError(f"expected a size such as 15MiB or 2GiB, not {shown(value)}")
    return int(found[1]) * _SIZES[found[2]]


def format_size(value: int) -> str:
    """Write a number of bytes as `size` reads it."""
    unit = next(unit for unit in reversed(_SIZES) if value % _SIZES[unit] == 0)
    return f"{value // _SIZES[unit]}{unit}"


def expiry(value: object) -> datetime:
    """Read a date as the end of that day in UTC, or an instant that names its zone."""
    try:
        if isinstance(value, str) and len(value) == len("2026-12-31"):
            return datetime.combine(date.fromisoformat(value) + timedelta(days=1), time(), UTC)
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
        if instant is not None and instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # said below, as for every other value that is neither
    raise WrongValueError(
        f"expected a date such as 2026-12-31 or an instant such as 2026-12-31T18:00Z, not {shown(value)}"
    )


def identifier(value: object) -> str:
    """Read an id, which stands in queries, keys and addresses."""
    if isinstance(value, str) and re.fullmatch(ID, value):
        return value
    hint = ""
    if isinstance(value, str):
        slug = re.sub(r"[^a-z0-9._-]+", "-", value[:100].lower()).strip("._-")
        hint = f"did you mean '{slug}'?" if slug else ""
    raise WrongValueError(f"expected an id of a-z, 0-9, '.', '_' and '-', not {shown(value)}", hint)


def address(*schemes: str, instead: str = "") -> Callable[[str], str]:
    """Return a check of a URL with one of these schemes and no credentials; `instead` says where those belong."""

    def check(value: str) -> str:
        expected = f"expected an address that begins with {' or '.join(f'{s}://' for s in schemes)}"
        try:
            parts = urlsplit(value)
            _ = parts.port  # raises when it is none
        except ValueError:
            raise WrongValueError(expected) from None
        where = parts.path if parts.scheme in _BY_PATH else parts.hostname
        if parts.scheme not in schemes or not where or _UNSEEN.search(value):
            raise WrongValueError(expected)
        if "@" in parts.netloc or _PASSWORD.search(parts.query):
            raise WrongValueError(
                "an address here must not contain a user name or a password", instead
            )
        return value

    return check


def database(value: str) -> str:
    """Check the address of a PostgreSQL database, credentials included, and that its driver is there."""
    if not value.startswith(("postgresql://", "postgres://")):
        raise WrongValueError("expected an address that begins with postgresql:// or postgres://")
    if find_spec("psycopg") is None:
        raise WrongValueError(
            "the driver of PostgreSQL is not installed here",
            "run: pip install 'monitor[postgresql]'",
        )
    try:
        import_module("psycopg.conninfo").conninfo_to_dict(value)
    except import_module("psycopg").Error:  # which quotes the address
        raise WrongValueError("PostgreSQL cannot read this address") from None
    return value


def network(value: object) -> IPv4Network | IPv6Network:
    """Read a network in CIDR notation, or a single address."""
    try:
        if isinstance(value, str):
            return ip_network(value)
    except ValueError as error:
        hint = "clear the bits after the prefix" if "host bits" in str(error) else ""
        raise WrongValueError(
            f"expected a network such as 10.1.0.0/16, not {shown(value)}", hint
        ) from None
    raise WrongValueError(f"expected a network such as 10.1.0.0/16, not {shown(value)}")


def code(value: str) -> str:
    """Read a name that is compared without case: a language, country or category."""
    if re.fullmatch(r"\w[\w .&/-]{0,49}", value):
        return value.casefold()
    raise WrongValueError(
        f"expected a short name of letters, digits, spaces and '-', not {shown(value)}"
    )


def variable(value: str) -> str:
    """Check the name of an environment variable. It may be a secret by mistake, so it is not quoted."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        return value
    raise WrongValueError("expected the name of an environment variable", "not the secret itself")


def header_name(value: str) -> str:
    """Check the name of an HTTP header that an operator may set."""
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", value):
        raise WrongValueError(f"{shown(value)} is not the name of a header")
    name = value.lower()
    if name in _OUR_HEADERS or name.startswith("webhook-"):
        raise WrongValueError(f"the header '{name}' is ours to set")
    if name in _SECRET_HEADERS or re.search("secret|token|api-?key|password", name):
        raise WrongValueError(
            f"the header '{name}' carries a secret, which must not stand in a configuration file",
            "use authorization_file or authorization_env",
        )
    return name


def header(value: str) -> str:
    """Check the value of an HTTP header."""
    if re.search(r"[^\t\x20-\x7e]", value):
        raise WrongValueError("the value of a header must be one line of ASCII")
    return value


def mailbox(value: str) -> str:
    """Check one mail address, without a display name."""
    if re.fullmatch(_MAILBOX, value):
        return value
    raise WrongValueError(f"expected one mailbox such as desk@example.org, not {shown(value)}")


def host_name(value: object) -> str:
    """Check the name of a host, in ASCII."""
    if isinstance(value, str) and len(value) <= _LONGEST_HOST and re.fullmatch(_HOST, value):
        return value.lower()
    raise WrongValueError(
        f"expected the name of a host such as monitor.example.org, not {shown(value)}"
    )


def matchers(value: object) -> tuple[Matcher, ...]:
    """Read matchers as Alertmanager writes them."""
    if not isinstance(value, str):
        raise WrongValueError(
            f"expected a matcher such as severity=critical, not {shown(value)}", "put it in quotes"
        )
    try:
        return parse_matchers(value)
    except MatcherError as error:
        raise WrongValueError(error.message, error.hint, position=error.position) from None


def common_name(value: str) -> str:
    """Check the name of something that alerts have in common."""
    if value == EVERYTHING or re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", value):
        return value
    raise WrongValueError(
        f"expected a name such as story, rule, feed or that of a label, not {shown(value)}"
    )


def listed(value: object) -> object:
    """Read a single text, number or mapping as a list of one."""
    return [value] if isinstance(value, str | int | dict) else value


def chat(value: object) -> str:
    """Read the number of a chat, or the name of a public channel."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,20}|@[A-Za-z0-9_]{1,64}", value):
        return value
    raise WrongValueError(f"expected the number of a chat or @name, not {shown(value)}")
