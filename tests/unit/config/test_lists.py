"""Named lists that cannot be used."""

from pathlib import Path

import pytest

from monitor.config.load import load
from monitor.errors import ConfigError


def test_list_that_costs_too_much_is_refused_at_its_name(tmp_path: Path) -> None:
    entries = "".join(f"    - '*part{n}'\n" for n in range(201))
    rules = f"rules:\n  - {{id: a, query: 'list:@big OR syria'}}\nlists:\n  big:\n{entries}"
    (tmp_path / "rules.yaml").write_text(rules)
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, {})
    [problem] = refused.value.problems
    assert (problem.line, problem.message.split()[0]) == (4, "201")
    assert problem.hint.startswith("a list has at most 200")
