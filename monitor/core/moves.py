"""Which address a feed is asked at, when its publisher says that it has moved.

A permanent redirect is believed once it has been the same for some polls and days: a mistake in a server's
configuration says 301 too. An address taken over like that is given up when nothing can be had there.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

from monitor.core.feed import NO_WISHES, Document
from monitor.core.model import Feed, FeedState, Move
from monitor.errors import FeedReason

STABLE_POLLS = 5
STABLE_FOR = timedelta(days=3)

_NOBODY_THERE = frozenset(
    {
        *(FeedReason.DNS, FeedReason.CONNECT, FeedReason.TLS, FeedReason.REFUSED_ADDRESS),
        *(FeedReason.REDIRECT, FeedReason.UNAUTHORIZED, FeedReason.NOT_FOUND, FeedReason.GONE),
        *(FeedReason.CLIENT_ERROR, FeedReason.NOT_A_FEED),
    }
)


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
    """Count a permanent redirect, and take it over once it is stable.

    `listed` are the addresses of all feeds, with their ids.
    """
    to = document.permanent_url
    if to is None:
        return state if state.moving is None else replace(state, moving=None)
    if state.moving is None or state.moving.to != to:
        return replace(state, moving=Move(to=to, since=now))
    moving = replace(state.moving, polls=state.moving.polls + 1)
    if moving.polls < STABLE_POLLS or now - moving.since < STABLE_FOR:
        return replace(state, moving=moving)
    other = listed.get(to, feed.id)
    return replace(state, address=to, moving=None, same_as="" if other == feed.id else other)


def has_moved(before: FeedState, after: FeedState) -> bool:
    """Tell whether the poll between these states took over another address."""
    return after.address is not None and after.address != before.address


def gave_up_address(state: FeedState, reason: FeedReason) -> FeedState:
    """Return to the configured address, when a failure says that there is nothing at the one taken over."""
    if state.address is None or reason not in _NOBODY_THERE:
        return state
    return replace(state, address=None, moving=None, same_as="")
