"""The matching engine: rules asked of articles, with the places found and the reasons why."""

from monitor.core.engine.catalogue import CompiledRule
from monitor.core.engine.compilation import Compilation, compile_rules
from monitor.core.engine.evaluation import Bindings, Evaluation
from monitor.core.engine.explain import Explanation
from monitor.core.engine.ruleset import Budget, RuleSet

__all__ = [
    "Bindings",
    "Budget",
    "Compilation",
    "CompiledRule",
    "Evaluation",
    "Explanation",
    "RuleSet",
    "compile_rules",
]
