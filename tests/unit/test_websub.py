import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.feed import Document
from monitor.core.schedule import PollNext
from monitor.core.websub import (
    SAFETY_NET,
    HubLinks,
    HubState,
    HubSubscription,
    Verification,
    after_poll,
    after_push,
    asked_for,
    asking,
    hub_links,
    is_alive,
    is_signed,
    leaving,
    refused_by_hub,
    verify,
    with_hub,
)
from tests.factories import NOW

HUB, TOPIC = "https://hub.example/", "https://news.example/rss"
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
QUERY = {
    "hub.mode": "subscribe",
    "hub.topic": TOPIC,
    "hub.challenge": "c" * 20,
    "hub.lease_seconds": "86400",
}


def subscription(**changes: object) -> HubSubscription:
    defaults = {
        "feed_id": "one",
        "hub": HUB,
        "topic": TOPIC,
        "token": "secret-path",
        "state": HubState.ACTIVE,
        "act_at": NOW,
        "asked_at": NOW,
        "expires_at": NOW + DAY,
    }
    return HubSubscription(**defaults | changes)  # type: ignore[arg-type]


def links(body: str = "", header: str = "") -> HubLinks | None:
    headers = {"link": header} if header else {}
    return hub_links(Document(url=TOPIC, status=200, body=body.encode(), headers=headers))


@pytest.mark.parametrize(
    ("body", "header"),
    [
        ("", f'<{HUB}>; rel="hub", <{TOPIC}>; rel="self"'),
        ("", f"<{TOPIC}>;rel=self,<{HUB}> ; rel=hub; title=x"),
        ("", f'<{HUB}>; rel="hub"'),
        ("", f'<http://hub.example/>; rel="hub", <{HUB}>; rel="hub"'),
        (f'<feed><link rel="hub" href="{HUB}"/><link href="{TOPIC}" rel="self"/><entry/>', ""),
        (f"<rss><atom:link rel='hub' href='{HUB}'/><item/>", ""),
        (f'<feed><link rel="hub" href="{HUB}"/><link href="/rss" rel="self"/>', ""),
        (
            json.dumps({"feed_url": TOPIC, "hubs": [{"type": "WebSub", "url": HUB}], "items": []}),
            "",
        ),
        (json.dumps({"hubs": [{"type": "rssCloud"}, {"url": HUB, "type": "websub"}]}), ""),
        (f'{{"feed_url": "/rss", "hubs": [{{oops}}, {{"type": "WebSub", "url": "{HUB}"}}]}}', ""),
    ],
)
def test_hub_and_topic_are_found_in_the_headers_or_before_the_first_entry(
    body: str, header: str
) -> None:
    assert links(body, header) == HubLinks(HUB, TOPIC)


@pytest.mark.parametrize(
    ("body", "header"),
    [
        ("", ""),
        ("", f'<{TOPIC}>; rel="self"'),
        ("", '<gopher://hub.example/>; rel="hub"'),
        ("", '<http://[hub/>; rel="hub"'),
        ("", '<http://hub.example/a b>; rel="hub"'),
        ("", f'<{HUB}>; rel="hubs"'),
        (f'<feed><entry><link rel="hub" href="{HUB}"/></entry>', ""),
        (json.dumps({"hubs": [{"type": "WebSub", "url": 1}, 2], "feed_url": 3}), ""),
        (json.dumps({"items": [], "hubs": [{"type": "WebSub", "url": HUB}]}), ""),
        (f"<feed>{' ' * 70_000}<link rel='hub' href='{HUB}'/>", ""),
        ("<feed><link rel='hub'/><link href='/x'/>", ""),
    ],
)
def test_what_an_entry_says_or_is_no_address_is_no_hub(body: str, header: str) -> None:
    assert links(body, header) is None


@settings(deadline=None)
@given(st.binary(max_size=200), st.text(max_size=200))
def test_no_document_makes_discovery_fail(body: bytes, header: str) -> None:
    hub_links(Document(url=TOPIC, status=200, body=body, headers={"link": header}))


def test_a_subscription_is_asked_for_once_and_again_where_hub_or_topic_change() -> None:
    found = HubLinks(HUB, TOPIC)
    first = asked_for("one", found, "t", NOW, None)
    assert first
    assert (first.state, first.act_at) == (HubState.ASKED, NOW)
    assert asked_for("one", found, "t2", NOW, first) is None
    other = asked_for("one", HubLinks(HUB, TOPIC + "2"), "t2", NOW, first)
    assert other
    assert other.token == "t2"
    left = subscription(state=HubState.LEAVING)
    assert asked_for("one", found, "t2", NOW, left) == replace(first, token="t2")


NEW_HUB = "https://new-hub.example/"


