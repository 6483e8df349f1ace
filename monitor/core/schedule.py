"""When to poll a feed next, and why, in words for a person.

An interval is what the operator wrote or what was learned. It is lengthened by what the server asks for, never
shortened, and after failures by how much they say.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from monitor.core.feed import Wishes
from monitor.core.model import Feed, FeedState, LimitScope
from monitor.core.rhythm import START, learned_interval
from monitor.errors import FeedError, FeedReason

LONGEST_WISH = timedelta(hours=24)  # more is a mistake of the publisher, as miniflux has it
PROBE_GONE = timedelta(days=30)
MOST_SLOWDOWN = 64.0
_DAY = timedelta(hours=24)
_HOUR = timedelta(hours=1)
_APART = timedelta(minutes=1)
_LONGEST_JITTER = timedelta(minutes=30)
_SLOWDOWN_HALVES = timedelta(days=7)
_SLOWDOWN_OVER = 1.05
_HOURS_A_WEEK = 7 * 24

# How much a failure says about the feed: 1 that something about it has to change, 0.5 that it may pass, 0.25 that it
# may as well be our own network (the three classes are Media Cloud's).
_WEIGHTS = {
    FeedReason.DNS: 0.25,
    FeedReason.CONNECT: 0.25,
    FeedReason.TIMEOUT: 0.25,
    FeedReason.RESET: 0.25,
    FeedReason.RATE_LIMITED: 0.5,
    FeedReason.SERVER_ERROR: 0.5,
    FeedReason.NOT_FOUND: 0.5,
    FeedReason.EMPTY: 0.5,
    FeedReason.CHALLENGE: 0.5,
}

# How far a feed that keeps failing is put off. Where the cause may be our own network the limit is low: a monitor
# that was offline for a night has to read everything soon after it is back.
_LIMITS = {
    FeedReason.DNS: timedelta(hours=2),
    FeedReason.CONNECT: timedelta(hours=2),
    FeedReason.TIMEOUT: timedelta(hours=2),
    FeedReason.RESET: timedelta(hours=2),
    FeedReason.SERVER_ERROR: timedelta(hours=6),
    FeedReason.EMPTY: timedelta(hours=6),
    FeedReason.BAD_RESPONSE: timedelta(hours=6),
}

_WORDS = {
    FeedReason.TIMEOUT: "no answer in time",
    FeedReason.DNS: "DNS",
    FeedReason.CONNECT: "no connection",
    FeedReason.TLS: "TLS",
    FeedReason.RESET: "connection broken off",
    FeedReason.REFUSED_ADDRESS: "refused address",
    FeedReason.TOO_LARGE: "too large",
    FeedReason.BAD_RESPONSE: "unusable answer",
    FeedReason.REDIRECT: "redirects lead nowhere",
    FeedReason.UNAUTHORIZED: "not allowed to read it",
    FeedReason.CHALLENGE: "wants proof that we are a person",
    FeedReason.NOT_FOUND: "not found",
    FeedReason.GONE: "gone",
    FeedReason.RATE_LIMITED: "too many requests",
    FeedReason.CLIENT_ERROR: "request refused",
    FeedReason.SERVER_ERROR: "server error",
    FeedReason.NOT_A_FEED: "not a feed",
    FeedReason.EMPTY: "empty document",
    FeedReason.PARSER_FAILED: "cannot be parsed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PollNext:
    """The next poll: an instant, and the reason for it. Nothing is asked before `not_before`, at the server's wish."""

    at: datetime
    because: str
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restraint:
    """What an answer means for every feed of its registrable domain.

    `slower`: from now on at half the rate. `until`: nothing at all before then.
    """

    slower: bool = False
    until: datetime | None = None


UNRESTRAINED = Restraint()


def weight_of(reason: FeedReason) -> float:
    """Return how much a failure says about the feed."""
    return _WEIGHTS.get(reason, 1.0)


def interval_of(feed: Feed, state: FeedState) -> tuple[timedelta, str]:
    """Return how often the feed is polled while all is well and its server asks for nothing, and that in words."""
    if feed.every is not None:
        interval, because = feed.every, f"every {in_words(feed.every)}"
    else:
        interval = learned_interval(feed, state)
        because = f"every {in_words(interval)} (learned)"
        if not (state.etag or state.last_modified) and state.fresh_for is None:
            # Each poll costs the server the whole document, and nobody allowed us to ask often.
            whole = min(START, feed.longest)
            if interval < whole:
                interval = whole
                because = f"every {in_words(whole)} (learned; the server gives no validators)"
    slowed = min(interval * state.slowdown, max(_DAY, interval))
    if slowed > interval:
        because = f"every {in_words(slowed)}, {state.slowdown:.1f} times as slow since too many requests (429)"
    return slowed, because


