"""WebSub: publishers that push. What is subscribed to where, when to ask again, and what may be believed.

The rules are those of the W3C Recommendation (https://www.w3.org/TR/websub/), numbers of sections refer to it.
A feed that is pushed is still polled, rarely: a hub may forget us, and nobody would notice.
"""

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from html import unescape
from urllib.parse import urljoin, urlsplit

from monitor.core.feed import Document
from monitor.core.schedule import PollNext, in_words

LEASE = timedelta(days=10)  # what we ask for; the hub decides
SAFETY_NET = timedelta(hours=6)
LONGEST_CHALLENGE = 1024

_LEAST_LEASE, _MOST_LEASE = timedelta(minutes=1), timedelta(days=30)
_ANSWER_WITHIN = timedelta(minutes=10)  # for a hub to verify what we asked for
_FIRST_RETRY, _LONGEST_RETRY = timedelta(minutes=1), timedelta(days=1)
_AFTER_DENIAL = timedelta(days=7)
_MOST_FAREWELLS = 5
_DISTRUST = timedelta(days=1)
_RENEW_BEFORE = 0.1  # of the lease
_LOOKED_THROUGH = 64 * 1024  # bytes in front of the first entry
_LONGEST_ADDRESS = 2000
_METHODS = ("sha1", "sha256", "sha384", "sha512")
_LINK_HEADER = re.compile(r"""<([^<>]*)>\s*;([^<]*)""")
_REL = re.compile(r"""\brel\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;,>"']+))""", re.IGNORECASE)
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_LINK_TAG = re.compile(r"<(?:[\w.-]+:)?link\b([^<>]*)>", re.IGNORECASE)
_FIRST_ENTRY = re.compile(rb"<(?:[\w.-]+:)?(?:item|entry)\b|\"items\"\s*:", re.IGNORECASE)
_JSON_HUBS = re.compile(r'"hubs"\s*:\s*\[([^\[\]]*)\]')
_JSON_OBJECT = re.compile(r"\{[^{}]*\}")
_JSON_SELF = re.compile(r'"feed_url"\s*:\s*("(?:[^"\\]|\\.)*")')
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class HubLinks:
    """Where a document says that it is pushed from, and under which name."""

    hub: str
    topic: str


class HubState(StrEnum):
    """Where a subscription stands."""

    ASKED = "asked"  # the hub has to verify it
    ACTIVE = "active"
    FAILED = "failed"  # the hub did not take the request, or never verified it
    DENIED = "denied"
    LEAVING = "leaving"  # the hub has to verify that we want no more pushes


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSubscription:
    """What a feed's hub was asked for, and what became of it.

    `token` is the part of our address that nobody else knows. Until `expires_at` the hub pushes; `act_at` is when to
    ask it again. `pushed_at` is its last push that was believed; `missed_at` when a poll found what it had not pushed.
    `former` is what was subscribed to where the feed named another hub: believed until this one is verified, and then
    left. It has no former itself.
    """

    feed_id: str
    hub: str
    topic: str
    token: str
    state: HubState = HubState.ASKED
    act_at: datetime
    asked_at: datetime | None = None
    attempts: int = 0
    expires_at: datetime | None = None
    pushed_at: datetime | None = None
    missed_at: datetime | None = None
    detail: str = ""
    former: "HubSubscription | None" = None

    @property
    def due_at(self) -> datetime:
        """When to ask a hub again, this one or the former."""
        former = self.former
        is_left = former is not None and former.state is HubState.LEAVING
        return min(self.act_at, former.act_at) if former and is_left else self.act_at


# --- discover (section 4) ---


def hub_links(document: Document) -> HubLinks | None:
    """Return the hub and the topic that a document names, in its headers or else before its first entry."""
    hubs, topics = _in_headers(document)
    if not hubs:
        hubs, topics = _in_body(document)
    hub = next((each for each in sorted(hubs, key=lambda url: not _is_secure(url))), None)
    if hub is None:
        return None
    return HubLinks(hub=hub, topic=topics[0] if topics else document.url)


