"""One changed rule among many: what taking it over costs beside compiling all of them.

python -m tests.benchmarks.bench_reload [rules]
"""

import sys
import tempfile
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

from monitor.config.files import read_all
from monitor.config.rulebase import Rulebase, compile_rulebase
from tests.configuration import write

if TYPE_CHECKING:
    from monitor.errors import Problem

_RULES = 20_000


def main() -> None:
    """Print the figures, in CPU time."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else _RULES
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        queries = {
            f"r{n}": f'"word{n} word{n + 1}" AND (other{n % 997} OR more{n % 89}*)'
            for n in range(count)
        }
        standing, first = _loaded(path, queries, None)
        changed, again = _loaded(path, queries | {"r7": "another"}, standing)
        started = process_time()
        done = changed.carried_out()
        step = process_time() - started
    assert done.rule_set is standing.rule_set
    sys.stdout.write(
        f"{count} rules: {first:.2f} s to compile all; one changed: {again:.2f} s to find it after the YAML is read"
        f" ({first / again:.0f} times less), {1000 * step:.2f} ms to put it in\n"
    )


def _loaded(
    path: Path, queries: dict[str, str], standing: Rulebase | None
) -> tuple[Rulebase, float]:
    problems: list[Problem] = []
    files = read_all(write(path, rules=queries), problems)
    started = process_time()
    found = compile_rulebase(files.rules, files.entities, problems, standing)
    assert problems == []
    return found, process_time() - started


if __name__ == "__main__":
    main()
