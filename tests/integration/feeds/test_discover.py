"""Feeds that a page names."""

import pytest

from monitor.feeds.discover import discover

PAGE = "http://news.example/world/"


def link(href: str, rel: str = "alternate", kind: str = "application/rss+xml") -> str:
    return f'<link rel="{rel}" type="{kind}" href="{href}">'


def named(*links: str) -> tuple[str, ...]:
    return discover(f"<html><head>{''.join(links)}</head><body>Hello</body></html>", PAGE)


def test_feeds_are_named_in_the_order_of_the_page() -> None:
    assert named(link("/rss"), link("atom.xml", "ALTERNATE home", "application/atom+xml; x=1")) == (
        "http://news.example/rss",
        "http://news.example/world/atom.xml",
    )


@pytest.mark.parametrize(
    "other",
    [
        link("/de", kind="text/html"),
        link("/style", rel="stylesheet"),
        link(""),
        link("javascript:alert(1)"),
        link("http://[::1/"),
    ],
)
def test_other_links_are_not_feeds(other: str) -> None:
    assert named(other) == ()


def test_feeds_are_named_once_and_at_most_five() -> None:
    assert named(link("/a"), link("/a")) == ("http://news.example/a",)
    assert len(named(*(link(f"/{n}") for n in range(9)))) == 5


@pytest.mark.parametrize("page", ["", "<", "no page", "\0"])
def test_what_is_no_page_names_none(page: str) -> None:
    assert discover(page, PAGE) == ()
