"""Makes, changes and removes rules while the system runs."""

import asyncio

from monitor.app.parts import StoreParts
from monitor.app.program import Program
from monitor.config.made import referring, try_rule
from monitor.config.rulebase import Rulebase
from monitor.core.made import Made
from monitor.errors import HeldError, RefusedError, UnknownError
from monitor.ports import Draft, RecordKind
from monitor.registry import RULES

_MOST = 10_000  # each process tries those that changed within a second


class RuleDesk:
    """Works on the rules of the registry. What is written is in force here when it returns, elsewhere in a second."""

    def __init__(self, program: Program, parts: StoreParts) -> None:
        """Check against what is in force in `program`."""
        self._program = program
        self._registry = parts.registry
        self._clock = parts.clock

    async def get(self, rule_id: str) -> Made | None:
        """Return the rule of this id that was made, if one was; a file may hold the id all the same."""
        record = await self._registry.get(RecordKind.RULE, rule_id)
        return RULES.decode(record.value) if record else None

    async def put(self, rule_id: str, made: Made) -> None:
        """Write a rule, new or instead of the one there is; raise `RefusedError` or `QueryError` if that cannot be."""
        base = await self._current(rule_id)
        known = len(base.made) + len(base.left_out)
        if known >= _MOST and await self.get(rule_id) is None:
            raise RefusedError(f"there are {known:,} rules in the store: write more into files")
        await asyncio.to_thread(try_rule, rule_id, made, base)
        draft = Draft(id=rule_id, value=RULES.encode(made))
        await self._registry.put(RecordKind.RULE, draft, self._clock.now())
        await self._program.following.step()

    async def remove(self, rule_id: str) -> None:
        """Match a rule no more; raise `RefusedError` for one that is not there, or that another refers to."""
        base = await self._current(rule_id)
        other = await asyncio.to_thread(referring, rule_id, base)
        if other is not None and other != rule_id:
            raise HeldError(f"the rule '{other}' refers to '{rule_id}': change or remove it first")
        if not await self._registry.remove(RecordKind.RULE, rule_id, self._clock.now()):
            raise UnknownError(f"no rule '{rule_id}'; `GET /api/rules` lists them")
        await self._program.following.step()

    async def _current(self, rule_id: str) -> Rulebase:
        """Return what is in force, up to date; raise `HeldError` where a file holds the id."""
        await self._program.following.step()
        files = self._program.files.rulebase
        if rule_id in files.rules:
            place = files.places.get(rule_id, "a file")
            raise HeldError(
                f"the rule '{rule_id}' stands in {place}: change it there, or take another id"
            )
        return self._program.settings.rulebase
