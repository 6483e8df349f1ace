"""The archive: how fast it is written, how large it gets, how fast a rule is tried on it; in a file and in PostgreSQL.

    python -m tests.benchmarks.bench_archive [--articles 100000] [--keep DIRECTORY]

Articles are 150 words from a vocabulary in which word n is as likely as 1/n, as in prose; the rule's words are among
them, so that a rule finds one article in some hundred. Figures are CPU seconds of this process, threads included, and
seconds on the clock: the server of PostgreSQL is another process, whose CPU seconds stand at its end. It is there where
its programs are. The bounds, in the same run: the bytes of the same articles as JSON lines for the size, and the same
rule asked of every article one by one, without the index, for the rate.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import accumulate, islice
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from monitor.archive.postgres import open_postgres
from monitor.archive.sqlite import open_sqlite
from monitor.core.chapter import Chapter
from monitor.core.engine import compile_rules
from monitor.core.model import Article, Rule
from monitor.core.trial import Trial
from monitor.lookback import search
from monitor.ports import Archive, Page
from tests.factories import NOW, match
from tests.servers.postgres import find, running_postgres

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
    summed = list(accumulate(weights))  # once: there are 40,000
    for n in range(count):
        text = chance.choices(words, cum_weights=summed, k=WORDS)
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


async def fill(archive: Archive, count: int) -> None:
    articles, plain, spent, waited = made(count), 0, 0.0, 0.0
    while batch := list(islice(articles, BATCH)):
        plain += sum(map(as_json, batch))
        chapters = [
            Chapter(article=one, matches=(match(article_id=one.id),) if n % 20 == 0 else ())
            for n, one in enumerate(batch)
        ]
        start, wall = time.process_time(), time.perf_counter()
        await archive.add(chapters)
        spent, waited = (
            spent + time.process_time() - start,
            waited + time.perf_counter() - wall,
        )
    size = await archive.size()
    print(
        f"write      {count / spent:10,.0f} articles a CPU second, {count / waited:,.0f} a second"
    )
    print(
        f"size       {size.bytes / count:10,.0f} bytes an article, index included:"
        f" {size.bytes / plain:.2f} of JSON lines"
    )


async def try_rules(archive: Archive, count: int) -> None:
    for name, query in QUERIES.items():
        trial = Trial(Rule(id="trial", query=query), compile_rules(()).rules)
        start, wall = time.process_time(), time.perf_counter()
        found = [one.kept.number async for one in search(archive, trial, Page(limit=count))]
        spent, waited = time.process_time() - start, time.perf_counter() - wall
        print(
            f"{name:12} {count / spent:8,.0f} articles a CPU second, {waited * 1000:6.0f} ms,"
            f" finds {len(found)}"
        )


async def one_by_one(archive: Archive) -> None:
    trial = Trial(Rule(id="trial", query=QUERIES["typical"]), compile_rules(()).rules)
    start = time.process_time()
    kept = await archive.page(Page(limit=2000))
    found = sum(trial.find(each.article) is not None for each in kept)
    spent = time.process_time() - start
    print(f"no index   {len(kept) / spent:10,.0f} articles a CPU second, finds {found}")


async def main(count: int, directory: Path) -> None:
    print("in a file:")
    async with open_sqlite(directory / "archive.sqlite") as archive:
        if not await archive.count(None, None):
            await fill(archive, count)
        await try_rules(archive, await archive.count(None, None))
        await one_by_one(archive)


async def main_in_postgres(count: int, url: str) -> None:
    print("in PostgreSQL:")
    async with open_postgres(url) as archive:
        await fill(archive, count)
        await try_rules(archive, count)
        await one_by_one(archive)


def measure_postgres(count: int) -> None:
    if find("initdb") is None:
        print("PostgreSQL is not here")
        return
    before = getrusage(RUSAGE_CHILDREN)
    with running_postgres() as server:
        asyncio.run(main_in_postgres(count, server.url))
    after = getrusage(RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"server     {spent:10.1f} CPU seconds in all")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--articles", type=int, default=100_000)
    arguments.add_argument("--keep", type=Path, help="Where to leave the archive, to use it again.")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(main(given.articles, given.keep or Path(temporary)))
    measure_postgres(given.articles)
