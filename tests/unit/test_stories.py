import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.stories import story_of
from tests.factories import article


def story(title: str, **changes: str) -> str:
    return story_of(article(title=title, **changes))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Talks resume in Geneva", "TALKS RESUME IN GENEVA"),
        ("Talks resume in Geneva", "“Talks” resume — in Geneva!"),
        ("Café fire kills three", "Cafe fire kills three"),
        ("U.N. votes on Syria", "UN votes on Syria"),
        ("Переговоры идут ещё", "переговоры идут еще."),
        ("安理会表决叙利亚问题", "安理会表决叙利亚问题。"),
        ("Talks　resume", "Talks resume"),
    ],
)
def test_one_headline_written_in_two_ways_is_one_story(one: str, other: str) -> None:
    assert story(one, id="a", feed_id="x") == story(other, id="b", feed_id="y")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Three killed in fire", "Four killed in fire"),
        ("Story 1", "Story 2"),
        ("Dog bites man", "Man bites dog"),
        ("ab c", "a bc"),
    ],
)
def test_other_words_or_another_order_are_another_story(one: str, other: str) -> None:
    assert story(one) != story(other)


@pytest.mark.parametrize("mark", [" - ", " | "])
def test_name_of_the_feed_behind_the_headline_does_not_count(mark: str) -> None:
    signed = story(f"Talks resume{mark}Example World", feed_name="Example world")
    assert signed == story("Talks resume")
    assert story(f"Talks resume{mark}Geneva") != story("Talks resume")
    assert story(f"{mark}Example World") == story("Example World")


@pytest.mark.parametrize("title", ["", "  ", "—", "…!"])
def test_article_without_a_headline_is_a_story_of_its_own(title: str) -> None:
    assert story(title, id="a") == "a"


@given(st.text(max_size=60), st.text(max_size=10))
def test_every_article_has_a_story_that_does_not_depend_on_its_text(title: str, body: str) -> None:
    assert story(title) == story(title, body=body, summary=body)
    assert story(title)
