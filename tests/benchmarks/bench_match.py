"""What analysing and matching cost, beside the cost of only cutting the same text into words.

Run with `python -m tests.benchmarks.bench_match`; `--million` multiplies the rules to a million (some minutes),
`--python` leaves the compiled matcher out. Reads stored queries and articles from MONITOR_CORPUS if that is set, else
makes its own. Prints CPU microseconds for each article, the best of several rounds, and as a multiple of the floor:
finding the words of the text with `re`. A match is the whole call: every match made, with every span. Asserts nothing.
"""

import gc
import os
import random
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from monitor.core.compiled import NATIVE, Native
from monitor.core.engine import Bindings, Evaluation, compile_rules
from monitor.core.model import Article, Rule
from monitor.core.query import parse
from monitor.core.text import analyse
from tests.factories import NOW, article, rule

ROUNDS = 5
ARTICLES = 40
RULE_COUNTS = (3, 100, 1_000, 10_000, 100_000)
MILLION = 1_000_000
CHANGES = 300
_RARE = 0.8  # of the queries ask for something that the articles seldom speak of
_SYLLABLES = ("ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "zu")


def main() -> None:
    articles, queries = _from_corpus() if os.environ.get("MONITOR_CORPUS") else _made_up()
    texts = [given.body for given in articles]
    words = re.compile(r"\w+")
    floor = _measure(words.findall, texts)
    native = None if "--python" in sys.argv else NATIVE
    print(f"{len(texts)} articles of {sum(map(len, texts)) // len(texts)} characters")
    print(f"matcher: {'compiled' if native else 'pure Python'}")
    _report("floor: re.findall", floor, floor)
    _report("analyse", _measure(analyse, articles), floor)
    counts = {min(count, len(queries)) for count in RULE_COUNTS}
    for count in sorted(counts | ({MILLION} if "--million" in sys.argv else set())):
        _measure_rules(count, queries, articles, floor, native)
    expressions = [parse(query) for query in queries[:1_000]]

    def ask_every_one(given: Article) -> None:
        evaluation = Evaluation(analyse(given), Bindings(), NOW)
        for expression in expressions:
            evaluation.matches(expression)

    _report(f"ask {len(expressions)} rules one by one", _measure(ask_every_one, articles), floor)


def _measure_rules(
    count: int,
    queries: Sequence[str],
    articles: Sequence[Article],
    floor: float,
    native: Native | None,
) -> None:
    given = [rule(id=f"{n:07}", query=_varied(queries, n), version="v") for n in range(count)]
    began, before = time.process_time(), _resident()
    rules = compile_rules(given, native=native).rules
    took = time.process_time() - began
    gc.freeze()  # as the daemon does once it is loaded
    found = [match for each in articles for match in rules.match(each, NOW)]
    spans = sum(len(match.spans) for match in found)
    print(
        f"{count} rules: ready in {took:.1f} s, {_resident() - before:.0f} MB more, {_resident():.0f} MB in all"
    )
    print(
        f"an article has {len(found) / len(articles):.1f} matches, {spans / len(articles):.1f} spans"
    )
    _report(f"match {count} rules", _measure(lambda each: rules.match(each, NOW), articles), floor)
    seen = article(title="", summary="", body="extra0 syria")
    rules.add(rule(id="seen", query="extra0 NEAR/3 syria"))
    print(f"the next article has a rule just added: {rules.match(seen, NOW)[-1].rule_id == 'seen'}")
    rules.remove("seen")
    extra = [rule(id=f"extra{n}", query=f"extra{n} NEAR/3 syria") for n in range(CHANGES)]
    for what, change in (
        ("add", rules.add),
        ("change", rules.change),
        ("remove", lambda each: rules.remove(each.id)),
    ):
        times = sorted(_timed(change, each) for each in extra)
        print(f"{what:32} {times[CHANGES // 2]:10.1f} µs  {times[-1]:8.1f} at most")


def _varied(queries: Sequence[str], number: int) -> str:
    """Repeat the queries as often as it takes, each time about something else besides."""
    again, index = divmod(number, len(queries))
    return f"({queries[index]}) AND NOT never{again}" if again else queries[index]


def _timed(change: Callable[[Rule], None], given: Rule) -> float:
    began = time.perf_counter()
    change(given)
    return (time.perf_counter() - began) * 1e6


def _resident() -> float:
    """Return the megabytes of memory in use."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


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
