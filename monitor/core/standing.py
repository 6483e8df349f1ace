"""How a feed stands, in words for a person in a hurry."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from monitor.core.model import Feed, FeedState
from monitor.core.moves import address_of, plain_address
from monitor.core.rhythm import silent_for
from monitor.core.schedule import in_words, interval_of
from monitor.core.websub import HubState, HubSubscription, is_alive

_LONG_AGO = timedelta(days=2)


def is_failing(state: FeedState) -> bool:
    """Tell whether the last poll brought nothing that can be used."""
    return state.reason is not None


def is_silent(state: FeedState, now: datetime) -> bool:
    """Tell whether the feed has had no news for far longer than usual."""
    return silent_for(state, now) is not None


def in_a_word(state: FeedState | None, now: datetime) -> str:
    """Return one line: what is wrong, or that nothing is."""
    if state is None:
        return "not polled yet"
    if state.gone_at is not None:
        return f"gone: {state.detail}"
    if state.reason is not None:
        return f"failing: {state.detail}"
    silence = silent_for(state, now)
    if silence is not None:
        return f"silent for {_long(silence)}"
    return "ok"


def in_detail(feed: Feed, state: FeedState | None, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield what there is to say of a feed, each with the name of it."""
    yield "state", in_a_word(state, now)
    if state is None:
        return
    asked = plain_address(address_of(feed, state))
    if asked != plain_address(feed.url):
        yield "asked at", f"{asked} (moved for good)"
    if state.moving is not None:
        yield "moving", f"to {state.moving.to}, seen in {state.moving.polls} polls in a row"
    if state.same_as:
        yield "same as", f"{state.same_as}: one request serves both"
    yield "last poll", ago(state.polled_at, now)
    yield "last success", ago(state.succeeded_at, now)
    yield "last news", ago(state.changed_at, now)
    yield "next poll", f"{ahead(state.next_poll_at, now)}: {state.because}"
    yield "interval", interval_of(feed, state)[1]
    yield from _trouble(state, now)
    yield "overlap", _overlap(state, now)
    if state.quiet is not None:
        yield "rhythm", f"longest usual silence {_long(state.quiet)}"


def hub_in_words(subscription: HubSubscription, now: datetime) -> str:
    """Say whether a feed is pushed, and if not, why."""
    hub = subscription.hub
    if is_alive(subscription, now):
        last = f", last push {ago(subscription.pushed_at, now)}"
        promised = ahead(subscription.expires_at, now).removeprefix("in ")
        missed = " (a poll found what it had not pushed)" if subscription.missed_at else ""
        return f"pushed by {hub}{last}, promised for {promised}{missed}"
    is_over = subscription.state is HubState.ACTIVE
    why = subscription.detail or ("its promise is over" if is_over else "not asked yet")
    former = subscription.former
    meanwhile = f"; pushed by {former.hub} meanwhile" if former and is_alive(former, now) else ""
    return f"not pushed by {hub}: {why}; asked again {ahead(subscription.act_at, now)}{meanwhile}"


def _trouble(state: FeedState, now: datetime) -> Iterator[tuple[str, str]]:
    if state.failures:
        since = f" since {ago(state.failing_since, now)}" if state.failing_since else ""
        yield "failures", f"{state.failures} in a row{since}"
    if state.errors:
        counted = sorted(state.errors.items(), key=lambda each: (-each[1], each[0]))
        yield "errors", ", ".join(f"{count} {reason}" for reason, count in counted)


def _overlap(state: FeedState, now: datetime) -> str:
    if state.missed:
        times = "once" if state.missed == 1 else f"{state.missed} times"
        return f"missing {times}, last {ago(state.missed_at, now)}: articles may have been missed"
    if not state.known_shares:
        return "not known yet"
    share = state.known_shares[0]
    return f"{share:.0%} of the last document was known before: nothing was missed"


def ago(instant: datetime | None, now: datetime) -> str:
    """Write how long ago an instant was."""
    return "never" if instant is None else f"{_long(max(now - instant, timedelta()))} ago"


def ahead(instant: datetime | None, now: datetime) -> str:
    """Write in how long an instant comes."""
    if instant is None or instant <= now:
        return "now"
    return f"in {_long(instant - now)}"


def _long(duration: timedelta) -> str:
    return f"{duration.days}d" if duration >= _LONG_AGO else in_words(duration)
