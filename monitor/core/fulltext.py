"""Which articles need the text of their page, and what becomes of them with it or without."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from monitor.core.model import Article, Feed, FullText
from monitor.errors import FeedReason

MOST_PAGES = 10  # for one poll; what is beyond them goes on with its summary
MOST_TIME = timedelta(seconds=60)  # for all of them


class PageOutcome(StrEnum):
    """What came of the page of an article. The closed list is a metric label."""

    EXTRACTED = "extracted"
    NO_TEXT = "no_text"
    NOT_A_PAGE = "not_a_page"
    NOT_FETCHED = "not_fetched"
    FAILED = "failed"
    OUT_OF_TIME = "out_of_time"
    TOO_MANY = "too_many"
    BUSY = "busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """The text of a page, or why there is none; `detail` says it in words.

    `ends` says that its host wants to be left alone: no more of its pages are asked for in this poll. What could not be
    fetched has a `reason`, and `retry_after` is how long its server asks to be left alone.
    """

    outcome: PageOutcome
    text: str = ""
    title: str = ""
    detail: str = ""
    ends: bool = False
    reason: FeedReason | None = None
    retry_after: timedelta | None = None


def lacking(feed: Feed, articles: Sequence[Article], *, rules_read_body: bool) -> tuple[int, ...]:
    """Return the places of the articles whose pages are to be read."""
    wanted = feed.full_text is FullText.ALWAYS or (
        feed.full_text is FullText.AUTO and rules_read_body
    )
    always = feed.full_text is FullText.ALWAYS
    return tuple(
        place
        for place, article in enumerate(articles)
        if wanted
        and article.url.startswith(("http://", "https://"))
        and (always or not article.body)
    )


def with_page(article: Article, page: PageText) -> Article:
    """Return an article with the text of its page, if that says more than the feed does."""
    return replace(article, body=page.text) if len(page.text) > len(article.body) else article
