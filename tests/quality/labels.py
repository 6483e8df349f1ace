"""Runs the shipped rules over real items that people have labelled, and says how many they find.

MONITOR_CORPUS=… python -m tests.quality.labels
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.config.files import check, read
from monitor.config.rulefile import load_rule_set
from monitor.config.rules import examples, written_rules
from monitor.config.schema import RulesFile
from monitor.core.engine import RuleSet
from monitor.core.model import Article
from monitor.core.text import split
from tests.factories import NOW

if TYPE_CHECKING:
    from monitor.errors import Problem

_CONFIG = Path(__file__).parents[2] / "config"
_FILES = {
    "wikipedia-current-events-2025-26": "items.jsonl",
    "wikitimes-2015-09": "items.jsonl",
    "ag-news-test": "items.jsonl",
    "fwd-headlines-2022": "items.jsonl",
    "bbc-rss-items": "business.jsonl",
}
_POSITIVE = frozenset({"explicit", "implicit"})

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Score:
    """How the matches of a rule compare with labels."""

    found: frozenset[Key]
    wanted: frozenset[Key]

    @property
    def recall(self) -> float:
        """The share of what is wanted that was found."""
        return len(self.found & self.wanted) / max(1, len(self.wanted))

    @property
    def precision(self) -> float:
        """The share of what was found that is wanted."""
        return len(self.found & self.wanted) / max(1, len(self.found))

    def only(self, keys: frozenset[Key]) -> "Score":
        """Return the score over these items alone."""
        return Score(self.found & keys, self.wanted & keys)


def rules() -> RuleSet:
    """Load the rules that are shipped as examples."""
    return load_rule_set(_CONFIG / "rules.yaml", _CONFIG / "entities")


def items(corpus: Path) -> Iterator[tuple[Key, Article]]:
    """Yield every item of the labelled corpora, by corpus and row."""
    for name, file in _FILES.items():
        lines = (corpus / "alerts" / name / file).read_text(encoding="utf-8").splitlines()
        for row, line in enumerate(lines):
            item = json.loads(line)
            body = item.get("text") or item.get("description") or ""
            yield (name, row), Article(id=f"{name}/{row}", title=item.get("title", ""), body=body)


def found(rule_set: RuleSet, corpus: Path) -> dict[str, set[Key]]:
    """Return the items that each rule finds."""
    matches: dict[str, set[Key]] = {}
    for key, article in items(corpus):
        for match in rule_set.match(article, NOW):
            matches.setdefault(match.rule_id, set()).add(key)
    return matches


def un_resolution(matches: Mapping[str, Iterable[Key]], corpus: Path) -> Score:
    """Score the rule on UN resolutions over the judged items; borderline ones are left out."""
    labels = {_key(label): label["label"] for label in _labels(corpus, "un_resolution_gold.jsonl")}
    judged = {key for key, label in labels.items() if label != "borderline"}
    wanted = frozenset(key for key in judged if labels[key] in _POSITIVE)
    return Score(frozenset(matches.get("un-resolution", ())) & judged, wanted)


def entity(
    rule: str, matches: Mapping[str, Iterable[Key]], corpus: Path, is_wanted: Callable[[Any], bool]
) -> Score:
    """Score a rule over all items of Current Events; those that are not listed are negative."""
    listed = list(_labels(corpus, "entities_gold.jsonl"))
    corpora = {label["corpus"] for label in listed}
    of_rule = frozenset(key for key in matches.get(rule, ()) if key[0] in corpora)
    return Score(of_rule, frozenset(_key(label) for label in listed if is_wanted(label)))


def is_syria(label: Mapping[str, bool]) -> bool:
    """Tell whether an item names Syria, or links to it or to a story of it."""
    return label["syria_text"] or label["syria_linked"] or label["syria_story"]


def is_lavrov(label: Mapping[str, bool]) -> bool:
    """Tell whether an item names or links to Lavrov."""
    return label["lavrov_text"] or label["lavrov_linked"]


def held_out(corpus: Path) -> frozenset[Key]:
    """Return the items that have no run of three words in common with an example of a shipped rule.

    Nobody can have had these before their eyes who wrote the examples.
    """
    problems: list[Problem] = []
    sources = [check(read(_CONFIG / "rules.yaml"), RulesFile, problems)]
    assert problems == []
    tried = [example.article for rule in written_rules(sources) for example in examples(rule)]
    shown = {run for article in tried for run in _runs(article)}
    return frozenset(key for key, article in items(corpus) if shown.isdisjoint(_runs(article)))


def _runs(article: Article) -> Iterator[tuple[str, ...]]:
    words = [word.folded for word in split(f"{article.title} {article.summary} {article.body}")]
    return zip(words, words[1:], words[2:], strict=False)


def scores(corpus: Path) -> dict[str, Score]:
    """Score every shipped rule that has labels."""
    matches = found(rules(), corpus)
    return {
        "un-resolution": un_resolution(matches, corpus),
        "syria": entity("syria", matches, corpus, is_syria),
        "lavrov": entity("lavrov", matches, corpus, is_lavrov),
    }


def _labels(corpus: Path, file: str) -> Iterator[Mapping[str, Any]]:
    for line in (corpus / "alerts" / "labels" / file).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _key(label: Mapping[str, Any]) -> Key:
    return label["corpus"], label["row"]


def _said(score: Score) -> str:
    return (
        f"recall {score.recall:.3f}, precision {score.precision:.3f}"
        f" ({len(score.wanted)} wanted, {len(score.found)} found)"
    )


def main() -> None:
    """Print the figures, and with `-v` what was missed or found in error."""
    corpus = Path(os.environ["MONITOR_CORPUS"])
    unseen = held_out(corpus)
    for rule, score in scores(corpus).items():
        sys.stdout.write(f"{rule}: {_said(score)}\n")
        sys.stdout.write(f"  unlike any example: {_said(score.only(unseen))}\n")
        if "-v" in sys.argv:
            wrong = {"missed": score.wanted - score.found, "in error": score.found - score.wanted}
            texts = {key: f"{each.title} {each.body}" for key, each in items(corpus)}
            for what, keys in wrong.items():
                for key in sorted(keys):
                    sys.stdout.write(f"  {what}: {key[0]} {key[1]}: {texts[key]}\n")


if __name__ == "__main__":
    main()
