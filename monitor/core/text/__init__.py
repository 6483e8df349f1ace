"""The text model that queries and articles share: folding, words, sentences and paragraphs, with exact offsets."""

from monitor.core.text.article import (
    DEFAULT_FIELDS,
    AnalysedArticle,
    AnalysedField,
    Place,
    Token,
    analyse,
)
from monitor.core.text.fold import fold
from monitor.core.text.scanner import SCANNER
from monitor.core.text.words import LETTER, Word, exact_words, is_by_character, spelled_out, split

__all__ = [
    "DEFAULT_FIELDS",
    "LETTER",
    "SCANNER",
    "AnalysedArticle",
    "AnalysedField",
    "Place",
    "Token",
    "Word",
    "analyse",
    "exact_words",
    "fold",
    "is_by_character",
    "spelled_out",
    "split",
]