def _in_headers(document: Document) -> tuple[list[str], list[str]]:
    header = document.headers.get("link", "")
    pairs = [(found[1], found[2]) for found in _LINK_HEADER.finditer(header[:8192])]
    return _sorted_out(document.url, pairs)


def _in_body(document: Document) -> tuple[list[str], list[str]]:
    head = document.body[:_LOOKED_THROUGH]
    first = _FIRST_ENTRY.search(head)
    text = head[: first.start() if first else None].decode("latin-1")
    if text.lstrip("\xef\xbb\xbf \t\r\n").startswith("{"):
        return _in_json(document.url, text)
    pairs = []
    for tag in _LINK_TAG.finditer(text):
        href = _HREF.search(tag[1])
        if href:
            pairs.append((unescape(href[1] or href[2] or ""), tag[1]))
    return _sorted_out(document.url, pairs)


def _in_json(base: str, text: str) -> tuple[list[str], list[str]]:
    """Read `hubs` and `feed_url` of a JSON Feed (jsonfeed.org/version/1.1), of which only the beginning is at hand."""
    hubs = _JSON_HUBS.search(text)
    listed = [_loaded(each) for each in _JSON_OBJECT.findall(hubs[1])] if hubs else []
    kinds = [each for each in listed if isinstance(each, dict)]
    urls = [each.get("url") for each in kinds if str(each.get("type")).lower() == "websub"]
    own = _JSON_SELF.search(text)
    topic = _loaded(own[1]) if own else None
    return (
        [found for url in urls if isinstance(url, str) and (found := _absolute(base, url))],
        [found for url in (topic,) if isinstance(url, str) and (found := _absolute(base, url))],
    )


