"""What a webhook is sent, as types for the document that describes it; `core.render.webhook` writes it."""

from datetime import datetime
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from monitor.core.model import ArticleKind, Severity
from monitor.core.outcome import HoldReason


class SentSpan(Struct, kw_only=True):
    """A place in the `title`, `summary` or `body` that a query found; `end` is exclusive, both count characters."""

    field: str
    start: int
    end: int
    text: str
    part: str


class SentMatch(Struct, kw_only=True):
    """A rule that found the article, with the first 20 places."""

    rule: str
    rule_name: str
    rule_version: str
    severity: Severity
    labels: dict[str, str]
    score: int | None
    spans: list[SentSpan]
    spans_left_out: int


class SentArticle(Struct, kw_only=True):
    """An article without its body. Texts are plain and not escaped; `was_title` is the headline before an edit."""

    id: str
    kind: ArticleKind
    feed: str
    feed_name: str
    url: str
    title: str
    was_title: str | UnsetType = UNSET
    summary: str
    author: str
    lang: str | None
    country: str | None
    category: str | None
    tags: list[str]
    published_at: datetime | None
    seen_at: datetime | None
    trace_id: str


class SentAlert(Struct, kw_only=True):
    """An article and what found it; `severity` is the gravest of the matches."""

    severity: Severity
    article: SentArticle
    matches: list[SentMatch]
    matches_left_out: int


class DigestedAlert(SentAlert, kw_only=True):
    """One alert of a digest; `time` is when it was made."""

    time: datetime


class AlertData(SentAlert, kw_only=True):
    """One alert to one target; `seq` counts what became due for the target, where that is known."""

    target: str
    subscriber: str
    seq: int | UnsetType = UNSET


class DigestData(Struct, kw_only=True):
    """Several alerts that were held, newest first, and why they were."""

    target: str
    subscriber: str
    seq: int | UnsetType = UNSET
    severity: Severity
    because: HoldReason | None
    because_of: str
    alerts: list[DigestedAlert]
    alerts_left_out: int


class Sent(Struct, kw_only=True):
    """A CloudEvent 1.0; `id` is the same on every attempt."""

    specversion: Literal["1.0"]
    id: str
    source: str
    time: datetime
    timestamp: datetime
    datacontenttype: Literal["application/json"]


class AlertEvent(Sent, kw_only=True):
    """An alert."""

    type: Literal["monitor.alert.v1"]
    data: AlertData


class DigestEvent(Sent, kw_only=True):
    """Several alerts in one."""

    type: Literal["monitor.digest.v1"]
    data: DigestData
