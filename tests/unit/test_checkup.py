"""What is found by the doctor: each fact on both sides of its line."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core import checkup
from monitor.core.checkup import MIB, Finding, Grade, Machine
from monitor.core.outcome import Delivered, DeliveryReason, RetryLater

WELL = Machine(
    python="3.11.7",
    matcher="compiled",
    files=65536,
    memory=4096 * MIB,
    disk_free=9000 * MIB,
    disk_path="data",
    synchronised=True,
)


def not_well(findings: Iterable[Finding]) -> dict[str, Grade]:
    """Return what is not well; each of it has a next step, and nothing else has."""
    findings = list(findings)
    assert all(bool(each.fix) == (each.grade is not Grade.OK) for each in findings)
    return {each.name: each.grade for each in findings if each.grade is not Grade.OK}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {}),
        ({"matcher": "pure Python"}, {"machine": Grade.LOOK}),
        ({"files": 1023}, {"open files": Grade.BAD}),
        ({"files": 1024}, {}),
        ({"memory": 511 * MIB}, {"memory": Grade.LOOK}),
        ({"memory": None}, {}),
        ({"disk_free": 1023 * MIB}, {"disk": Grade.BAD}),
        ({"synchronised": False}, {"clock": Grade.LOOK}),
        ({"synchronised": None}, {}),
    ],
)
def test_machine(changes: dict[str, object], expected: dict[str, Grade]) -> None:
    facts = replace(WELL, **changes)  # type: ignore[arg-type]
    assert not_well(checkup.machine(facts, wanted_memory=512 * MIB)) == expected


@pytest.mark.parametrize(
    ("used", "limit", "skew", "durable", "expected"),
    [
        (80, 100, 0, True, {}),
        (81, 100, 0, True, {"store": Grade.LOOK}),
        (81, 0, 2, True, {}),
        (1, 100, 3, True, {"store's clock": Grade.BAD}),
        (1, 100, 0, False, {"store's log": Grade.BAD}),
    ],
)
def test_store(used: int, limit: int, skew: int, durable: bool, expected: dict[str, Grade]) -> None:
    found = checkup.store(
        "Valkey 9", used * MIB, limit * MIB, timedelta(seconds=skew), durable=durable
    )
    assert not_well(found) == expected


def test_what_waits_is_bad_when_it_is_old() -> None:
    at_most = checkup.STALE
    assert checkup.waiting("matcher", 5, at_most).grade is Grade.OK
    assert checkup.waiting("matcher", 0, None).says == "0 waiting"
    old = checkup.waiting("matcher", 5, at_most + timedelta(minutes=1))
    assert (old.grade, old.says) == (Grade.BAD, "5 waiting, oldest 11 min")
    assert "monitor run --only matcher" in old.fix


def test_receiver() -> None:
    assert checkup.receiver("desk/email", Delivered()).says == "can be reached"
    refused = RetryLater(reason=DeliveryReason.UNAUTHORIZED, detail="535 no")
    bad = checkup.receiver("desk/email", refused)
    assert (bad.grade, bad.says) == (Grade.BAD, "unauthorized: 535 no")
    silent = checkup.receiver("desk/email", RetryLater(reason=DeliveryReason.TIMEOUT))
    assert silent.says == "timeout"
