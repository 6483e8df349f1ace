"""What analysing and matching cost, beside the cost of only cutting the same text into words.

Run with `python -m tests.benchmarks.bench_match`. Reads stored queries and articles from MONITOR_CORPUS if that is set,
else makes its own. Prints CPU time in microseconds an article, the best of several rounds; asserts nothing.
"""

import os
import random
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from monitor.core.engine import Bindings, Evaluation, compile_rules
from monitor.core.model import Article
from monitor.core.query import parse
from monitor.core.text import analyse
from tests.factories import NOW, article, rule

ROUNDS = 5
ARTICLES = 40
RULE_COUNTS = (3, 100, 1_000, 10_000, 100_000)
_RARE = 0.8  # of the queries ask for something that the articles seldom speak of
_SYLLABLES = ("ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "zu")


def main() -> None:
    articles, queries = _from_corpus() if os.environ.get("MONITOR_CORPUS") else _made_up()
    texts = [given.body for given in articles]
    words = re.compile(r"\w+")
    floor = _measure(words.findall, texts)
    print(f"{len(texts)} articles of {sum(map(len, texts)) // len(texts)} characters")
    _report("floor: re.findall", floor, floor)
    _report("analyse", _measure(analyse, articles), floor)
    for count in sorted({min(count, len(queries)) for count in RULE_COUNTS}):
        rules = compile_rules(
            [rule(id=f"{n:06}", query=q) for n, q in enumerate(queries[:count])]
        ).rules
        _report(
            f"match {count} rules",
            _measure(lambda given, r=rules: r.match(given, NOW), articles),
            floor,
        )
    expressions = [parse(query) for query in queries[:1_000]]

    def ask_every_one(given: Article) -> None:
        evaluation = Evaluation(analyse(given), Bindings(), NOW)
        for expression in expressions:
            evaluation.matches(expression)

    _report(f"ask {len(expressions)} rules one by one", _measure(ask_every_one, articles), floor)


def _measure(
    action: Callable[[object], object] | Callable[..., object], inputs: Sequence[object]
) -> float:
    """Return microseconds of CPU time for one input."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for given in inputs:
            action(given)
        best = min(best, time.process_time() - began)
    return best / len(inputs) * 1e6


def _report(what: str, cost: float, floor: float) -> None:
    print(f"{what:32} {cost:10.1f} µs  {cost / floor:8.1f} floors")


def _from_corpus() -> tuple[list[Article], list[str]]:
    folder = Path(os.environ["MONITOR_CORPUS"]) / "matching"
    documents = (folder / "docs.txt").read_text(encoding="utf-8").splitlines()[:ARTICLES]
    queries = (folder / "rules_100k.txt").read_text(encoding="utf-8").splitlines()
    return [article(title="", summary="", body=document) for document in documents], queries


def _made_up() -> tuple[list[Article], list[str]]:
    """Make articles and queries of invented words, common ones more often, as in a language."""
    generator = random.Random(7)  # noqa: S311 - a benchmark must be the same each time
    # Shorter words are the more common ones, as in a language.
    syllables = (
        "".join(generator.choices(_SYLLABLES, k=generator.randint(1, 5))) for _ in range(30_000)
    )
    vocabulary = sorted(set(syllables), key=lambda word: (len(word), word))

    def common() -> str:
        return vocabulary[int(len(vocabulary) ** generator.random()) - 1]

    def query() -> str:
        rare = generator.random() < _RARE
        one = generator.choice(vocabulary) if rare else common()
        two, three = generator.choice(vocabulary), generator.choice(vocabulary)
        shapes = (
            f'"{one} {two}"',
            f"{one} NEAR/3 {two}",
            f"{one} AND {two} AND NOT {three}",
            f"({two} OR {three}) AND {one}",
            two,
        )
        return generator.choice(shapes)

    bodies = [" ".join(common() for _ in range(560)) for _ in range(ARTICLES)]
    return [article(title="", summary="", body=body) for body in bodies], [
        query() for _ in range(10_000)
    ]


if __name__ == "__main__":
    main()