def moved(**changes: object) -> HubSubscription:
    """Return what is asked for where a feed that is pushed names another hub."""
    wanted = asked_for("one", HubLinks(NEW_HUB, TOPIC), "new-path", NOW, subscription(**changes))
    assert wanted
    return wanted


def verified(asked: HubSubscription) -> HubSubscription:
    after = verify(asking(asked, NOW), asked.token, QUERY, NOW).after
    assert after
    return after


def test_an_old_hub_is_kept_until_the_new_one_has_verified() -> None:
    wanted = moved()
    assert (wanted.hub, wanted.former) == (NEW_HUB, subscription())
    assert wanted.due_at == NOW
    after = verified(wanted)
    assert after.former
    assert (after.state, after.former.state) == (HubState.ACTIVE, HubState.LEAVING)
    assert (after.due_at, after.former.attempts) == (NOW, 0)


def test_a_hub_that_promises_nothing_is_not_kept() -> None:
    assert moved(state=HubState.FAILED).former is None
    assert moved(expires_at=NOW).former is None


def test_of_hubs_that_follow_each_other_the_one_that_pushes_is_kept() -> None:
    third = HubLinks("https://third.example/", TOPIC)
    unverified = asked_for("one", third, "t3", NOW, moved())
    assert unverified
    assert unverified.former == subscription()
    after = verified(moved())
    beyond = asked_for("one", third, "t3", NOW, after)
    assert beyond
    assert beyond.former == replace(after, former=None)


def test_a_feed_that_names_its_old_hub_again_before_the_new_one_verified_is_where_it_was() -> None:
    assert asked_for("one", HubLinks(HUB, TOPIC), "t3", NOW, moved()) == subscription()
    back = asked_for("one", HubLinks(HUB, TOPIC), "t3", NOW, verified(moved()))
    assert back
    assert (back.token, back.former and back.former.hub) == ("t3", NEW_HUB)


def test_a_former_hub_is_answered_under_its_own_address() -> None:
    wanted = moved()
    again = verify(wanted, "secret-path", QUERY, NOW + HOUR)
    assert again.challenge
    assert again.after
    assert again.after.former
    assert (again.after.hub, again.after.former.expires_at) == (NEW_HUB, NOW + HOUR + DAY)
    denied = verify(wanted, "secret-path", QUERY | {"hub.mode": "denied"}, NOW)
    assert denied.after == replace(wanted, former=None)
    end = QUERY | {"hub.mode": "unsubscribe"}
    assert verify(wanted, "secret-path", end, NOW) == Verification(None)
    after = verified(wanted)
    ended = verify(after, "secret-path", end, NOW)
    assert (ended.challenge, ended.after, ended.ends) == (
        QUERY["hub.challenge"],
        replace(after, former=None),
        False,
    )


def test_a_new_hub_that_verifies_again_does_not_ask_the_old_one_anew() -> None:
    after = verified(moved())
    assert after.former
    left = leaving(after.former, NOW, "its feed names another hub")
    assert left
    assert left.attempts == 1
    renewed = verified(replace(after, former=left))
    assert renewed.former == left


def test_a_feed_that_goes_while_its_hub_changes_leaves_both() -> None:
    asked = moved()
    left = leaving(asked, NOW, "its feed was removed")
    assert left
    assert (left.hub, left.state, left.former) == (HUB, HubState.LEAVING, None)
    both = leaving(verified(asked), NOW, "its feed was removed")
    assert both
    assert both.former
    assert (both.hub, both.former.hub) == (NEW_HUB, HUB)
    assert {both.state, both.former.state} == {HubState.LEAVING}


def test_a_push_of_a_former_hub_is_its_own() -> None:
    after = after_push(moved(), "secret-path", NOW + HOUR)
    assert after.former
    assert (after.pushed_at, after.former.pushed_at) == (None, NOW + HOUR)


def test_a_hub_that_refuses_is_asked_ever_more_rarely() -> None:
    planned = subscription(state=HubState.ASKED, expires_at=None)
    waits = []
    for _ in range(14):
        planned = refused_by_hub(asking(planned, NOW), "HTTP 500", NOW)
        waits.append(planned.act_at - NOW)
    assert waits[:3] == [MINUTE, 2 * MINUTE, 4 * MINUTE]
    assert waits[-1] == DAY
    assert planned.state is HubState.FAILED


def test_a_renewal_that_fails_leaves_what_is_active() -> None:
    renewing = asking(subscription(), NOW)
    assert renewing.state is HubState.ACTIVE
    assert is_alive(refused_by_hub(renewing, "HTTP 500", NOW), NOW)


