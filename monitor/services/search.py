"""Asks a query of the archive: for search, and for trying a rule on what was seen."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from monitor.core.chapter import Kept
from monitor.core.trial import Found, Trial
from monitor.ports import Archive, Page

_AT_ONCE = 500  # articles read and tried in one go, in threads


async def search(archive: Archive, trial: Trial, which: Page) -> AsyncIterator[Found]:
    """Yield the articles that the trial finds, newest first, at most as many as `which` says.

    The archive picks those that can be found, the engine decides. Raise `ArchiveError` as the archive does.
    """
    left, page = which.limit, replace(which, narrowing=trial.narrowing, limit=_AT_ONCE)
    while left > 0:
        candidates = await archive.page(page)
        for found in (await asyncio.to_thread(_find, trial, candidates))[:left]:
            yield found
            left -= 1
        if len(candidates) < _AT_ONCE:
            return
        page = replace(page, before=candidates[-1].number)


def _find(trial: Trial, candidates: Sequence[Kept]) -> list[Found]:
    return [
        Found(
            kept=kept, match=match, told=any(one.rule_id == trial.rule.id for one in kept.matches)
        )
        for kept in candidates
        if (match := trial.find(kept.article))
    ]
