"""What follows from one poll: the articles that are new or edited, what to remember, and when to come back."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypedDict

from monitor.core.chapter import Chapter
from monitor.core.feed import Document, Entry, ParsedArticle, ParsedFeed, Wishes
from monitor.core.freshness import max_age, says_freshness
from monitor.core.identity import (
    Identity,
    Outline,
    Verdict,
    article_id,
    canonical_url,
    fingerprint,
    flat,
    judge,
    keys_of,
    outline_of,
)
from monitor.core.model import Article, ArticleKind, Feed, FeedState
from monitor.core.moves import about, gave_up_address, moved
from monitor.core.outcome import Suppression
from monitor.core.rhythm import Overlap, learn, learn_unchanged
from monitor.core.schedule import (
    UNRESTRAINED,
    PollNext,
    Restraint,
    after_failure,
    after_success,
    jitter,
    recovered,
    restraint_after,
    slowed,
    weight_of,
)
from monitor.core.trouble import notices_after
from monitor.errors import FeedError, FeedReason

_LATE_AGE = timedelta(hours=24)
_IM_USED = 226
_MOST_SILENT = 200  # chapters of one poll, so that a long first document does not fill the store
_ERRORS_KEPT = timedelta(days=7)
_BUSY = timedelta(seconds=30)
_NONE_LISTED: Mapping[str, str] = MappingProxyType({})


class _Scheduled(TypedDict):
    state: FeedState
    next: PollNext
    notices: tuple[Article, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PollDecision:
    """Everything that follows from one poll; carrying it out is the caller's.

    `keys` are those of the whole document, `articles` stand oldest first. `suppressed` counts the entries that were not
    known before and yet are not matched, by reason; `silent` are the newest of them for the archive, oldest first.
    `notices` are articles about the feed, for its operator. `restraint` concerns all feeds of its domain.
    """

    state: FeedState
    next: PollNext
    keys: tuple[int, ...] = ()
    articles: tuple[Article, ...] = ()
    suppressed: Mapping[Suppression, int] = field(default_factory=dict)
    silent: tuple[Chapter, ...] = ()
    notices: tuple[Article, ...] = ()
    restraint: Restraint = UNRESTRAINED


def is_unchanged(state: FeedState, document: Document) -> bool:
    """Tell whether the document is the one before: the server says so, or it sent the same bytes again."""
    return document.not_modified or (
        document.status != _IM_USED and state.body_hash == document.body_hash
    )


def document_keys(parsed: ParsedFeed) -> tuple[int, ...]:
    """Return the keys of all entries: which of them are known is what `decide` has to be told."""
    return flat(map(keys_of, parsed.entries()))


def decide(
    feed: Feed,
    state: FeedState,
    document: Document,
    parsed: ParsedFeed,
    known: frozenset[int],
    *,
    now: datetime,
    trace_id: str,
    listed: Mapping[str, str] = _NONE_LISTED,
) -> PollDecision:
    """Decide about a document that was parsed; `known` are those of its keys that were seen in this feed.

    All keys of what is standing are among them. `listed` are the addresses of all feeds, with their ids.
    """
    entries = parsed.entries()
    outline = outline_of(entries, shared_urls=state.shared_urls)
    changed = _changed(entries, outline, known)
    found = _unknown(changed, known)
    late = _late_places(entries, changed, known, now)
    reasons = _reasons(feed, state, found, late, now)
    told = [each for each in found if each[0] not in reasons]
    articles = tuple(
        _article(feed, parsed, one, verdict, now=now, trace_id=trace_id)
        for _, one, verdict in _oldest_first(told)
    )
    untold = [each for each in found if each[0] in reasons]
    silent = tuple(
        Chapter(
            article=_article(feed, parsed, one, verdict, now=now, trace_id=trace_id),
            suppressed=reasons[place],
        )
        for place, one, verdict in _oldest_first(untold)[-_MOST_SILENT:]
    )
    whole = parsed.complete and document.status != _IM_USED
    after = learn(about(feed, state), _overlap(entries, found, whole=whole), now)
    after = replace(
        _succeeded(feed, after, document, listed, now),
        **_advanced(document, parsed),
        baseline_at=state.baseline_at or now,
        shared_urls=state.shared_urls or outline.has_shared_urls(),
        changed_at=now if found else state.changed_at,
    )
    return PollDecision(
        **_scheduled(feed, state, after, now),
        keys=flat(outline.keys),
        articles=articles,
        suppressed=Counter(reasons.values()),
        silent=silent,
    )


def decide_unchanged(
    feed: Feed,
    state: FeedState,
    document: Document,
    now: datetime,
    listed: Mapping[str, str] = _NONE_LISTED,
) -> PollDecision:
    """Decide about an answer that brought nothing new: a 304, or the same bytes again.

    Its validators replace the remembered ones as far as it has any (RFC 9111, section 4.3.4).
    """
    after = replace(
        _succeeded(feed, learn_unchanged(about(feed, state)), document, listed, now),
        url=document.url,
        etag=document.etag or state.etag,
        last_modified=document.last_modified or state.last_modified,
    )
    return PollDecision(**_scheduled(feed, state, after, now))


def decide_pushed(
    feed: Feed,
    state: FeedState,
    document: Document,
    parsed: ParsedFeed,
    known: frozenset[int],
    *,
    now: datetime,
    trace_id: str,
) -> PollDecision:
    """Decide about a document that a hub pushed: what is new in it is told, as after a poll.

    It says nothing of what the feed's own server would answer, so validators, rhythm and the next poll stay.
    """
    decision = decide(feed, state, document, parsed, known, now=now, trace_id=trace_id)
    after = replace(
        state,
        baseline_at=decision.state.baseline_at,
        shared_urls=decision.state.shared_urls,
        changed_at=decision.state.changed_at,
    )
    return replace(
        decision,
        state=after,
        next=PollNext(at=state.next_poll_at or now, because=state.because),
        notices=(),
    )


def decide_failed(feed: Feed, state: FeedState, error: FeedError, now: datetime) -> PollDecision:
    """Decide about a poll that brought nothing that can be used. Validators and all that is known stay."""
    after = _failed(about(feed, state), error, now)
    following = after_failure(feed, after, error, now)
    after = _planned(after, following)
    notices, after = notices_after(feed, state, after, now)
    return PollDecision(
        state=after,
        next=following,
        notices=notices,
        restraint=restraint_after(feed, error.reason, error.retry_after, now),
    )


def decide_too_early(feed: Feed, state: FeedState, now: datetime) -> PollDecision | None:
    """Decide to ask later, when the feed is due before its server wants to be asked again; None if it is not.

    That happens when a feed is switched off and on, or its interval is changed. A last poll in the future says that the
    clock was wrong, and so is everything that was reckoned with it.
    """
    wait_until = about(feed, state).not_before
    is_early = state.polled_at is not None and state.polled_at <= now and wait_until is not None
    if not is_early or wait_until is None or wait_until <= now:
        return None
    because = state.because or "the server asks not to be asked before"
    return PollDecision(state=state, next=PollNext(at=wait_until, because=because))


def decide_busy(state: FeedState, now: datetime) -> PollDecision:
    """Decide to ask later, because the host does not answer those who asked before."""
    following = PollNext(at=now + _BUSY, because="its host has not answered other requests yet")
    after = replace(state, next_poll_at=following.at, because=following.because)
    return PollDecision(state=after, next=following)


# An entry with its place in the document and what it is.
_Found = tuple[int, Identity, Verdict]


def _changed(
    entries: Sequence[Entry], outline: Outline, known: frozenset[int]
) -> list[tuple[int, Identity]]:
    """Return the entries that have a key which was not seen in their feed, with their places: all others are known."""
    return [
        (place, outline.identity(place, entry))
        for place, entry in enumerate(entries)
        if isinstance(entry, ParsedArticle) and not known.issuperset(outline.keys[place].present())
    ]


def _unknown(changed: Sequence[tuple[int, Identity]], known: frozenset[int]) -> list[_Found]:
    """Return the entries that are new or edited. An entry that repeats an earlier one of the document is known."""
    seen = set(known)
    found: list[_Found] = []
    for place, one in changed:
        verdict = judge(one, seen)
        if verdict is not Verdict.KNOWN:
            found.append((place, one, verdict))
        seen.update(one.keys.present())
    return found


def _late_places(
    entries: Sequence[Entry],
    changed: Sequence[tuple[int, Identity]],
    known: frozenset[int],
    now: datetime,
) -> frozenset[int]:
    """Return the places below the last known entry whose dates are older than all that is known, and than a day.

    When a publisher deletes entries, older ones slide back into the window of the feed (bitbot #83).
    """
    if not changed:
        return frozenset()
    fresh = {place for place, one in changed if judge(one, known) is Verdict.NEW}
    familiar = [place for place in range(len(entries)) if place not in fresh]
    if not familiar or changed[-1][0] < familiar[-1]:
        return frozenset()
    dates = _dates([entries[place] for place in familiar])
    if not dates:
        return frozenset()
    last, oldest = familiar[-1], min([*dates, now - _LATE_AGE])
    return frozenset(
        place
        for place, one in changed
        if place > last and one.entry.published_at is not None and one.entry.published_at < oldest
    )


def _reasons(
    feed: Feed,
    state: FeedState,
    found: Sequence[_Found],
    late: frozenset[int],
    now: datetime,
) -> dict[int, Suppression]:
    """Return why entries are not matched, by their places; those that are matched are absent."""
    reasons: dict[int, Suppression] = {}
    for place, one, _ in found:
        if _is_backlog(feed, state, one.entry, now):
            reasons[place] = Suppression.BASELINE
        elif place in late:
            reasons[place] = Suppression.LATE
    return reasons


def _is_backlog(feed: Feed, state: FeedState, entry: ParsedArticle, now: datetime) -> bool:
    if state.baseline_at is None:
        start = None if feed.since is None else now - feed.since
    elif state.changed_at is None:
        # The first documents were empty. Either the feed is as young as that, or it was broken when we met it.
        start = state.baseline_at - (feed.since or timedelta(0))
        if entry.published_at is None:
            return False
    else:
        return False
    return start is None or entry.published_at is None or entry.published_at < start


def _oldest_first(found: Sequence[_Found]) -> list[_Found]:
    """Order by date where all have one, else from the end of the document, where feeds keep what is old."""
    backwards = list(reversed(found))
    dates = {place: one.entry.published_at for place, one, _ in backwards}
    known_dates = {place: date for place, date in dates.items() if date is not None}
    if len(known_dates) < len(dates):
        return backwards
    return sorted(backwards, key=lambda each: known_dates[each[0]])


def _article(
    feed: Feed,
    parsed: ParsedFeed,
    one: Identity,
    verdict: Verdict,
    *,
    now: datetime,
    trace_id: str,
) -> Article:
    entry = one.entry
    address = canonical_url(entry.url)
    return Article(
        id=article_id(feed.id, one, address),
        feed_id=feed.id,
        url=address,
        title=entry.title,
        summary=entry.summary,
        body=entry.body,
        author=entry.author,
        lang=feed.lang or entry.lang or parsed.lang,
        tags=entry.tags,
        country=feed.country,
        category=feed.category,
        feed_name=feed.name,
        published_at=entry.published_at,
        seen_at=now,
        kind=ArticleKind.EDITED if verdict is Verdict.EDITED else ArticleKind.NEW,
        fingerprint=fingerprint(one.keys),
        trace_id=trace_id,
    )


def _overlap(entries: Sequence[Entry], found: Sequence[_Found], *, whole: bool) -> Overlap:
    fresh = sum(verdict is Verdict.NEW for *_, verdict in found)
    return Overlap(
        entries=len(entries), known=len(entries) - fresh, dates=_dates(entries), whole=whole
    )


def _dates(entries: Sequence[Entry]) -> list[datetime]:
    return [entry.published_at for entry in entries if entry.published_at is not None]


def _succeeded(
    feed: Feed, state: FeedState, document: Document, listed: Mapping[str, str], now: datetime
) -> FeedState:
    fresh_for = state.fresh_for
    if says_freshness(document.headers):
        fresh_for = max_age(document.headers)
    after = replace(
        recovered(moved(feed, state, document, listed, now), now),
        polled_at=now,
        succeeded_at=now,
        failures=0,
        failing_since=None,
        weight=0.0,
        reason=None,
        detail="",
        gone_at=None,
        fresh_for=fresh_for,
    )
    if state.errors_since is not None and now - state.errors_since > _ERRORS_KEPT:
        after = replace(after, errors={}, errors_since=None)
    return after


def _failed(state: FeedState, error: FeedError, now: datetime) -> FeedState:
    after = gave_up_address(state, error.reason)
    is_gone = error.reason is FeedReason.GONE and state.address is None
    after = replace(
        after,
        polled_at=now,
        failures=state.failures + 1,
        failing_since=state.failing_since or now,
        weight=state.weight + weight_of(error.reason),
        reason=error.reason,
        detail=error.detail,
        errors={**state.errors, error.reason: state.errors.get(error.reason, 0) + 1},
        errors_since=state.errors_since or now,
        gone_at=(state.gone_at or now) if is_gone else None,
    )
    if error.reason is FeedReason.RATE_LIMITED and error.retry_after is None:
        return slowed(after, now)
    return after


def _scheduled(feed: Feed, before: FeedState, after: FeedState, now: datetime) -> _Scheduled:
    """Return the parts of the decision that say when to come back, and what to tell the operator."""
    following = after_success(feed, after, now)
    if before.baseline_at is None and following.not_before is None:
        # From here on feeds that were listed together are polled apart.
        wait = following.at - now
        spread = wait * (1 + jitter(feed.id, 0)) / 2
        following = replace(following, at=now + spread)
    after = _planned(after, following)
    notices, after = notices_after(feed, before, after, now)
    return {"state": after, "next": following, "notices": notices}


def _planned(state: FeedState, following: PollNext) -> FeedState:
    return replace(
        state,
        next_poll_at=following.at,
        because=following.because,
        not_before=following.not_before,
    )


class _Advanced(TypedDict, total=False):
    url: str
    etag: str | None
    last_modified: str | None
    body_hash: str | None
    wishes: Wishes


def _advanced(document: Document, parsed: ParsedFeed) -> _Advanced:
    """Return the validators to remember of a document that is whole and has entries; of any other none.

    Those of a broken or empty one would turn the next answer into a 304 and hide what is missing.
    """
    if not parsed.complete or not parsed.articles:
        return {}
    return _Advanced(
        url=document.url,
        etag=document.etag,
        last_modified=document.last_modified,
        # A 226 carries only what changed, so that its bytes say nothing about the next whole document.
        body_hash=None if document.status == _IM_USED else document.body_hash,
        wishes=parsed.wishes,
    )
