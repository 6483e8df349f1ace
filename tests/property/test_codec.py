"""Every record survives being written and read; whatever else is read is a `CodecError`."""

from datetime import UTC, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.model import (
    Alert,
    Article,
    ArticleKind,
    Attempt,
    FeedState,
    Match,
    MatchedArticle,
    Severity,
    Span,
)
from monitor.core.outcome import DeliveryReason, Verdict
from monitor.errors import CodecError, FeedReason
from monitor.streams import codec
from monitor.streams.codec import Codec

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
instants = st.datetimes(timezones=st.just(UTC))
durations = st.timedeltas(timedelta(), timedelta(days=999))
small = st.integers(0, 2**31)
labels = st.dictionaries(text, text, max_size=3)
spans = st.builds(Span, field=text, start=small, end=small, text=text, part=text)
matches = st.builds(
    Match,
    rule_id=text,
    article_id=text,
    severity=st.sampled_from(Severity),
    labels=labels,
    score=st.none() | st.integers(-(2**63), 2**63 - 1),
    spans=st.lists(spans, max_size=3).map(tuple),
)
articles = st.builds(
    Article,
    id=text,
    title=text,
    body=text,
    lang=st.none() | text,
    tags=st.lists(text, max_size=3).map(tuple),
    published_at=st.none() | instants,
    seen_at=st.none() | instants,
    kind=st.sampled_from(ArticleKind),
)
found = st.lists(matches, min_size=1, max_size=3).map(tuple)
matched = st.builds(MatchedArticle, article=articles, matches=found)
alerts = st.builds(Alert, subscriber=text, article=articles, matches=found, created_at=instants)
states = st.builds(
    FeedState,
    etag=st.none() | text,
    baseline_at=st.none() | instants,
    shared_urls=st.booleans(),
    failures=small,
    reason=st.none() | st.sampled_from(FeedReason),
)
attempts = st.builds(
    Attempt,
    number=small,
    started_at=instants,
    duration=durations,
    verdict=st.sampled_from(Verdict),
    reason=st.none() | st.sampled_from(DeliveryReason),
    status=st.none() | small,
    response=text,
)

CODECS: list[tuple[Codec[Any], st.SearchStrategy[Any]]] = [
    (codec.articles, articles),
    (codec.matched_articles, matched),
    (codec.feed_states, states),
    (codec.alerts, alerts),
    (codec.attempts, attempts),
]


@given(st.data(), st.sampled_from(CODECS))
def test_what_is_written_is_read(
    data: st.DataObject, case: tuple[Codec[Any], st.SearchStrategy[Any]]
) -> None:
    one, records = case
    record = data.draw(records)
    assert one.decode(one.encode(record)) == record


@given(st.binary(), st.sampled_from([case[0] for case in CODECS]))
def test_garbage_is_nothing_worse_than_a_codec_error(data: bytes, one: Codec[Any]) -> None:
    for version in (b"", codec.VERSION):
        try:
            record = one.decode(version + data)
        except CodecError:
            continue
        assert one.decode(one.encode(record)) == record


@given(articles, st.data())
def test_a_torn_record_is_a_codec_error(record: Article, data: st.DataObject) -> None:
    whole = codec.articles.encode(record)
    with pytest.raises(CodecError):
        codec.articles.decode(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_a_newer_version_is_named() -> None:
    with pytest.raises(CodecError, match="version 02, this program reads 01"):
        codec.articles.decode(b"\x02\x80")


def test_fields_of_a_neighbouring_release_are_ignored_or_filled_in() -> None:
    written = msgspec.msgpack.encode({"id": "a1", "title": "T", "field_of_next_year": [1]})
    assert codec.articles.decode(codec.VERSION + written) == Article(id="a1", title="T")


def test_text_that_is_not_unicode_cannot_be_written() -> None:
    with pytest.raises(CodecError, match="cannot write this Article"):
        codec.articles.encode(Article(id="a1", title="\ud800"))
