"""The two implementations of the matcher, which must agree on everything."""

from collections.abc import Mapping

from monitor.core.compiled import NATIVE, Native

# What `compile_rules` and `RuleSet` take as `native`.
MATCHERS: Mapping[str, Native | None] = {"python": None} | ({"compiled": NATIVE} if NATIVE else {})
