"""What becomes of the rules in force when their files change."""

import pytest

from monitor.config.load import load
from monitor.config.rulebase import Rulebase
from monitor.errors import ConfigError
from tests.factories import NOW, article
from tests.unit.config.conftest import Write

OTHERS = "".join(f"  - {{id: other-{n}, query: other{n}}}\n" for n in range(20))
STANDING = f"""
rules:
  - {{id: talks, query: talks}}
  - {{id: both, query: "@talks summit", examples: {{match: [Talks before the summit]}}}}
{OTHERS}
lists: {{cities: [Geneva]}}
"""


def found(rulebase: Rulebase, title: str) -> list[str]:
    return [each.rule_id for each in rulebase.rule_set.match(article(title=title), NOW)]


@pytest.fixture
def standing(write: Write) -> Rulebase:
    return load(write(rules=STANDING), {}).rulebase


def test_only_what_differs_is_changed_and_the_next_article_sees_it(
    write: Write, standing: Rulebase
) -> None:
    changed = STANDING.replace("query: talks}", "query: parley}").replace("other3}", "new3}")
    changed = changed.replace("- {id: other-4, query: other4}", "- {id: more, query: more4}")
    changed = changed.replace("Talks before", "Parley before")
    revised = load(write(rules=changed), {}, standing).rulebase
    assert revised.revision
    assert {rule.id for rule in revised.revision.put} == {"talks", "other-3", "more"}
    assert revised.revision.drop == ("other-4",)
    assert found(standing, "Talks: other3, other4, summit") == [
        "both",
        "other-3",
        "other-4",
        "talks",
    ]
    done = revised.carried_out()
    assert done.rule_set is standing.rule_set
    assert found(done, "Talks: other3, other4, summit") == []
    assert found(done, "Parley: new3, more4, summit") == ["both", "more", "other-3", "talks"]
    assert done.carried_out() is done


def test_nothing_is_compiled_where_nothing_changed(write: Write, standing: Rulebase) -> None:
    again = load(write(rules=STANDING), {}, standing).rulebase
    assert again.revision is not None
    assert len(again.revision) == 0
    assert again.carried_out().rule_set is standing.rule_set


def test_what_a_match_carries_counts_as_a_change(write: Write, standing: Rulebase) -> None:
    text = STANDING.replace("query: talks}", "query: talks, severity: critical}")
    done = load(write(rules=text), {}, standing).rulebase.carried_out()
    (match,) = done.rule_set.match(article(), NOW)
    assert match.severity == "critical"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("query: talks}", 'query: "(talks"}', "is never closed"),
        ("query: talks}", 'query: "(@other-2"}', "is never closed"),
        ("query: talks}", 'query: "@nobody"}', "unknown rule 'nobody'"),
        ("query: talks}", 'query: "@both"}', "circle"),
        ("{id: talks, query: talks}", "{id: parley, query: talks}", "unknown rule 'talks'"),
        ("query: talks}", "query: parley}", "the rule 'both' does not find this example"),
        ("[Talks before the summit]", "[Talks]", "the rule 'both' does not find this example"),
        ("query: other1}", 'query: "list:@towns"}', "unknown list 'towns'"),
    ],
)
def test_a_mistake_anywhere_changes_nothing(
    write: Write, standing: Rulebase, old: str, new: str, problem: str
) -> None:
    text = STANDING.replace(old, new).replace("query: other7}", "query: changed7}")
    with pytest.raises(ConfigError, match=problem):
        load(write(rules=text), {}, standing)
    assert found(standing, "Talks: other7, summit") == ["both", "other-7", "talks"]
    assert found(standing, "changed7") == []


@pytest.mark.parametrize(
    "files",
    [
        {"rules": STANDING.replace("[Geneva]", "[Geneva, Vienna]")},
        {"entities": "entities: [{id: x, type: org, names: {en: [Xyz]}}]"},
        {"rules": STANDING.replace("query: other", "query: another")},
    ],
    ids=["lists", "entities", "most of the rules"],
)
def test_all_rules_are_compiled_again_where_what_they_name_changed(
    write: Write, standing: Rulebase, files: dict[str, str]
) -> None:
    done = load(write(**files), {}, standing).rulebase
    assert done.revision is None
    assert done.rule_set is not standing.rule_set
    assert found(done, "Talks before the summit") == ["both", "talks"]


def test_rules_that_trade_their_references_are_compiled_again(write: Write) -> None:
    before = f'rules:\n  - {{id: a, query: "@b x"}}\n  - {{id: b, query: y}}\n{OTHERS}'
    after = f'rules:\n  - {{id: a, query: y}}\n  - {{id: b, query: "@a x"}}\n{OTHERS}'
    standing = load(write(rules=before), {}).rulebase
    assert found(standing, "x y") == ["a", "b"]
    assert found(standing, "y") == ["b"]
    done = load(write(rules=after), {}, standing).rulebase.carried_out()
    assert found(done, "x y") == ["a", "b"]
    assert found(done, "y") == ["a"]
    assert done.revision is None


def test_rules_that_refer_to_each_other_go_together(write: Write, standing: Rulebase) -> None:
    text = STANDING.replace("  - {id: talks, query: talks}\n", "")
    text = text.replace(
        '{id: both, query: "@talks summit", examples: {match: [Talks before the summit]}}',
        '{id: first, query: "@second AND x"}\n  - {id: second, query: "@third"}\n  - {id: third, query: talks}',
    )
    done = load(write(rules=text), {}, standing).rulebase.carried_out()
    assert done.rule_set is standing.rule_set
    assert found(done, "Talks: x") == ["first", "second", "third"]
    back = load(write(rules=STANDING), {}, done).rulebase.carried_out()
    assert back.rule_set is standing.rule_set
    assert found(back, "Talks before the summit: x") == ["both", "talks"]
