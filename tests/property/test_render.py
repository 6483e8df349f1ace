"""No text of a feed, however hostile, breaks out of the format that it is rendered in."""

import json
import re
import unicodedata
from dataclasses import replace
from datetime import UTC
from html.parser import HTMLParser
from urllib.parse import urlsplit

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.core.links import NO_LINKS, Linker
from monitor.core.model import Alert, Article, ArticleKind, Delivery, Match, Severity, Span
from monitor.core.outcome import HoldReason
from monitor.core.render import (
    Message,
    blocks,
    html,
    message,
    payload,
    short_text,
    subject,
    text,
    text_only,
)
from monitor.core.render.clean import LONGEST_LINK, line, link, visible
from monitor.core.secret import Secret
from tests.factories import NOW, delivery
from tests.servers.slack import refuse

POISON = [
    "<script>", "</td>", "&amp;", '"><img src=x>', "<!channel>", "<@U1>", "<https://evil.example|x>", "@here",
    "*", "`", "|", ">", "{heading}", "%s", "\x1b[31m", "\x1b]0;t\x07", "\x9b", "\x00", "\r\n", "\nBcc: a@b.example",
    "\u2028", "\x85", "\u202e", "\u2066", "\ud800", "\udfff", "\U000e0041", "\ufeff", "e\u0301" * 20, "😀" * 9,
    "&" * 900, "word " * 40, "字" * 400, "x" * 4000,
]  # fmt: skip
ANY_CHARACTER = st.characters(exclude_categories=())
TEXT = st.lists(st.sampled_from(POISON) | st.text(ANY_CHARACTER, max_size=8), max_size=3).map(
    "".join
)
URL = (
    TEXT
    | TEXT.map(lambda tail: f"https://news.example/{tail}")
    | TEXT.map(lambda host: f"http://{host}/")
    | st.sampled_from(["javascript:alert(1)", "data:text/html,x", "https://", "http://[::1", "https://a@b.example/"])
)  # fmt: skip
INSTANT = st.none() | st.datetimes(timezones=st.just(UTC)).filter(lambda at: 1 < at.year < 9999)
SPAN = st.builds(
    Span,
    field=st.sampled_from(["title", "summary", "body", "elsewhere"]),
    start=st.integers(-5, 400),
    end=st.integers(-5, 5000),
    text=TEXT,
    part=TEXT,
)
MATCH = st.builds(
    Match,
    rule_id=TEXT,
    article_id=st.just("a1"),
    rule_name=TEXT,
    severity=st.sampled_from(Severity),
    labels=st.dictionaries(TEXT, TEXT, max_size=1),
    score=st.none() | st.integers(-1000, 1000),
    spans=st.lists(SPAN, max_size=3).map(tuple),
)
ARTICLE = st.builds(
    Article,
    id=TEXT,
    feed_id=TEXT,
    url=URL,
    title=TEXT,
    was_title=TEXT,
    lang=st.none() | TEXT,
    summary=TEXT,
    body=TEXT,
    feed_name=TEXT,
    tags=st.lists(TEXT, max_size=2).map(tuple),
    published_at=INSTANT,
    seen_at=INSTANT,
    kind=st.sampled_from(ArticleKind),
)
ALERT = st.builds(
    Alert,
    subscriber=TEXT,
    article=ARTICLE,
    matches=st.lists(MATCH, max_size=7).map(tuple),
    created_at=st.just(NOW),
)
LINKER = Linker("https://monitor.example", Secret("a key for tests, of 32 characters"))
DELIVERY = st.builds(
    Delivery,
    id=st.just("d1"),
    target_id=TEXT,
    alerts=st.lists(ALERT, min_size=1, max_size=3).map(tuple),
    created_at=st.just(NOW),
    due_at=st.just(NOW),
    because=st.none() | st.sampled_from(HoldReason),
    because_of=TEXT,
)
MESSAGE = st.builds(
    lambda told, linked: message(told, LINKER.links(told) if linked else NO_LINKS),
    DELIVERY,
    st.booleans(),
)
MANY = settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow], deadline=None)
OURS = {"html", "head", "meta", "title", "style", "body", "table", "tr", "td", "a", "mark"} | {
    *("div", "span", "br", "b", "ins", "del", "bdi")
}
DIRECTING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
STEERING = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)


class _Tags(HTMLParser):
    """Collects the tags and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]


@MANY
@given(MESSAGE)
def test_page_has_our_elements_only(told: Message) -> None:
    page = html(told)
    found = _Tags(page)
    assert found.tags <= OURS
    assert not any(name.startswith("on") for name in found.attributes)
    articles = [shown.url for shown in told.stories if shown.url]
    ours = [url for url in found.links if url.startswith("https://monitor.example/l/")]
    assert [url for url in found.links if url not in ours] == articles
    assert not STEERING.search(page)
    assert len(page) < 40_000 + 3 * 6 * 2 * LONGEST_LINK


@MANY
@given(MESSAGE)
def test_slack_takes_every_message(told: Message) -> None:
    said = blocks(told, sources=3)
    assert refuse(said) is None
    assert refuse(text_only(told)) is None
    written = json.dumps(said, ensure_ascii=False)
    assert not STEERING.search(written)
    for mention in re.findall(r"<[^>]*>", str(said["text"])):
        assert urlsplit(mention[1:-1]).scheme in {"http", "https"}


@MANY
@given(MESSAGE)
def test_text_is_lines_of_a_bounded_length_without_control_characters(told: Message) -> None:
    for said in (text(told), short_text(told)):
        assert not STEERING.search(said)
        assert len(said) < 12_000 * len(told.stories)
        assert len(said.splitlines()) <= 12 * len(told.stories) + 10
        assert said.encode("utf-8")


@MANY
@given(MESSAGE)
def test_subject_is_one_line(told: Message) -> None:
    said = subject(told)
    assert len(said.splitlines()) == 1
    assert len(said) <= 200
    assert not STEERING.search(said)


@MANY
@given(DELIVERY)
def test_payload_is_json_and_the_same_every_time(told: Delivery) -> None:
    one = payload(told)
    assert one == payload(replace(told, attempts=7))
    assert json.loads(one)["specversion"] == "1.0"


@MANY
@given(ALERT)
def test_title_of_the_payload_is_the_text_that_spans_count_in(alert: Alert) -> None:
    data = json.loads(payload(delivery(alert=alert)))["data"]
    assert len(data["article"]["title"]) == min(len(alert.article.title), 2000)


@MANY
@given(URL)
def test_link_is_http_and_cannot_end_early(url: str) -> None:
    safe = link(url)
    assert safe == "" or re.fullmatch(r"https?://[!-~]+", safe)
    assert not set(safe) & set('<>|"\\^`{} ')
    assert len(safe) <= LONGEST_LINK
    assert link(safe) == safe


@MANY
@given(TEXT, st.integers(1, 50))
def test_line_is_one_short_line(raw: str, limit: int) -> None:
    said = line(raw, limit)
    assert len(said) <= limit
    assert len(said.splitlines()) <= 1
    assert line(said, limit) == said


@MANY
@given(st.text(ANY_CHARACTER))
def test_what_is_visible_has_no_controls_and_no_direction_overrides(raw: str) -> None:
    said = visible(raw)
    assert not {unicodedata.category(character) for character in said} & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(character) for character in said} & DIRECTING
