from datetime import UTC, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from monitor.core.account import WORDS, Sent, account
from monitor.core.chapter import Decided, Decision, Kept
from monitor.core.model import ArticleKind, Attempt, DeliveryState
from monitor.core.outcome import DeliveryReason, HoldReason, Suppression, Verdict
from tests.factories import NOW, alert, article, delivery, match

KOLKATA = ZoneInfo("Asia/Kolkata")
MINUTE = timedelta(minutes=1)


def kept(**changes: object) -> Kept:
    defaults: dict[str, object] = {"number": 1, "article": article(), "matches": (match(),)}
    return Kept(**defaults | changes)  # type: ignore[arg-type]


def attempt(number: int = 1, **changes: object) -> Attempt:
    defaults: dict[str, object] = {
        "number": number,
        "started_at": NOW + number * MINUTE,
        "duration": timedelta(milliseconds=80),
        "verdict": Verdict.DELIVERED,
        "status": 200,
    }
    return Attempt(**defaults | changes)  # type: ignore[arg-type]


def told(*decisions: Decision, at: int = 0) -> Decided:
    return Decided(at=NOW + at * MINUTE, decisions=decisions)


def lines(*arguments: object) -> list[str]:
    events = account(*arguments)  # type: ignore[arg-type]
    return ["  " * event.depth + event.said for event in events]


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(Suppression)


def test_the_story_goes_from_the_poll_to_the_attempt() -> None:
    decision = Decision(
        rule_ids=("talks",), subscriber="desk", target_id="desk/hook", delivery_id="d1"
    )
    sent = Sent(
        delivery=delivery(state=DeliveryState.DELIVERED),
        attempts=(
            attempt(
                verdict=Verdict.RETRY_LATER,
                status=503,
                reason=DeliveryReason.SERVER_ERROR,
                detail="answered 503",
            ),
            attempt(2),
        ),
    )
    assert lines([kept()], [told(decision)], [sent]) == [
        "seen in Example World, published 2026-01-15 11:57:00 UTC, poll t1",
        "  found by Talks (talks, info): “Talks”",
        "talks: routed to desk/hook, told at once",
        "  delivery d1 to desk/hook",
        "    try 1: retry_later 503 in 80 ms, server_error: answered 503",
        "    try 2: delivered 200 in 80 ms",
        "    now delivered",
    ]


def test_what_alerted_nobody_says_why() -> None:
    assert lines([kept(matches=())], [], [])[1] == "  alerts nobody: no_rule, no rule finds it"
    first = kept(matches=(), suppressed=Suppression.BASELINE, article=article(published_at=None))
    assert lines([first], [], []) == [
        "seen in Example World, poll t1",
        "  alerts nobody: baseline, it stood in the first document of its feed",
    ]


def test_suppressions_and_holds_have_their_reason() -> None:
    decisions = (
        Decision(rule_ids=("a", "b"), suppressed=Suppression.NO_ROUTE),
        Decision(
            rule_ids=("a",),
            target_id="desk/slack",
            route="night",
            suppressed=Suppression.MUTED,
            detail="the route is muted by weekend",
        ),
        Decision(
            rule_ids=("a",),
            target_id="desk/mail",
            delivery_id="gone",
            held=HoldReason.QUIET_HOURS,
            detail="quiet hours 22:00-07:00",
        ),
    )
    assert lines([], [told(*decisions)], []) == [
        "a, b: not told, no_route: no route leads anywhere",
        "a: not told to desk/slack by the route night, muted: the route is muted by weekend",
        "a: routed to desk/mail, held, quiet_hours: quiet hours 22:00-07:00",
        "  delivery gone is past its retention",
    ]


def test_an_edit_stands_in_its_place() -> None:
    edited = article(kind=ArticleKind.EDITED, seen_at=NOW + 5 * MINUTE, title="Talks fail")
    scored = match(score=50)
    found = lines(
        [kept(), kept(article=edited, matches=(scored,))],
        [told(Decision(rule_ids=("talks",), suppressed=Suppression.ALREADY_TOLD), at=1)],
        [],
    )
    assert found[2].startswith("talks: not told, already_told")
    assert found[3].startswith("edit seen in Example World")
    assert found[4] == "  found by Talks (talks, info), score 50: “Talks”"


def test_deliveries_say_how_they_stand() -> None:
    def state(zone: tzinfo = UTC, **changes: Any) -> str:
        sent = Sent(delivery=delivery(**changes), attempts=(), zone=zone)
        return lines([], [], [sent])[-1].strip()

    assert state(state=DeliveryState.PENDING) == "now pending, next try 2026-01-15 12:00:00 UTC"
    held: dict[str, Any] = {"state": DeliveryState.HELD, "because": HoldReason.DIGEST}
    assert state(**held) == "now held (digest), until 2026-01-15 12:00:00 UTC"
    assert state(**held, zone=KOLKATA) == "now held (digest), until 2026-01-15 17:30:00 IST"
    assert state(state=DeliveryState.FOLDED, detail="d9") == "told in the digest d9"
    dead: dict[str, Any] = {
        "reason": DeliveryReason.GONE,
        "detail": "answered 410",
        "state": DeliveryState.DEAD,
    }
    assert state(**dead) == "now dead, gone: answered 410"


def test_a_digest_says_of_how_many() -> None:
    both = (alert(), alert(article=article(id="a2")))
    assert lines([], [], [Sent(delivery=delivery(alerts=both), attempts=())])[0] == (
        "delivery d1 to desk/hook, a digest of 2"
    )