def _loaded(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return None
    return value


def _sorted_out(base: str, pairs: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Return the addresses of hubs and those of the document itself."""
    found: dict[str, list[str]] = {"hub": [], "self": []}
    for address, attributes in pairs:
        rel = _REL.search(attributes)
        names = (rel[1] or rel[2] or rel[3] or "").lower().split() if rel else []
        absolute = _absolute(base, address)
        for name in names:
            if absolute and name in found:
                found[name].append(absolute)
    return found["hub"], found["self"]


def _absolute(base: str, address: str) -> str:
    try:
        url = urljoin(base, address.strip())
        is_web = urlsplit(url).scheme in {"http", "https"} and bool(urlsplit(url).hostname)
    except ValueError:
        return ""
    return url if is_web and len(url) <= _LONGEST_ADDRESS and _PRINTABLE.fullmatch(url) else ""


def _is_secure(url: str) -> bool:
    return url.startswith("https://")


# --- subscribe and renew (section 5) ---


def asked_for(
    feed_id: str, links: HubLinks, token: str, now: datetime, before: HubSubscription | None
) -> HubSubscription | None:
    """Return the subscription that a document calls for; None when there is nothing to change."""
    kept = before if before and before.state is not HubState.LEAVING else None
    if kept and _is_at(kept, links):
        return None
    former = kept.former if kept else None
    if former and former.state is not HubState.LEAVING and _is_at(former, links):
        return former  # the feed names again what it named before, and nothing was left meanwhile
    if kept and is_alive(kept, now):
        former = replace(kept, former=None)
    return HubSubscription(
        feed_id=feed_id,
        hub=links.hub,
        topic=links.topic,
        token=token,
        act_at=now,
        former=former,
    )


def _is_at(subscription: HubSubscription, links: HubLinks) -> bool:
    return (subscription.hub, subscription.topic) == (links.hub, links.topic)


def asking(subscription: HubSubscription, now: datetime) -> HubSubscription:
    """Return the subscription as the hub is asked for it: what is active stays so meanwhile."""
    state = HubState.ACTIVE if is_alive(subscription, now) else HubState.ASKED
    return replace(
        subscription,
        state=state,
        asked_at=now,
        act_at=now + max(_ANSWER_WITHIN, _back_off(subscription.attempts + 1)),
        attempts=subscription.attempts + 1,
        detail="the hub has not verified it yet",
    )


def refused_by_hub(subscription: HubSubscription, detail: str, now: datetime) -> HubSubscription:
    """Return the subscription after a request that the hub did not take."""
    alive = is_alive(subscription, now)
    return replace(
        subscription,
        state=HubState.ACTIVE if alive else HubState.FAILED,
        act_at=now + _back_off(subscription.attempts),
        detail=detail,
    )


def leaving(subscription: HubSubscription, now: datetime, because: str) -> HubSubscription | None:
    """Return a subscription as the hub is asked to end it.

    Of one that can be forgotten, because the hub promises nothing or was asked often enough, the former is left
    instead, or None.
    """
    asked = subscription.attempts if subscription.state is HubState.LEAVING else 0
    may_push = subscription.asked_at is not None and subscription.state in {
        HubState.ASKED,
        HubState.ACTIVE,
        HubState.LEAVING,
    }
    is_over = subscription.expires_at is not None and subscription.expires_at <= now
    if not may_push or is_over or asked >= _MOST_FAREWELLS:
        return leaving(subscription.former, now, because) if subscription.former else None
    return replace(
        subscription,
        state=HubState.LEAVING,
        act_at=now + max(_ANSWER_WITHIN, _back_off(asked + 1)),
        attempts=asked + 1,
        detail=f"asked to push no more, because {because}",
        former=_to_be_left(subscription.former, now),
    )


def _to_be_left(former: HubSubscription | None, now: datetime) -> HubSubscription | None:
    """Return what was subscribed to before, to be left from now on; as it is when it is being left."""
    if former is None or former.state is HubState.LEAVING:
        return former
    return replace(former, state=HubState.LEAVING, act_at=now, attempts=0)


def _back_off(attempts: int) -> timedelta:
    return min(_FIRST_RETRY * (1 << min(max(attempts - 1, 0), 16)), _LONGEST_RETRY)


def is_alive(subscription: HubSubscription, now: datetime) -> bool:
    """Tell whether the hub has promised to push now."""
    return (
        subscription.state is HubState.ACTIVE
        and subscription.expires_at is not None
        and now < subscription.expires_at
    )


# --- verify (section 5.3) ---


@dataclass(frozen=True, slots=True)
class Verification:
    """What a hub is answered: `challenge` to echo, or None for 404; and the subscription after it, if it changed.

    When it `ends`, nothing is left of the subscription.
    """

    challenge: str | None
    after: HubSubscription | None = None
    ends: bool = False


def verify(
    subscription: HubSubscription | None, token: str, query: Mapping[str, str], now: datetime
) -> Verification:
    """Decide what to answer a hub that asks whether we want this subscription, or its end.

    Only what we asked for, under its own address and for its topic, is confirmed. A hub may ask again later.
    """
    asked = known_by(subscription, token) if subscription else None
    if subscription is None or asked is None:
        return Verification(None)
    answer = _answer(asked, query, now)
    return answer if asked is subscription else _of_former(subscription, answer)


def _answer(subscription: HubSubscription, query: Mapping[str, str], now: datetime) -> Verification:
    refusal = Verification(None)
    if query.get("hub.topic") != subscription.topic:
        return refusal
    mode = query.get("hub.mode")
    if subscription.state is HubState.LEAVING:
        return _verify_end(mode, query.get("hub.challenge", ""))
    if mode == "denied":
        why = "".join(query.get("hub.reason", "no reason given")[:200].split("\n"))
        denied = replace(
            subscription,
            state=HubState.DENIED,
            expires_at=None,
            act_at=now + _AFTER_DENIAL,
            detail=f"denied by the hub: {why}",
        )
        return Verification("", denied)
    challenge = query.get("hub.challenge", "")
    is_wanted = subscription.asked_at is not None and subscription.state in {
        HubState.ASKED,
        HubState.ACTIVE,
    }
    lease = _lease(query.get("hub.lease_seconds", ""))
    if mode != "subscribe" or not _is_good(challenge) or not is_wanted or lease is None:
        return refusal
    verified = replace(
        subscription,
        state=HubState.ACTIVE,
        attempts=0,
        expires_at=now + lease,
        act_at=now + lease * (1 - _RENEW_BEFORE),
        detail="",
        former=_to_be_left(subscription.former, now),
    )
    return Verification(challenge, verified)


def _of_former(subscription: HubSubscription, answer: Verification) -> Verification:
    """Return what a former hub is answered, with what becomes of the subscription that follows it."""
    if answer.after is None and not answer.ends:
        return answer
    is_over = answer.after is None or answer.after.state is HubState.DENIED
    former = None if is_over else answer.after
    return Verification(answer.challenge, replace(subscription, former=former))


def _verify_end(mode: str | None, challenge: str) -> Verification:
    if mode == "denied":
        return Verification("", ends=True)
    if mode != "unsubscribe" or not _is_good(challenge):
        return Verification(None)
    return Verification(challenge, ends=True)


def _is_good(challenge: str) -> bool:
    return len(challenge) <= LONGEST_CHALLENGE and _PRINTABLE.fullmatch(challenge) is not None


def _lease(text: str) -> timedelta | None:
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) == 0:
        return None
    return min(max(timedelta(seconds=int(text)), _LEAST_LEASE), _MOST_LEASE)


# --- believe (section 7.1) ---


def knows(subscription: HubSubscription, token: str) -> bool:
    """Tell whether whoever came to our address was given it."""
    return hmac.compare_digest(subscription.token.encode(), token.encode("utf-8", "replace"))


def known_by(subscription: HubSubscription, token: str) -> HubSubscription | None:
    """Return the subscription whose hub was given this address: this one, the former, or None."""
    parts = (subscription, subscription.former)
    return next((each for each in parts if each and knows(each, token)), None)


def is_signed(header: str, body: bytes, secret: str) -> bool:
    """Tell whether `X-Hub-Signature` is that of the body with our secret, by any of the four methods."""
    method, _, signature = header.strip().partition("=")
    if method.lower() not in _METHODS:
        return False
    expected = hmac.new(secret.encode(), body, method.lower()).hexdigest()
    return hmac.compare_digest(
        expected.encode(), signature.strip().lower().encode("utf-8", "replace")
    )


def after_push(subscription: HubSubscription, token: str, now: datetime) -> HubSubscription:
    """Return the subscription after a push to this address that was believed."""
    if subscription.former and knows(subscription.former, token):
        return replace(subscription, former=replace(subscription.former, pushed_at=now))
    return replace(subscription, pushed_at=now, missed_at=None)


# --- the safety net ---


def after_poll(
    subscription: HubSubscription, *, found_news: bool, now: datetime
) -> HubSubscription:
    """Return the subscription after a poll: news that was not pushed says that the hub cannot be relied on."""
    if not found_news or not is_alive(subscription, now):
        return subscription
    return replace(subscription, missed_at=now)


def with_hub(following: PollNext, subscription: HubSubscription | None, now: datetime) -> PollNext:
    """Put off the next poll while a hub pushes; never beyond the end of what the hub promised."""
    if subscription is None or not is_alive(subscription, now) or subscription.expires_at is None:
        return following
    if subscription.missed_at is not None and now - subscription.missed_at < _DISTRUST:
        return following
    at = min(now + SAFETY_NET, subscription.expires_at)
    if at <= following.at:
        return following
    because = f"pushed by its hub; polled every {in_words(SAFETY_NET)} to be sure"
    return PollNext(at=at, because=because, not_before=following.not_before)
