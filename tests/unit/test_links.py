"""Links that act: what they say, and whom they believe."""

import base64
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.links import GOOD_FOR, BadLinkError, Link, LinkAction, Linker
from monitor.core.outcome import HoldReason
from monitor.core.secret import Secret
from monitor.core.stories import story_of
from tests.factories import NOW, alert, article, delivery, match
from tests.strategies import unhurried

KEY = Secret("a key for tests, of 32 characters")
LINKER = Linker("https://monitor.example/", KEY)


def link(**changes: object) -> Link:
    defaults = {
        "action": LinkAction.SNOOZE_RULE,
        "subscriber": "desk",
        "target_id": "desk/mail",
        "delivery_id": "d1",
        "expires_at": NOW + GOOD_FOR,
        "subject": "talks",
        "name": "Talks",
    }
    return Link(**defaults | changes)  # type: ignore[arg-type]


def token(url: str) -> str:
    assert url.startswith("https://monitor.example/l/")
    return url.removeprefix("https://monitor.example/l/")


def test_link_says_what_was_written() -> None:
    assert LINKER.read(token(LINKER.url(link())), NOW) == link()


def test_links_of_a_delivery_name_its_story_and_its_rule() -> None:
    told = delivery(target_id="desk/mail")
    links = LINKER.links(told)
    story = LINKER.read(token(links.snooze_story), NOW)
    assert (story.action, story.subject) == (
        LinkAction.SNOOZE_STORY,
        story_of(told.alert.article),
    )
    assert LINKER.read(token(links.snooze_rule), NOW) == link(expires_at=NOW + GOOD_FOR)
    for url, action in (
        (links.open, LinkAction.OPEN),
        (links.digest, LinkAction.DIGEST),
        (links.unsubscribe, LinkAction.UNSUBSCRIBE),
    ):
        read = LINKER.read(token(url), NOW)
        assert (read.action, read.subscriber, read.target_id) == (action, "desk", "desk/mail")


def test_links_are_the_same_on_every_attempt() -> None:
    assert LINKER.links(delivery(attempts=1)) == LINKER.links(delivery(attempts=5))


def test_digest_has_no_link_for_one_story_and_none_to_what_it_is() -> None:
    links = LINKER.links(delivery(alerts=(alert(), alert()), because=HoldReason.DIGEST))
    assert (links.snooze_story, links.snooze_rule, links.digest) == ("", "", "")
    assert links.open
    assert links.unsubscribe


def test_alert_without_matches_has_no_rule_to_snooze() -> None:
    assert LINKER.links(delivery(alert=alert(matches=()))).snooze_rule == ""


def test_link_ends_when_it_says() -> None:
    url = LINKER.url(link(expires_at=NOW))
    assert LINKER.read(token(url), NOW - timedelta(seconds=1)).expires_at == NOW
    with pytest.raises(BadLinkError, match="good until 2026-01-15"):
        LINKER.read(token(url), NOW)


def test_link_of_another_key_is_refused() -> None:
    other = Linker("https://monitor.example", Secret("another key of 32 characters or so"))
    with pytest.raises(BadLinkError, match="not complete"):
        other.read(token(LINKER.url(link())), NOW)


@unhurried
@given(st.data())
def test_link_with_any_character_changed_is_refused(data: st.DataObject) -> None:
    whole = token(LINKER.url(link()))
    at = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.sampled_from("ABab09-_.=%é"))
    changed = whole[:at] + other + whole[at + 1 :]
    try:
        # The last character of base64 may stand for the same bytes as its neighbours.
        assert LINKER.read(changed, NOW) == link()
        assert base64.urlsafe_b64decode(whole[-22:] + "==") == base64.urlsafe_b64decode(
            changed[-22:] + "=="
        )
    except BadLinkError:
        assert changed != whole


@pytest.mark.parametrize("text", ["", ".", "x", "..", "é.é", "a" * 5000, "QQ.QQ", "\x00.\x00"])
def test_what_is_no_link_is_refused(text: str) -> None:
    with pytest.raises(BadLinkError):
        LINKER.read(text, NOW)


@pytest.mark.parametrize("said", [b"no JSON", b"[]", b'["fly","a","b","c",1,"",""]', b'{"a":1}'])
def test_signed_nonsense_is_refused(said: bytes) -> None:
    body = base64.urlsafe_b64encode(said).rstrip(b"=").decode()
    signature = base64.urlsafe_b64encode(LINKER._sign(said)).rstrip(b"=").decode()
    with pytest.raises(BadLinkError, match="another release"):
        LINKER.read(f"{body}.{signature}", NOW)


def test_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 32"):
        Linker("https://monitor.example", Secret("short"))


def test_names_too_long_for_a_link_have_none() -> None:
    links = LINKER.links(delivery(target_id="x" * 3000))
    assert links.open == ""


def test_story_without_printable_letters_has_a_link() -> None:
    strange = alert(article=article(id="\ud800", title="\ud800\x00"), matches=(match(),))
    read = LINKER.read(token(LINKER.links(delivery(alert=strange)).snooze_story), NOW)
    assert read.name == ""
    assert json.dumps(read.subject)
