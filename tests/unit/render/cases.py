"""The deliveries whose renders are kept in tests/data/render, by name."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from monitor.core.model import Alert, ArticleKind, Delivery, Match, Severity, Span
from monitor.core.outcome import HoldReason
from tests.factories import NOW, alert, article, delivery, match


def span(field: str, text: str, word: str, nth: int = 0) -> Span:
    """Return the span of the nth `word` in `text`."""
    start = -1
    for _ in range(nth + 1):
        start = text.index(word, start + 1)
    return Span(field=field, start=start, end=start + len(word), text=word, part=word.lower())


def simple() -> Alert:
    summary = article().summary
    spans = (span("title", article().title, "Talks"), span("summary", summary, "table"))
    return alert(matches=(match(spans=spans),))


def critical_edit_with_many_rules() -> Alert:
    title = "UN Security Council votes on Syria resolution & sends <b>observers</b>"
    body = " ".join(["The council met behind closed doors for most of the night."] * 6)
    body += " A draft resolution was circulated by three members before the vote. " + body
    found = (span("body", body, "draft resolution"), span("title", title, "resolution"))
    rules: list[Match] = [
        match(
            rule_id=f"rule-{n}",
            rule_name=f"Rule <{n}> & more",
            severity=Severity.CRITICAL if n == 3 else Severity.WARNING,
            spans=found,
        )
        for n in range(8)
    ]
    return alert(
        article=article(
            title=title,
            summary="",
            body=body,
            kind=ArticleKind.EDITED,
            url='https://news.example/a?b=c&d="e"|<f>',
            feed_name="World & <Nation>",
        ),
        matches=tuple(rules),
    )


def other_scripts() -> Alert:
    title = "Лавров: «Ответ Клинтон» — 克林顿的电话 · هاتف"
    return alert(
        article=article(
            title=title,
            summary="外长谢尔盖·拉夫罗夫周二表示,他对这场喧嚣感到惊讶。" * 12,
            lang="ru",
            url="https://новости.example/статья?q=лавров",
            published_at=datetime(1961, 4, 12, 6, 7, tzinfo=UTC),
        ),
        matches=(match(rule_name="Лавров", spans=(span("title", title, "Лавров"),)),),
    )


def bare() -> Alert:
    return alert(
        article=article(
            title="", summary="", url="", feed_name="", published_at=None, seen_at=None
        ),
        matches=(match(rule_name="", spans=()),),
    )


def hostile() -> Alert:
    title = "\x1b[2J\u202eevil\u202c <!channel> <script>alert(1)</script> *bold* \ud800 \r\nBcc: a@b.example"
    summary = (
        "@here `code` <https://evil.example|Your bank> & more\x00\x07\x9b31m\u2028" + "x" * 5000
    )
    return alert(
        article=article(
            title=title,
            summary=summary,
            url="javascript:alert(document.cookie)",
            feed_name="\x1b]0;owned\x07Feed\r\nX-Injected: yes",
        ),
        matches=(
            match(
                rule_name="</td><script>",
                spans=(
                    span("title", title, "<!channel>"),
                    span("summary", summary, "`code`"),
                    Span(field="summary", start=-5, end=10**9, text="\x1b[31m", part=""),
                    Span(field="nowhere", start=3, end=1, text="", part=""),
                ),
            ),
        ),
    )


def edited() -> Alert:
    title = "Three observers killed near Homs, UN says"
    return alert(
        article=article(
            title=title,
            was_title="Two observers wounded near Homs, UN says",
            kind=ArticleKind.EDITED,
        ),
        matches=(match(rule_name="Observers", spans=(span("title", title, "observers"),)),),
    )


def arabic() -> Alert:
    title = "لافروف: المحادثات في جنيف تُستأنف يوم الخميس (REUTERS)"
    summary = "قال وزير الخارجية الروسي إن الوفود ستعود إلى الطاولة في جنيف بعد أسبوع من المشاورات."
    return alert(
        article=article(
            title=title,
            summary=summary,
            lang="ar",
            feed_name="وكالة الأنباء",
            url="https://news.example/ar/2026/01/15",
        ),
        matches=(
            match(
                rule_name="Lavrov",
                severity=Severity.WARNING,
                spans=(span("title", title, "لافروف"), span("summary", summary, "جنيف")),
            ),
        ),
    )


def digest() -> Delivery:
    """Quiet hours gave way to this: an alert told by three feeds, a grave one, one in Arabic and an edit."""
    grave = critical_edit_with_many_rules()
    repeated = tuple(
        alert(
            article=article(id=f"copy-{n}", feed_id=f"feed-{n}", feed_name=name),
            created_at=NOW - timedelta(hours=n),
        )
        for n, name in enumerate(("Example World", "Second Paper", "Third Paper"))
    )
    return delivery(
        alerts=(*repeated, grave, arabic(), edited()),
        because=HoldReason.QUIET_HOURS,
        because_of="22:00 to 07:00 in Europe/Kyiv",
        seq=7,
    )


def around_midnight() -> Alert:
    """Published before midnight and seen after it, by the clocks of Kolkata."""
    published_at = datetime(2026, 1, 15, 18, 20, tzinfo=UTC)
    return alert(
        article=article(published_at=published_at, seen_at=published_at + timedelta(minutes=15)),
        matches=simple().matches,
    )


def digest_of_a_night() -> Delivery:
    """What quiet hours of Kolkata gave way to: an alert from around midnight, and an edit."""
    return delivery(
        alerts=(around_midnight(), edited()),
        because=HoldReason.QUIET_HOURS,
        because_of="22:00-07:00 Asia/Kolkata",
        seq=3,
    )


def hostile_digest() -> Delivery:
    """More than fits anywhere, of what breaks out anywhere."""
    poisoned = hostile()
    alerts = tuple(
        alert(
            article=article(
                id=f"h{n}",
                title=f"{n} {'&<>' * 90} {poisoned.article.title}",
                summary=poisoned.article.summary,
                url=f"https://news.example/{n}/" + "&" * 300,
                feed_name=poisoned.article.feed_name,
            ),
            matches=poisoned.matches,
        )
        for n in range(60)
    )
    return delivery(alerts=alerts, because=HoldReason.CATCH_UP, because_of="<!channel>\r\nBcc: x")


def _single(case: Callable[[], Alert]) -> Callable[[], Delivery]:
    return lambda: delivery(alert=case())


ALERTS = {
    case.__name__: case
    for case in (
        simple,
        critical_edit_with_many_rules,
        edited,
        other_scripts,
        arabic,
        bare,
        hostile,
    )
}
CASES: dict[str, Callable[[], Delivery]] = {
    **{name: _single(case) for name, case in ALERTS.items()},
    "digest": digest,
    "hostile_digest": hostile_digest,
}
IN_KOLKATA: dict[str, Callable[[], Delivery]] = {
    "around_midnight": _single(around_midnight),
    "digest_of_a_night": digest_of_a_night,
}
