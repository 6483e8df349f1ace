from datetime import timedelta

from monitor.core.matchers import Matcher, Operator, Subject, parse_matchers
from monitor.core.silences import (
    Silence,
    concerning,
    expired,
    kept_until,
    new_silence,
    silenced_by,
    snooze,
    subscriber_of,
)
from monitor.core.stories import story_of
from tests.factories import NOW, article, match

HOUR = timedelta(hours=1)
ABOUT = Subject(article(), match(), "desk", "desk/slack")


def silence(matchers: str = "rule=talks", begins: int = 0, hours: int = 1) -> Silence:
    starts_at = NOW + begins * HOUR
    return new_silence(
        parse_matchers(matchers),
        starts_at=starts_at,
        ends_at=starts_at + hours * HOUR,
        author="ana",
        comment="known",
    )


def test_silence_is_in_force_from_its_start_until_its_end() -> None:
    later = silence(begins=1)
    assert [later.status(NOW + n * HOUR / 2) for n in (0, 1, 2, 3, 4)] == [
        *("pending", "pending", "active", "active", "expired")
    ]
    assert silenced_by([later], ABOUT, NOW) is None
    assert silenced_by([later], ABOUT, NOW + HOUR) is later
    assert silenced_by([later], ABOUT, NOW + 2 * HOUR) is None


def test_silence_needs_every_matcher() -> None:
    assert silenced_by([silence("rule=talks, lang=en")], ABOUT, NOW)
    assert not silenced_by([silence("rule=talks, lang=fr")], ABOUT, NOW)
    assert silenced_by([silence('rule=~"t.*", severity!=critical')], ABOUT, NOW)


def test_silence_that_asks_nothing_or_cannot_be_understood_keeps_nothing_back() -> None:
    for matchers in ((), (Matcher("rule", Operator.MATCHES, "(x"),)):
        odd = new_silence(matchers, starts_at=NOW, ends_at=NOW + HOUR, author="ana")
        assert silenced_by([odd], ABOUT, NOW) is None


def test_of_several_silences_the_longest_is_named() -> None:
    short, long = silence(hours=1), silence("lang=en", hours=5)
    assert silenced_by([short, long], ABOUT, NOW) is long


def test_silence_asked_for_twice_is_one() -> None:
    assert silence("rule=talks, lang=en").id == silence("lang=en, rule=talks").id
    assert silence("rule=talks").id != silence("rule=other").id
    assert silence().id != silence(begins=1).id


def test_silence_that_somebody_ends_is_over_at_once_and_stays_known() -> None:
    ended = expired(silence(hours=5), NOW + HOUR)
    assert (ended.status(NOW + HOUR), ended.ends_at) == ("expired", NOW + HOUR)
    assert (ended.id, ended.comment) == (silence(hours=5).id, "known")
    assert expired(ended, NOW + 2 * HOUR) is ended
    never_began = expired(silence(begins=3), NOW)
    assert never_began.status(NOW) == "expired"
    assert never_began.starts_at == NOW


def test_silence_that_is_over_is_kept_for_whoever_asks() -> None:
    assert kept_until(silence(hours=5)) > silence(hours=5).ends_at


def test_snooze_of_a_story_is_for_one_subscriber() -> None:
    snoozed = snooze("story", story_of(ABOUT.article), "desk", NOW, 24 * HOUR, "a reader")
    assert silenced_by([snoozed], ABOUT, NOW)
    same_story = Subject(article(id="a2", title="Talks Resume in GENEVA"), match(), "desk")
    assert silenced_by([snoozed], same_story, NOW + 23 * HOUR)
    assert not silenced_by([snoozed], Subject(ABOUT.article, match(), "other"), NOW)
    assert not silenced_by([snoozed], Subject(article(title="Other"), match(), "desk"), NOW)


def test_what_cannot_concern_a_match_is_left_out_and_nothing_else() -> None:
    def snoozed(name: str, value: str, subscriber: str) -> Silence:
        return snooze(name, value, subscriber, NOW, HOUR, "a reader")

    everybody, of_target = silence("lang=en"), silence("rule=talks, target=desk/mail")
    own, others = snoozed("rule", "talks", "desk"), snoozed("rule", "talks", "other")
    elsewhere, later = snoozed("rule", "vote", "desk"), silence(begins=1)
    every = [everybody, of_target, own, others, elsewhere, later]
    assert concerning(every, ABOUT, NOW) == (everybody, of_target, own, others)
    assert [subscriber_of(each) for each in every] == [None, None, "desk", "other", "desk", None]


def test_snooze_clicked_again_lasts_longer() -> None:
    first = snooze("rule", "talks", "desk", NOW, HOUR, "a reader")
    again = snooze("rule", "talks", "desk", NOW + HOUR / 2, HOUR, "a reader")
    assert first.id == again.id
    assert again.ends_at == NOW + 1.5 * HOUR
    assert str(first) == "rule=talks, subscriber=desk"
