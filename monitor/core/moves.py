"""Which address a feed is asked at, when its publisher says that it has moved.

A permanent redirect is believed once it has been the same for some polls and days: a mistake in a server's
configuration says 301 too. An address taken over like that is given up when nothing can be had there.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

from monitor.core.feed import NO_WISHES, Document
from monitor.core.model import Feed, FeedState, Move
from monitor.errors import FeedReason

STABLE_POLLS = 5
STABLE_FOR = timedelta(days=3)
_OK = 200

_NOBODY_THERE = frozenset(
    {
        *(FeedReason.DNS, FeedReason.CONNECT, FeedReason.TLS, FeedReason.REFUSED_ADDRESS),
        *(FeedReason.REDIRECT, FeedReason.UNAUTHORIZED, FeedReason.NOT_FOUND, FeedReason.GONE),
        *(FeedReason.CLIENT_ERROR, FeedReason.NOT_A_FEED),
    }
)


@lru_cache(maxsize=1024)  # each poll asks several times for that of its feed
def plain_address(url: str) -> str:
    """Return the address as it may be remembered: without user, password and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))


def address_of(feed: Feed, state: FeedState) -> str:
    """Return the address to ask."""
    is_about_it = state.configured == plain_address(feed.url)
    return state.address if is_about_it and state.address else feed.url


def about(feed: Feed, state: FeedState) -> FeedState:
    """Return what is still true when the operator has given the feed another address; what was seen stays seen."""
    configured = plain_address(feed.url)
    if state.configured == configured:
        return state
    if not state.configured:
        return replace(state, configured=configured)
    return replace(
        state,
        configured=configured,
        address=None,
        moving=None,
        same_as="",
        failures=0,
        failing_since=None,
        weight=0.0,
        gone_at=None,
        fresh_for=None,
        wishes=NO_WISHES,
        slowdown=1.0,
        slowed_at=None,
        not_before=None,
    )


def moved(
    feed: Feed, state: FeedState, document: Document, listed: Mapping[str, str], now: datetime
) -> FeedState:
    """Count a permanent redirect, and take it over once it is stable; note who else is asked at the address.

    `listed` are the addresses of all feeds, with their ids.
    """
    to = document.permanent_url
    if to is None:
        other = _other(feed, plain_address(address_of(feed, state)), listed)
        settled = state.moving is None and state.same_as == other
        return state if settled else replace(state, moving=None, same_as=other)
    if state.moving is None or state.moving.to != to:
        return replace(state, moving=Move(to=to, since=now))
    moving = replace(state.moving, polls=state.moving.polls + 1)
    if moving.polls < STABLE_POLLS or now - moving.since < STABLE_FOR:
        return replace(state, moving=moving)
    return replace(state, address=to, moving=None, same_as=_other(feed, to, listed))


def _other(feed: Feed, address: str, listed: Mapping[str, str]) -> str:
    other = listed.get(address, feed.id)
    return "" if other == feed.id else other


def serves(
    feed: Feed, state: FeedState, document: Document, other: Feed, others: FeedState
) -> bool:
    """Tell whether a document that was fetched for a feed in `state` is what `other` would have been sent now.

    An answer that builds on what we have, as 304 and 226 do, is so only where both have the same.
    """
    if address_of(feed, state) != address_of(other, others):
        return False
    is_whole = document.status == _OK and not document.not_modified
    return is_whole or _known_by(state) == _known_by(others)


def _known_by(state: FeedState) -> tuple[str | None, ...]:
    return state.etag, state.last_modified, state.body_hash


def has_moved(before: FeedState, after: FeedState) -> bool:
    """Tell whether the poll between these states took over another address."""
    return after.address is not None and after.address != before.address


def gave_up_address(state: FeedState, reason: FeedReason) -> FeedState:
    """Return to the configured address, when a failure says that there is nothing at the one taken over."""
    if state.address is None or reason not in _NOBODY_THERE:
        return state
    return replace(state, address=None, moving=None, same_as="")
