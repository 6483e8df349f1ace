"""How often the language of a short text must be told rightly, at the least."""

from tests.quality.languages import right, sentences, texts


def test_languages_of_news_are_told() -> None:
    assert len({lang for lang, _ in texts()}) >= 40
    assert right(texts()) >= 0.95
    assert right(texts(), declared="en") >= 0.93


def test_languages_of_short_sentences_full_of_foreign_names_are_told_mostly() -> None:
    assert right(sentences()) >= 0.90
