"""What an operator is told about a feed without being asked: once when a trouble begins, once when it is over."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.core.model import Article, Feed, FeedState
from monitor.core.notice import feed_notice
from monitor.core.rhythm import silent_for
from monitor.core.schedule import in_words, weight_of

_FEWEST_FAILURES = 5
_FAILING = timedelta(days=1)
_FAILING_TO_CONNECT = timedelta(days=3)  # which may be our own network, or a server under repair
_HALF = 0.5


class Trouble(StrEnum):
    """What can be wrong with a feed that a person has to know. Each is a reserved rule, `monitor.feed-TROUBLE`."""

    GONE = "gone"  # 410: its publisher removed it
    FAILING = "failing"  # nothing usable for a day or more
    SILENT = "silent"  # reachable, and without news for far longer than usual
    SAME = "same"  # leads to the address of another feed


def notices_after(
    feed: Feed, before: FeedState, after: FeedState, now: datetime
) -> tuple[tuple[Article, ...], FeedState]:
    """Return what to tell the operator after a poll, and the state that knows that it was told."""
    silence = silent_for(after, now) if after.reason is None else None
    if after.reason is None:
        since = after.changed_at if silence else None
        after = after if since == after.silent_since else replace(after, silent_since=since)
    troubles = dict(_troubles(after, silence, now))
    told = set(before.told)
    unsettled = (
        {Trouble.SILENT} if after.reason is not None else set()
    )  # a failed poll says nothing of it
    begun = [(each, text) for each, text in troubles.items() if each not in told]
    over = told - troubles.keys() - unsettled
    notices = [feed_notice(feed, f"feed-{each}", *text, now) for each, text in begun]
    if over and not troubles:
        notices.append(feed_notice(feed, "feed-well", *_well(before, now), now))
    still = tuple(sorted((told - over) | troubles.keys()))
    return tuple(notices), after if still == after.told else replace(after, told=still)


def _troubles(
    state: FeedState, silence: timedelta | None, now: datetime
) -> Iterator[tuple[Trouble, tuple[str, str]]]:
    if state.gone_at is not None:
        text = f"{state.detail}. It is no longer polled, but for one look a month."
        yield Trouble.GONE, ("is gone for good", text)
    elif _is_failing(state, now):
        since = f"{state.failing_since:%Y-%m-%d %H:%M} UTC"
        text = f"{state.failures} polls in a row have failed since {since}: {state.detail}."
        text += " It is polled less often meanwhile, and goes on by itself."
        yield Trouble.FAILING, ("cannot be read", text)
    if silence is not None and state.quiet is not None:
        text = f"No news for {in_words(silence)}; the longest so far was {in_words(state.quiet)}."
        text += " It answers, so look at the site: the feed may have moved."
        yield Trouble.SILENT, ("is silent", text)
    if state.same_as:
        text = "One request serves both. Keep one: what both bring is told once."
        yield Trouble.SAME, (f"has the same address as {state.same_as}", text)


def _is_failing(state: FeedState, now: datetime) -> bool:
    if state.reason is None or state.failing_since is None or state.failures < _FEWEST_FAILURES:
        return False
    patience = _FAILING if weight_of(state.reason) >= _HALF else _FAILING_TO_CONNECT
    return now - state.failing_since >= patience


def _well(before: FeedState, now: datetime) -> tuple[str, str]:
    since = before.gone_at or before.failing_since or before.silent_since
    ended = f" after {in_words(now - since)}" if since else ""
    return "is well again", f"What was told of it is over{ended}."