def after_success(feed: Feed, state: FeedState, now: datetime) -> PollNext:
    """Schedule after an answer that could be used, changed or not; `state` knows what follows from it."""
    wait, because = interval_of(feed, state)
    wished = timedelta()
    for asked, words in (
        (state.fresh_for or timedelta(), "server asks for {} (Cache-Control)"),
        (_hint(feed, state), "feed asks for {} (ttl)"),
    ):
        if asked > wait:
            wait, because = asked, words.format(in_words(asked))
        wished = max(wished, asked)
    at = now + wait
    allowed = _allowed(feed, state.wishes, at)
    if allowed > at:
        return PollNext(
            at=allowed,
            because="feed asks not to be read before (skipHours, skipDays)",
            not_before=allowed,
        )
    return PollNext(at=at, because=because, not_before=now + wished if wished else None)


def after_failure(feed: Feed, state: FeedState, error: FeedError, now: datetime) -> PollNext:
    """Schedule after a poll that brought nothing; `state` has it counted already.

    The wait doubles with each unit of weight up to a limit that depends on the reason, and is lengthened by up to a
    quarter, by another part for each feed: feeds of one host that fail together must not come back together
    (CommaFeed #2181).
    """
    if state.gone_at is not None:
        return PollNext(
            at=_allowed(feed, state.wishes, now + PROBE_GONE),
            because="stopped: the publisher has removed this feed (410); take it out of the configuration",
        )
    interval, _ = interval_of(feed, state)
    wait = _back_off(state, error.reason, max(interval, _hint(feed, state)))
    because = f"{_ordinal(state.failures)} failure in a row: {_WORDS[error.reason]}"
    if state.failures == 1:
        because = f"failed: {_WORDS[error.reason]}"
    asked = error.retry_after
    if asked is not None and asked >= wait:
        wait = asked
        because = f"server asks for {in_words(asked)} (Retry-After)"
    spread = min(wait / 4, _LONGEST_JITTER) * jitter(feed.id, state.failures)
    return PollNext(
        at=_allowed(feed, state.wishes, now + wait + spread),
        because=because,
        not_before=None if asked is None else now + asked,
    )


def restraint_after(
    feed: Feed, reason: FeedReason | None, retry_after: timedelta | None, now: datetime
) -> Restraint:
    """Return what a failure of a feed, or of a page of it, means for all requests to the domain."""
    is_limited = reason is FeedReason.RATE_LIMITED
    asks_for_all = is_limited or reason is FeedReason.SERVER_ERROR
    if feed.limit_scope is LimitScope.FEED or not asks_for_all:
        return UNRESTRAINED
    until = None if retry_after is None else now + retry_after
    return Restraint(slower=is_limited, until=until)


def slowed(state: FeedState, now: datetime) -> FeedState:
    """Ask half as often from now on: the server said that we ask too often, and not for how long to be left alone."""
    return replace(state, slowdown=min(state.slowdown * 2, MOST_SLOWDOWN), slowed_at=now)


def recovered(state: FeedState, now: datetime) -> FeedState:
    """Let a slow-down fade; half of it is gone after a week without another."""
    if state.slowed_at is None:
        return state
    elapsed = max(now - state.slowed_at, timedelta())
    left: float = state.slowdown * 2 ** -(elapsed / _SLOWDOWN_HALVES)
    if left < _SLOWDOWN_OVER:
        return replace(state, slowdown=1.0, slowed_at=None)
    return replace(state, slowdown=left, slowed_at=now)


def behind(following: PollNext, other: PollNext) -> PollNext:
    """Return when to poll a feed that each poll of another serves too: after the other's, if not well before it."""
    if following.at < other.at - _APART:
        return following
    return replace(following, at=max(following.at, other.at + _APART))


def in_words(duration: timedelta) -> str:
    """Write a duration as `45s`, `15m`, `2h` or `1h30m`."""
    seconds = max(0, round(duration.total_seconds()))
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    parts = [f"{n}{unit}" for n, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if n]
    return "".join(parts[:2]) or "0s"


def jitter(feed_id: str, turn: int) -> float:
    """Return a number from 0 to 1 that differs between feeds and turns, and is always the same for these."""
    digest = blake2b(f"{turn}\0{feed_id}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**32


def _hint(feed: Feed, state: FeedState) -> timedelta:
    return min(state.wishes.every, LONGEST_WISH) if feed.obey_hints else timedelta()


def _allowed(feed: Feed, wishes: Wishes, at: datetime) -> datetime:
    """Return the first instant from `at` on at which the feed does not ask to be left alone."""
    if not feed.obey_hints or not (wishes.skip_hours or wishes.skip_days):
        return at
    moment = at.astimezone(UTC)
    for _ in range(_HOURS_A_WEEK):
        if moment.hour not in wishes.skip_hours and moment.weekday() not in wishes.skip_days:
            return moment
        moment = moment.replace(minute=0, second=0, microsecond=0) + _HOUR
    return at  # it asks never to be read, which nobody means


def _back_off(state: FeedState, reason: FeedReason, interval: timedelta) -> timedelta:
    doublings = max(0.0, state.weight - weight_of(reason))
    limit = max(_LIMITS.get(reason, _DAY), interval)
    return min(interval * 2 ** min(doublings, 16.0), limit)


def _ordinal(number: int) -> str:
    if number % 100 in {11, 12, 13}:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
