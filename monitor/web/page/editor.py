"""`/editor`: a query is tried while it is written: its mistakes, its tree, what it finds, and what it would have."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from aiohttp import web

from monitor import lookback
from monitor.core.engine import Explanation, RuleSet
from monitor.core.model import Article, Rule, Severity
from monitor.core.rehearsal import Rehearsal
from monitor.core.trial import Found, Trial
from monitor.errors import HeldError, QueryError, RefusedError
from monitor.lookback import Backtest
from monitor.ports import Archive, Page
from monitor.web.api.making import RuleBody
from monitor.web.api.operation import ApiProblem
from monitor.web.page.backstage import Backstage, Example
from monitor.web.page.chart import Chart, chart_of
from monitor.web.page.filters import Row, row_of
from monitor.web.page.frame import Visit, problem_of, see
from monitor.web.page.saving import body_of, form_of, settings_of, titles
from monitor.web.page.site import Shown

_PREVIEWED = timedelta(days=7)
_MOST_PREVIEWED = 50
_PREVIEW_SECONDS = 3
_SHOWN = 8
_SECONDS = 120
_BACKTESTS_AT_ONCE = 1  # each reads much of the archive
_PERIODS = {"1d": 1, "7d": 7, "30d": 30}
_USUAL_PERIOD = "7d"
_NOTHING = Article(id="")


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedExample:
    """An example, and whether the query does with it what is wanted."""

    example: Example
    good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is to say of a query: what is wrong with it, or what it means and finds. `more`: it finds more yet."""

    error: QueryError | None = None
    tree: Explanation | None = None
    examples: Sequence[TriedExample] = ()
    rows: Sequence[Row] = ()
    found: int = 0
    more: bool = False
    days: int = _PREVIEWED.days


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A backtest with its chart. `gained` and `lost` are the newest of what a change makes."""

    tested: Backtest
    chart: Chart
    against: str
    gained: Sequence[Article]
    lost: Sequence[Article]
    rows: Sequence[Row]


class EditorViews:
    """The editor, its answers while somebody types, and the backtest."""

    def __init__(self, backstage: Backstage) -> None:
        """Try queries on the archive."""
        self._backstage = backstage
        self._turn = asyncio.Semaphore(_BACKTESTS_AT_ONCE)

    async def show(self, visit: Visit) -> Shown:
        """Show the editor, with the query of a rule if the address names one."""
        asked = visit.request.query
        form: Mapping[str, str] = {"query": asked.get("query", "")}
        rule = self._rules().get(asked.get("rule", ""))
        if rule is not None:
            examples = self._backstage.examples(rule.id)
            form = form_of(rule, examples, made=self._is_made(rule.id))
        return await self._show(form)

    async def try_(self, visit: Visit) -> Shown:
        """Answer the script that asks while somebody types."""
        answer = await self._answer(visit.form)
        return Shown(template="answer.html", says={"answer": answer, "past": None})

    async def backtest(self, visit: Visit) -> Shown:
        """Show what the query would have found, and against the rule it comes from."""
        return await self._show(visit.form, backtest=True)

    async def save(self, visit: Visit) -> Shown | web.Response:
        """Keep the rule in the store, or say what is wrong with it and change nothing."""
        form, wanted = visit.form, visit.form.get("id", "").strip()
        try:
            if wanted != form.get("rule") and wanted in self._rules():
                raise HeldError(f"there is a rule '{wanted}' already: open it, or take another id")
            body = await self._body(form)
            await self._backstage.making.put_rule(visit.asked(body=body, id=wanted))
        except (ApiProblem, QueryError, RefusedError) as error:
            problem = problem_of(error)
            return await self._show(form, wrong=problem)
        return see(f"/rules/{quote(wanted, safe='')}?said=saved")

    async def remove(self, visit: Visit) -> web.Response:
        """Remove a rule that was made."""
        wanted = visit.request.match_info["id"]
        await self._backstage.making.remove_rule(visit.asked(id=wanted))
        return see("/rules?said=removed")

    async def _body(self, form: Mapping[str, str]) -> RuleBody:
        rule = self._rules().get(form.get("rule", ""))
        if rule is None:
            return body_of(form, {}, ())
        made = self._is_made(rule.id) and await self._backstage.making.rules.get(rule.id)
        before = made.settings if made else settings_of(rule)
        return body_of(form, before, self._backstage.examples(rule.id))

    def _is_made(self, rule_id: str) -> bool:
        current = self._backstage.operations.in_force()
        return rule_id in current.made or rule_id in current.left_out

    async def _show(
        self,
        form: Mapping[str, str],
        *,
        backtest: bool = False,
        wrong: ApiProblem | None = None,
    ) -> Shown:
        answer = await self._answer(form) if form.get("query", "").strip() else None
        past = None
        if backtest and answer and not answer.error:
            past = await self._past(form)
        says = {
            "form": form,
            "rule": form.get("rule", ""),
            "wrong": wrong,
            "severities": list(Severity),
            "place": self._backstage.places().get(form.get("rule", ""), ""),
            "answer": answer,
            "past": past,
            "periods": _PERIODS,
            "period": form.get("period", _USUAL_PERIOD),
        }
        status = wrong.status if wrong else 200
        return Shown(template="editor.html", status=status, says=says)

    def _rules(self) -> dict[str, Rule]:
        """Return the rules that can be opened: those in force, and those that were made and cannot be used."""
        current = self._backstage.operations.in_force()
        left_out = {id_: each.rule for id_, each in current.left_out.items()}
        return {rule.id: rule for rule in current.rules} | left_out

    async def _answer(self, form: Mapping[str, str]) -> Answer:
        ours, query = self._backstage.operations, form.get("query", "")
        rule_set = ours.in_force().rule_set
        try:
            trial, tree = await asyncio.to_thread(_compiled, query, rule_set)
        except QueryError as error:
            return Answer(error=error)
        examples = await asyncio.to_thread(_tried_form, trial, form)
        found, more = await self._preview(ours.archive, trial) if ours.archive else ([], False)
        return Answer(
            tree=tree,
            examples=examples,
            rows=[_row(each) for each in found[:_SHOWN]],
            found=len(found),
            more=more,
        )

    async def _preview(self, archive: Archive, trial: Trial) -> tuple[list[Found], bool]:
        """Return what is found first, and whether there may be more: somebody waits, and types on."""
        since = self._backstage.operations.clock.now() - _PREVIEWED
        page = Page(since=since, limit=_MOST_PREVIEWED)
        found: list[Found] = []
        try:
            async with asyncio.timeout(_PREVIEW_SECONDS):
                async for each in lookback.search(archive, trial, page):
                    found.append(each)  # noqa: PERF401 - what was found in time is kept
        except TimeoutError:
            return found, True
        return found, len(found) == _MOST_PREVIEWED

    async def _past(self, form: Mapping[str, str]) -> Past:
        ours, now = self._backstage.operations, self._backstage.operations.clock.now()
        if ours.archive is None:
            raise ApiProblem(404, "nothing is archived: `archive.enabled` is false")
        since = now - timedelta(days=_PERIODS.get(form.get("period", ""), 7))
        rule_set = ours.in_force().rule_set
        trial = await asyncio.to_thread(Trial, Rule(id="?", query=form["query"]), rule_set)
        rule = self._rules().get(form.get("rule", ""))
        against = await asyncio.to_thread(Trial, rule, rule_set) if rule else None
        rehearsal = Rehearsal(ours.in_force().routing, rule)
        try:
            async with asyncio.timeout(_SECONDS), self._turn:
                tested = await lookback.backtest(
                    ours.archive, trial, Page(since=since, limit=2**31), _SHOWN, against, rehearsal
                )
        except TimeoutError:
            raise ApiProblem(
                503,
                f"this took longer than {_SECONDS} s: choose fewer days, or ask on the command line",
            ) from None
        change = tested.difference
        return Past(
            tested=tested,
            chart=chart_of(tested.tally, since, now),
            against=rule.id if rule else "",
            gained=list(change.gained.values()) if change else [],
            lost=list(change.lost.values()) if change else [],
            rows=[_row(each) for each in tested.newest],
        )


def _compiled(query: str, rules: RuleSet) -> tuple[Trial, Explanation]:
    rule = Rule(id="?", query=query)
    trial = Trial(rule, rules)
    return trial, trial.explain(_NOTHING)


def _row(found: Found) -> Row:
    return row_of(found.kept.article, found.kept.matches, found.match)


def _tried_form(trial: Trial, form: Mapping[str, str]) -> list[TriedExample]:
    """Try the examples that stand in a form, a headline in each line."""
    given = (
        each
        for wanted, name in ((True, "match"), (False, "no_match"))
        for each in _examples(form.get(name, ""), wanted=wanted)
    )
    return tried(trial, given)


def tried(trial: Trial, examples: Iterable[Example]) -> list[TriedExample]:
    """Try examples."""
    return [
        TriedExample(example=each, good=(trial.find(each.article) is not None) is each.wanted)
        for each in examples
    ]


def _examples(text: str, *, wanted: bool) -> list[Example]:
    return [
        Example(article=Article(id="example", title=each), wanted=wanted) for each in titles(text)
    ]
