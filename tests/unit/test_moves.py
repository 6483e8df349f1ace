"""Which address a feed is asked at."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.feed import Document
from monitor.core.model import FeedState
from monitor.core.moves import (
    STABLE_FOR,
    STABLE_POLLS,
    about,
    address_of,
    gave_up_address,
    moved,
    plain_address,
    serves,
)
from monitor.errors import FeedReason
from tests.factories import NOW, feed

THERE = "http://there.example/rss"
HOUR = timedelta(hours=1)
CONFIGURED = FeedState(configured="http://news.example/rss")


def answer(permanent: str | None = THERE) -> Document:
    return Document(url=permanent or "http://news.example/rss", status=200, permanent_url=permanent)


def after(polls: int, apart: timedelta, listed: dict[str, str] | None = None) -> FeedState:
    state = CONFIGURED
    for number in range(polls):
        state = moved(feed(), state, answer(), listed or {}, NOW + apart * number)
    return state


def test_permanent_redirect_is_kept_once_it_was_the_same_for_some_polls_and_days() -> None:
    assert after(STABLE_POLLS - 1, STABLE_FOR).address is None
    assert after(STABLE_POLLS, HOUR).address is None
    state = after(STABLE_POLLS, STABLE_FOR / (STABLE_POLLS - 1))
    assert (state.address, state.moving) == (THERE, None)
    assert address_of(feed(), state) == THERE


def test_redirect_that_changes_its_mind_begins_anew() -> None:
    state = after(STABLE_POLLS - 1, STABLE_FOR)
    elsewhere = moved(feed(), state, answer("http://elsewhere.example/"), {}, NOW)
    assert elsewhere.moving is not None
    assert elsewhere.moving.polls == 1
    assert moved(feed(), state, answer(None), {}, NOW).moving is None


def test_move_to_the_address_of_another_feed_is_named() -> None:
    assert after(STABLE_POLLS, STABLE_FOR, {THERE: "other"}).same_as == "other"
    assert after(STABLE_POLLS, STABLE_FOR, {THERE: feed().id}).same_as == ""


def test_who_else_is_asked_at_an_address_is_looked_up_at_each_poll() -> None:
    state = after(STABLE_POLLS, STABLE_FOR)
    joined = moved(feed(), state, answer(None), {THERE: "other"}, NOW)
    assert joined.same_as == "other"
    assert moved(feed(), joined, answer(None), {}, NOW) == state


OTHER = feed(id="other", url=THERE)
MOVED = FeedState(configured=feed().url, address=THERE, etag="1", body_hash="b")


@pytest.mark.parametrize("status", [200, 226, 304])
def test_a_document_serves_who_is_asked_there_and_knows_as_much(status: int) -> None:
    sent = Document(url=THERE, status=status)
    same = FeedState(etag="1", body_hash="b")
    assert serves(feed(), MOVED, sent, OTHER, same)
    assert serves(OTHER, same, sent, feed(), MOVED)
    assert serves(OTHER, FeedState(), sent, feed(), MOVED) is (status == 200)
    assert not serves(OTHER, same, sent, feed(), replace(MOVED, address=None))


@pytest.mark.parametrize("reason", [FeedReason.NOT_FOUND, FeedReason.GONE, FeedReason.DNS])
def test_address_at_which_there_is_nothing_is_given_up(reason: FeedReason) -> None:
    state = after(STABLE_POLLS, STABLE_FOR)
    assert address_of(feed(), gave_up_address(state, reason)) == feed().url


def test_address_at_which_something_went_wrong_is_kept() -> None:
    state = after(STABLE_POLLS, STABLE_FOR)
    assert gave_up_address(state, FeedReason.SERVER_ERROR) is state
    assert gave_up_address(CONFIGURED, FeedReason.NOT_FOUND) is CONFIGURED


def test_another_address_in_the_configuration_begins_anew_and_forgets_nothing_seen() -> None:
    state = FeedState(
        configured="http://old.example/rss",
        address=THERE,
        baseline_at=NOW,
        gone_at=NOW,
        failures=3,
        slowdown=4.0,
        not_before=NOW + HOUR,
    )
    assert address_of(feed(), state) == feed().url
    assert about(feed(), state) == FeedState(configured=feed().url, baseline_at=NOW)
    assert about(feed(), CONFIGURED) is CONFIGURED
    assert about(feed(), FeedState(gone_at=NOW)).gone_at == NOW


def test_password_is_not_remembered() -> None:
    assert plain_address("https://me:secret@news.example:8443/a?b#c") == (
        "https://news.example:8443/a?b"
    )
    assert plain_address("http://[broken") == ""
