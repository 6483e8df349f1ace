"""Who may ask what of the API: tokens with a scope, and how often each may ask."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

PREFIX = "mon_"


class Scope(StrEnum):
    """What a token is good for; each takes in those before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def covers(self, needed: "Scope") -> bool:
        """Tell whether this is enough for what needs `needed`."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as it is kept: its digest is the id of its record, and the token itself is nowhere."""

    name: str
    scope: Scope
    created_at: datetime
    expires_at: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        """Tell whether it still counts."""
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who signed in on the page with a token, known by its digest; good for as long as the token is."""

    token: str
    expires_at: datetime


def digest(token: str) -> str:
    """Return what stands for a token in the store; tokens are long and random, so one pass of SHA-256 is enough."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How often somebody may ask: `burst` times at once, and once each `every` in the long run."""

    burst: int
    every: timedelta


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a rate, as the instant at which all of it is there again."""

    full_at: datetime

    def take(self, rate: Rate, now: datetime) -> "tuple[Allowance, timedelta]":
        """Use one up; return what is left, and how long to wait first: nothing if there was one."""
        full_at = max(self.full_at, now) + rate.every
        wait = full_at - now - rate.burst * rate.every
        return (self, wait) if wait > timedelta() else (Allowance(full_at), timedelta())
