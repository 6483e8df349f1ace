"""Rules that come and go leave nothing behind."""

import os
import sys
from pathlib import Path

import pytest

from monitor.core.compiled import Native
from monitor.core.engine import compile_rules
from tests.factories import NOW, article, rule

_ROUNDS = 34_000  # of an addition, a change and a removal each: over 100,000 changes
_SPARED = 64 << 20  # bytes; one leaked node, word or feature a round would be more


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.no_cover
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_hundred_thousand_changes_leave_nothing_behind(native: Native | None) -> None:
    rules = compile_rules([rule(id="always", query="talks")], native=native).rules
    held, before = rules.held(), 0
    rounds = _ROUNDS if native else _ROUNDS // 10  # Python's memory is counted by Python
    for n in range(rounds):
        if n == rounds // 10:
            before = _resident()
        rules.add(rule(id="r", query=f"x{n} OR yyy{n}*", version=""))
        rules.change(rule(id="r", query=f'"x{n} talks" AND =Z{n}', version=""))
        if not n % 1000:
            assert len(rules.match(article(body=f"x{n} word{n}"), NOW)) == 1
        rules.remove("r")
    assert rules.held() == held
    assert _resident() - before < _SPARED
