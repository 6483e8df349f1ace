from datetime import timedelta

from monitor.core.matchers import parse_matchers
from monitor.core.model import Delivery
from monitor.core.outcome import DeliveryReason, Rejected
from monitor.core.pace import Choice
from monitor.core.recall import recalled
from monitor.core.silences import Silence, new_silence
from tests.factories import NOW, alert, article, delivery, match

HOUR = timedelta(hours=1)


def silence(matchers: str) -> Silence:
    return new_silence(parse_matchers(matchers), starts_at=NOW, ends_at=NOW + HOUR, author="ana")


def digest() -> Delivery:
    both = (match(rule_id="syria"), match(rule_id="veto"))
    return delivery(
        alerts=(
            alert(article=article(id="a1"), matches=both),
            alert(article=article(id="a2", title="Other"), matches=both[:1]),
        )
    )


def left(told: Delivery | Rejected) -> list[tuple[str, list[str]]]:
    assert isinstance(told, Delivery)
    return [(each.article.id, [m.rule_id for m in each.matches]) for each in told.alerts]


def test_nothing_is_left_out_that_nobody_silenced() -> None:
    whole = digest()
    assert recalled(whole, (), {}, NOW) is whole
    assert recalled(whole, [silence("rule=other")], {}, NOW) is whole
    assert recalled(whole, [silence("rule=syria")], {}, NOW + HOUR) is whole
    assert recalled(whole, [silence("rule=syria, subscriber=other")], {}, NOW) is whole


def test_what_was_silenced_meanwhile_is_left_out_of_a_digest() -> None:
    assert left(recalled(digest(), [silence("rule=syria")], {}, NOW)) == [("a1", ["veto"])]
    assert left(recalled(digest(), [silence("article=a1")], {}, NOW)) == [("a2", ["syria"])]
    of_target = silence("rule=syria, target=desk/hook")
    assert left(recalled(digest(), [of_target], {}, NOW)) == [("a1", ["veto"])]


def test_delivery_of_which_nothing_is_left_says_who_silenced_it() -> None:
    known = [silence("rule=syria"), silence("rule=veto")]
    refused = recalled(digest(), known, {}, NOW)
    assert isinstance(refused, Rejected)
    assert refused.reason is DeliveryReason.SILENCED
    assert refused.detail == (
        f"silenced while it waited, by {known[0].id} of ana, {known[1].id} of ana"
    )


def test_reader_who_left_meanwhile_is_told_nothing() -> None:
    choice = Choice(subscriber="desk", target_id="desk/hook", unsubscribed=True)
    refused = recalled(digest(), (), {"desk/hook": choice}, NOW)
    assert isinstance(refused, Rejected)
    assert refused.reason is DeliveryReason.UNSUBSCRIBED
    stays = Choice(subscriber="desk", target_id="desk/hook", schedule="hourly")
    assert isinstance(recalled(digest(), (), {"desk/hook": stays}, NOW), Delivery)
