"""No text of a feed, however hostile, breaks out of the format that it is rendered in."""

import json
import re
import unicodedata
from datetime import UTC
from html.parser import HTMLParser
from urllib.parse import urlsplit

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.core.model import Alert, Article, ArticleKind, Match, Severity, Span
from monitor.core.render import blocks, html, payload, subject, text, text_only, view
from monitor.core.render.clean import LONGEST_LINK, line, link, visible
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
MANY = settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow], deadline=None)
OURS = {"html", "head", "meta", "title", "style", "body", "table", "tr", "td", "a", "mark"}
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
@given(ALERT)
def test_page_has_our_elements_only(alert: Alert) -> None:
    page = html(alert)
    found = _Tags(page)
    assert found.tags <= OURS
    assert not any(name.startswith("on") for name in found.attributes)
    assert found.links == ([view(alert).url] if view(alert).url else [])
    assert not STEERING.search(page)
    assert len(page) < 20_000 + 6 * 2 * LONGEST_LINK


@MANY
@given(ALERT)
def test_slack_takes_every_message(alert: Alert) -> None:
    message = blocks(alert)
    assert refuse(message) is None
    assert refuse(text_only(alert)) is None
    said = json.dumps(message, ensure_ascii=False)
    assert not STEERING.search(said)
    for mention in re.findall(r"<[^>]*>", str(message["text"])):
        assert urlsplit(mention[1:-1]).scheme in {"http", "https"}


@MANY
@given(ALERT)
def test_text_is_lines_of_a_bounded_length_without_control_characters(alert: Alert) -> None:
    said = text(alert)
    assert not STEERING.search(said)
    assert len(said) < 8000
    assert len(said.splitlines()) <= 12
    assert said.encode("utf-8")


@MANY
@given(ALERT)
def test_subject_is_one_line(alert: Alert) -> None:
    said = subject(alert)
    assert len(said.splitlines()) == 1
    assert len(said) <= 200
    assert not STEERING.search(said)


@MANY
@given(ALERT)
def test_payload_is_json_and_the_same_every_time(alert: Alert) -> None:
    one = json.dumps(payload(delivery(alert=alert)), ensure_ascii=False)
    assert one == json.dumps(payload(delivery(alert=alert, attempts=7)), ensure_ascii=False)
    assert json.loads(one.encode("utf-8"))["specversion"] == "1.0"


@MANY
@given(ALERT)
def test_title_of_the_payload_is_the_text_that_spans_count_in(alert: Alert) -> None:
    data = payload(delivery(alert=alert))["data"]
    assert isinstance(data, dict)
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
