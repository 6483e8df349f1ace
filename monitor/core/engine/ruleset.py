"""Every rule at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.core.engine.anchors import anchors, features
from monitor.core.engine.evaluation import Bindings, Evaluation, View
from monitor.core.engine.explain import Explanation, explain_node, spans
from monitor.core.entities import Gazetteer
from monitor.core.model import Article, Match, Rule
from monitor.core.query import parse, resolve, rule_version
from monitor.core.query.expression import Expression, Not, Score
from monitor.core.text import AnalysedArticle, analyse
from monitor.errors import QueryError


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule, its query as a tree, and the version to put on its matches."""

    rule: Rule
    expression: Expression
    version: str


class RuleSet:
    """Rules that can be asked of any article. Never changes, so that any number of threads may use it."""

    def __init__(self, rules: Sequence[CompiledRule], bindings: Bindings) -> None:
        self._rules = {compiled.rule.id: compiled for compiled in sorted(rules, key=_by_id)}
        self._bindings = bindings
        self._unanchored: list[str] = []
        self._by_anchor: dict[str, list[str]] = {}
        for id_, compiled in self._rules.items():
            found = anchors(compiled.expression, bindings)
            if found is None:
                self._unanchored.append(id_)
            for anchor in found or ():
                self._by_anchor.setdefault(anchor, []).append(id_)

    def __len__(self) -> int:
        return len(self._rules)

    def __contains__(self, rule_id: object) -> bool:
        return rule_id in self._rules

    def match(self, article: Article, now: datetime) -> tuple[Match, ...]:
        """Return a match for each rule that is not expired and finds the article, in the order of rule ids."""
        analysed = analyse(article)
        evaluation = Evaluation(analysed, self._bindings, now)
        return tuple(
            _match(compiled, analysed, evaluation)
            for compiled in self._candidates(analysed)
            if not _is_expired(compiled.rule, now) and evaluation.matches(compiled.expression)
        )

    def _candidates(self, article: AnalysedArticle) -> list[CompiledRule]:
        """Return the rules that may hold, in the order of their ids."""
        found = set(self._unanchored)
        for anchor in features(article.vocabulary()) & self._by_anchor.keys():
            found.update(self._by_anchor[anchor])
        return [self._rules[id_] for id_ in sorted(found)]

    def explain(self, rule_id: str, article: Article, now: datetime) -> Explanation:
        """Return why a rule finds an article or does not, whether or not it is expired."""
        analysed = analyse(article)
        evaluation = Evaluation(analysed, self._bindings, now)
        return explain_node(self._rules[rule_id].expression, analysed, evaluation)


def _by_id(compiled: CompiledRule) -> str:
    return compiled.rule.id


def _is_expired(rule: Rule, now: datetime) -> bool:
    return rule.expires_at is not None and rule.expires_at <= now


def _match(compiled: CompiledRule, article: AnalysedArticle, evaluation: Evaluation) -> Match:
    rule = compiled.rule
    return Match(
        rule_id=rule.id,
        article_id=article.article.id,
        rule_version=compiled.version,
        rule_name=rule.name,
        severity=rule.severity,
        labels=rule.labels,
        score=_score(compiled.expression, evaluation),
        spans=spans(evaluation.leaves(compiled.expression), article),
    )


def _score(node: Expression, evaluation: Evaluation, view: View | None = None) -> int | None:
    """Return the best sum of the SCOREs that hold."""
    view = view or evaluation.whole
    sums = evaluation.scores(node, view).values() if isinstance(node, Score) else ()
    found = [total for total in sums if isinstance(node, Score) and total >= node.threshold]
    if not isinstance(node, Not):
        below = evaluation.view_below(node, view)
        found += [
            total
            for part in evaluation.parts(node)
            if (total := _score(part, evaluation, below)) is not None
        ]
    return max(found, default=None)


@dataclass(frozen=True, slots=True)
class Compilation:
    """The rules that can be used, and what is wrong with the others, by rule id."""

    rules: RuleSet
    problems: Mapping[str, tuple[QueryError, ...]]


def compile_rules(
    rules: Sequence[Rule],
    *,
    gazetteer: Gazetteer | None = None,
    lists: Mapping[str, Expression] | None = None,
) -> Compilation:
    """Make rules ready to match. Report the problems of all that cannot be used; the others work without them."""
    gazetteer = gazetteer or Gazetteer()
    lists = lists or {}
    parsed, unparsed = _parse(rules)
    known = {rule.id for rule in rules}
    sound = {id_: expression for id_, expression in parsed.items() if id_ not in unparsed}
    problems = unparsed | resolve(sound, known=known, gazetteer=gazetteer, lists=lists)
    usable = {id_: expression for id_, expression in sound.items() if id_ not in problems}
    by_id = {rule.id: rule for rule in rules}
    compiled = [
        CompiledRule(by_id[id_], expression, by_id[id_].version or rule_version(by_id[id_].query))
        for id_, expression in usable.items()
    ]
    return Compilation(RuleSet(compiled, Bindings(usable, lists, gazetteer)), problems)


def _parse(
    rules: Sequence[Rule],
) -> tuple[dict[str, Expression], dict[str, tuple[QueryError, ...]]]:
    parsed: dict[str, Expression] = {}
    problems: dict[str, tuple[QueryError, ...]] = {}
    for rule in rules:
        twice = QueryError(f"the id '{rule.id}' is used by two rules", 0, 1, "rename one of them")
        if rule.id in parsed or rule.id in problems:
            problems[rule.id] = (twice,)
            continue
        try:
            parsed[rule.id] = parse(rule.query)
        except QueryError as error:
            problems[rule.id] = (error,)
    return parsed, problems
