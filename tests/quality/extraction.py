"""Extracts the texts of pages whose article bodies people have marked, and says how well.

MONITOR_CORPUS=… python -m tests.quality.extraction

The measure is that of scrapinghub/article-extraction-benchmark: runs of four words, shared and not.
"""

import gzip
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monitor.core.feed import Document
from monitor.feeds.extract import extract_page

_WORD = re.compile(r"\w+")
_RUN = 4


@dataclass(frozen=True, slots=True)
class Quality:
    """Precision and recall are means over pages."""

    pages: int
    precision: float
    recall: float
    seconds: float

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def measure(corpus: Path) -> Quality:
    """Extract every page of the benchmark and compare."""
    started = time.process_time()
    pairs = list(_pages(corpus))
    seconds = time.process_time() - started
    precisions, recalls = zip(*(_compare(wanted, found) for wanted, found in pairs), strict=True)
    return Quality(
        pages=len(pairs),
        precision=sum(precisions) / len(pairs),
        recall=sum(recalls) / len(pairs),
        seconds=seconds / len(pairs),
    )


def _pages(corpus: Path) -> Iterator[tuple[str, str]]:
    folder = corpus / "articles" / "article-extraction-benchmark"
    for name, truth in json.loads((folder / "ground-truth.json").read_text()).items():
        body = gzip.decompress((folder / "html" / f"{name}.html.gz").read_bytes())
        page = extract_page(Document(url=truth["url"], status=200, body=body))
        yield truth["articleBody"], page.text


def _compare(wanted: str, found: str) -> tuple[float, float]:
    true, predicted = _runs(wanted), _runs(found)
    shared = sum((true & predicted).values())
    precision = shared / sum(predicted.values()) if predicted else float(not true)
    return precision, shared / sum(true.values()) if true else 1.0


def _runs(text: str) -> Counter[tuple[str, ...]]:
    words = _WORD.findall(text)
    return Counter(
        tuple(words[place : place + _RUN]) for place in range(max(1, len(words) - _RUN + 1))
    )


def main() -> None:
    """Print the figures."""
    found = measure(Path(os.environ["MONITOR_CORPUS"]))
    sys.stdout.write(
        f"{found.pages} pages: F1 {found.f1:.3f}, precision {found.precision:.3f}, recall {found.recall:.3f},"
        f" {1000 * found.seconds:.0f} ms CPU a page\n"
    )


if __name__ == "__main__":
    main()
