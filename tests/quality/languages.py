"""Tells the languages of short texts, and says how often that is right and what it costs.

MONITOR_CORPUS=… python -m tests.quality.languages
"""

import csv
import json
import os
import resource
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import process_time

from monitor.core.language import settle
from monitor.feeds.linguist import guesses
from tests.quality.names import rows

_TEXTS = Path(__file__).parents[1] / "data" / "languages.tsv"
_ENGLISH = {
    "fwd-headlines-2022": "title",
    "ag-news-test": "title",
    "wikipedia-current-events-2025-26": "text",
}
_MOST = 1000  # titles of one corpus

Sample = tuple[str, str]


def texts() -> list[Sample]:
    """Return news in many languages, two texts in each: the language and the text."""
    with _TEXTS.open(encoding="utf-8", newline="") as table:
        read = csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row["lang"], row["text"]) for row in read]


def sentences() -> list[Sample]:
    """Return the sentences in which names are looked for: short, and half of each is names from elsewhere."""
    found = {row["sentence"]: row["lang"] for row in rows("aliases.tsv")}
    return [(lang, sentence) for sentence, lang in found.items()]


def english(corpus: Path) -> list[Sample]:
    """Return titles of corpora that are English throughout."""
    titles = []
    for name, key in _ENGLISH.items():
        lines = (corpus / "alerts" / name / "items.jsonl").read_text(encoding="utf-8").splitlines()
        titles += [("en", json.loads(line).get(key, "")) for line in lines[:_MOST]]
    return [(lang, title) for lang, title in titles if title]


def wrong(samples: Sequence[Sample], declared: str | None = None) -> list[tuple[str, str | None]]:
    """Return the language and what was told instead, for each text that is taken for another."""
    told = [(lang, settle(text, declared, guesses(text))) for lang, text in samples]
    return [(lang, other) for lang, other in told if other != lang]


def right(samples: Sequence[Sample], declared: str | None = None) -> float:
    """Return the share of texts that are told rightly."""
    return 1 - len(wrong(samples, declared)) / len(samples)


def main() -> None:
    """Print the figures."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = process_time()
    tuple(guesses("a"))
    load = process_time() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    sys.stdout.write(f"model: {1000 * load:.0f} ms to load, {grown:.1f} MiB\n")
    measured = {"news": texts(), "sentences with names": sentences()}
    if corpus := os.environ.get("MONITOR_CORPUS"):
        measured["English titles"] = english(Path(corpus))
    for what, samples in measured.items():
        started = process_time()
        alone = right(samples)
        micros = 1e6 * (process_time() - started) / len(samples)
        langs = len({lang for lang, _ in samples})
        sys.stdout.write(
            f"{what}: {len(samples)} in {langs} languages: {alone:.3f} right where nothing is declared,"
            f" {right(samples, 'en'):.3f} where all declare English, {micros:.0f} us each\n"
        )
        if "-v" in sys.argv:
            sys.stdout.write(f"  {Counter(wrong(samples)).most_common(20)}\n")


if __name__ == "__main__":
    main()