def test_a_verified_subscription_lives_as_long_as_the_hub_says_and_is_renewed_before() -> None:
    asked = subscription(state=HubState.ASKED, expires_at=None, attempts=3)
    answer = verify(asked, "secret-path", QUERY, NOW)
    assert answer.challenge == QUERY["hub.challenge"]
    assert answer.after
    assert answer.after.expires_at == NOW + DAY
    assert NOW + DAY / 2 < answer.after.act_at < NOW + DAY
    assert answer.after.attempts == 0


@pytest.mark.parametrize(
    ("kept", "token", "changes"),
    [
        (None, "secret-path", {}),
        (subscription(), "guessed", {}),
        (subscription(), "secret-path", {"hub.topic": HUB}),
        (subscription(), "secret-path", {"hub.mode": "unsubscribe"}),
        (subscription(), "secret-path", {"hub.challenge": ""}),
        (subscription(), "secret-path", {"hub.challenge": "x" * 1025}),
        (subscription(), "secret-path", {"hub.challenge": "\x00"}),
        (subscription(), "secret-path", {"hub.lease_seconds": "-1"}),
        (subscription(asked_at=None), "secret-path", {}),
        (subscription(state=HubState.DENIED), "secret-path", {}),
    ],
)
def test_what_we_did_not_ask_for_is_not_verified(
    kept: HubSubscription | None, token: str, changes: dict[str, str]
) -> None:
    assert verify(kept, token, QUERY | changes, NOW) == Verification(None)


@pytest.mark.parametrize(
    ("seconds", "lease"), [("1", MINUTE), ("86400", DAY), ("9999999999", 30 * DAY)]
)
def test_a_lease_is_kept_within_reason(seconds: str, lease: timedelta) -> None:
    answer = verify(subscription(), "secret-path", QUERY | {"hub.lease_seconds": seconds}, NOW)
    assert answer.after
    assert answer.after.expires_at == NOW + lease


def test_a_denial_is_believed_from_who_knows_our_address() -> None:
    denial = {"hub.mode": "denied", "hub.topic": TOPIC, "hub.reason": "line\nbreak"}
    answer = verify(subscription(), "secret-path", denial, NOW)
    assert answer.after
    assert (answer.after.state, answer.after.expires_at) == (HubState.DENIED, None)
    assert answer.after.detail == "denied by the hub: linebreak"


@settings(deadline=None)
@given(st.binary(), st.text(min_size=1), st.sampled_from(["sha1", "sha256", "sha384", "sha512"]))
def test_a_signature_is_of_this_body_and_this_secret(body: bytes, secret: str, method: str) -> None:
    key = secret.encode("utf-8", "replace").decode()
    signature = hmac.new(key.encode(), body, method).hexdigest()
    assert is_signed(f"{method}={signature.upper()}", body, key)
    assert not is_signed(f"{method}={signature}", body + b"x", key)
    assert not is_signed(f"{method}={signature}", body, key + "x")


@pytest.mark.parametrize("header", ["", "sha256", "sha256=", "md5=x", "sha3_256=x", "sha256=é"])
def test_what_is_no_signature_signs_nothing(header: str) -> None:
    assert not is_signed(header, b"", "secret")
    md5 = hmac.new(b"secret", b"", hashlib.md5).hexdigest()
    assert not is_signed(f"md5={md5}", b"", "secret")


FOLLOWING = PollNext(at=NOW + 15 * MINUTE, because="every 15m")


@pytest.mark.parametrize(
    ("kept", "at"),
    [
        (None, FOLLOWING.at),
        (subscription(), NOW + SAFETY_NET),
        (subscription(expires_at=NOW + HOUR), NOW + HOUR),
        (subscription(expires_at=NOW + MINUTE), FOLLOWING.at),
        (subscription(expires_at=NOW), FOLLOWING.at),
        (subscription(expires_at=None), FOLLOWING.at),
        (subscription(state=HubState.FAILED), FOLLOWING.at),
        (subscription(missed_at=NOW - HOUR), FOLLOWING.at),
        (subscription(missed_at=NOW - DAY), NOW + SAFETY_NET),
    ],
)
def test_polling_slows_down_only_while_the_hub_can_be_relied_on(
    kept: HubSubscription | None, at: object
) -> None:
    assert with_hub(FOLLOWING, kept, NOW).at == at


def test_news_that_was_not_pushed_is_held_against_a_hub_until_it_pushes() -> None:
    missed = after_poll(subscription(), found_news=True, now=NOW)
    assert missed.missed_at == NOW
    assert after_push(missed, missed.token, NOW + HOUR).missed_at is None
    assert after_poll(subscription(), found_news=False, now=NOW) == subscription()
    dead = subscription(expires_at=NOW)
    assert after_poll(dead, found_news=True, now=NOW) == dead
