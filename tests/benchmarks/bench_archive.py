"""The archive: how fast it is written, how large it gets, how fast a rule is tried on it.

    python -m tests.benchmarks.bench_archive [--articles 100000] [--keep DIRECTORY]

Articles are 150 words from a vocabulary in which word n is as likely as 1/n, as in prose; the rule's words are among
them, so that a rule finds one article in some hundred. Figures are CPU seconds of this process, threads included. The
bounds, in the same run: the bytes of the same articles as JSON lines for the size, and the same rule asked of every
article one by one, without the index, for the rate.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path

from monitor.archive.sqlite import SqliteArchive, open_sqlite
from monitor.core.chapter import Chapter
from monitor.core.engine import compile_rules
from monitor.core.model import Article, Rule
from monitor.core.trial import Trial
from monitor.ports import Page
from monitor.services.search import search
from tests.factories import NOW, match

DAYS = 30
BATCH = 256
WORDS = 150
QUERIES = {
    "typical": '(syria OR damascus) NEAR/8 (resolution* OR draft OR "security council")',
    "one word": "geneva",
    "entity-like": '"foreign minister" OR lavrov OR лавров',
    "rare": "hullabaloo",
}
NAMES = (
    *("syria", "damascus", "resolution", "resolutions", "draft", "security", "council", "geneva"),
    *("foreign", "minister", "lavrov", "лавров", "hullabaloo"),
)


def vocabulary(chance: random.Random) -> tuple[list[str], list[float]]:
    letters = "etaoinshrdlucmfwypvbgk"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 10))) for _ in range(40_000)]
    for place, name in enumerate(NAMES):
        words[150 + 150 * place] = name
    return words, [1 / (n + 3) for n in range(len(words))]


def made(count: int) -> Iterator[Article]:
    chance = random.Random(6)  # noqa: S311 - repeatable, not secret
    words, weights = vocabulary(chance)
    for n in range(count):
        text = chance.choices(words, weights, k=WORDS)
        yield Article(
            id=f"article-{n}",
            feed_id=f"feed-{n % 500}",
            feed_name=f"Feed {n % 500}",
            url=f"https://news.example/{n}/{'-'.join(text[:5])}",
            title=" ".join(text[:9]).capitalize(),
            summary=" ".join(text[9:40]).capitalize(),
            body=" ".join(text[40:]).capitalize(),
            lang="en",
            published_at=NOW + timedelta(days=DAYS) * (n / count),
            seen_at=NOW + timedelta(days=DAYS) * (n / count) + timedelta(minutes=3),
            fingerprint=f"f{n}",
        )


def as_json(article: Article) -> int:
    row = [article.id, article.url, article.title, article.summary, article.body]
    return len(json.dumps(row)) + 1


async def fill(archive: SqliteArchive, count: int) -> None:
    articles, plain, spent = made(count), 0, 0.0
    while batch := list(islice(articles, BATCH)):
        plain += sum(map(as_json, batch))
        chapters = [
            Chapter(article=one, matches=(match(article_id=one.id),) if n % 20 == 0 else ())
            for n, one in enumerate(batch)
        ]
        start = time.process_time()
        await archive.add(chapters)
        spent += time.process_time() - start
    size = await archive.size()
    print(f"write      {count / spent:10,.0f} articles a CPU second")
    print(
        f"size       {size.bytes / count:10,.0f} bytes an article, index included:"
        f" {size.bytes / plain:.2f} of JSON lines"
    )


async def try_rules(archive: SqliteArchive, count: int) -> None:
    for name, query in QUERIES.items():
        trial = Trial(Rule(id="trial", query=query), compile_rules(()).rules)
        start, wall = time.process_time(), time.perf_counter()
        found = [one.kept.number async for one in search(archive, trial, Page(limit=count))]
        spent, waited = time.process_time() - start, time.perf_counter() - wall
        print(
            f"{name:12} {count / spent:8,.0f} articles a CPU second, {waited * 1000:6.0f} ms,"
            f" finds {len(found)}"
        )


async def one_by_one(archive: SqliteArchive) -> None:
    trial = Trial(Rule(id="trial", query=QUERIES["typical"]), compile_rules(()).rules)
    start = time.process_time()
    kept = await archive.page(Page(limit=2000))
    found = sum(trial.find(each.article) is not None for each in kept)
    spent = time.process_time() - start
    print(f"no index   {len(kept) / spent:10,.0f} articles a CPU second, finds {found}")


async def main(count: int, directory: Path) -> None:
    async with open_sqlite(directory / "archive.sqlite") as archive:
        if not await archive.count(None, None):
            await fill(archive, count)
        await try_rules(archive, await archive.count(None, None))
        await one_by_one(archive)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--articles", type=int, default=100_000)
    arguments.add_argument("--keep", type=Path, help="Where to leave the archive, to use it again.")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(main(given.articles, given.keep or Path(temporary)))
