"""How often the language of a short text must be told rightly, at the least."""

from tests.quality.languages import right, sentences, texts

# Where so short a sentence is mostly names, the model takes these for each other: decision 12.
TAKEN_FOR_NEIGHBOURS = {"hr", "sk", "sl"}


def test_languages_of_news_are_told() -> None:
    assert len({lang for lang, _ in texts()}) >= 40
    assert right(texts()) >= 0.95
    assert right(texts(), declared="en") >= 0.93


def test_languages_of_short_sentences_full_of_foreign_names_are_told_mostly() -> None:
    told = [each for each in sentences() if each[0] not in TAKEN_FOR_NEIGHBOURS]
    assert right(told) >= 0.90
