"""What the facts about a machine, a store and a receiver mean for who runs the product, and what to do about them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from monitor.core.outcome import Delivered, Outcome

MIB = 1024 * 1024
FEWEST_FILES = 1024
LEAST_FREE = 1024 * MIB
FULL = 0.8
"""Of the memory limit; above it the housekeeper begins to forget sooner."""
MOST_SKEW = timedelta(seconds=2)
STALE = timedelta(minutes=10)


class Grade(StrEnum):
    """How a thing stands."""

    OK = "ok"
    LOOK = "look"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what it is, how it stands, and the next step where one is needed."""

    name: str
    grade: Grade
    says: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Facts about this machine. Memory and disk in bytes; `synchronised` is None where the system does not tell."""

    python: str
    matcher: str
    files: int
    memory: int | None
    disk_free: int
    disk_path: str
    synchronised: bool | None


def _judged(name: str, says: str, fix: str, *, well: bool, worse: Grade = Grade.BAD) -> Finding:
    """Return a finding that needs its fix unless all is well."""
    return Finding(name, Grade.OK, says) if well else Finding(name, worse, says, fix)


def machine(facts: Machine, *, wanted_memory: int) -> Iterator[Finding]:
    """Judge a machine that is to give the embedded store `wanted_memory` bytes (0: none)."""
    yield _judged(
        "machine",
        f"Python {facts.python}, {facts.matcher} matcher",
        "matching is several times slower: install a C compiler, then install again",
        well=facts.matcher == "compiled",
        worse=Grade.LOOK,
    )
    yield _judged(
        "open files",
        f"at most {facts.files}",
        f"run ulimit -n {FEWEST_FILES * 8}, or set LimitNOFILE= in the unit",
        well=facts.files >= FEWEST_FILES,
    )
    if facts.memory is not None:
        yield _judged(
            "memory",
            f"{facts.memory // MIB} MiB free",
            f"the store may take {wanted_memory // MIB} MiB: lower store.max_memory, or add memory",
            well=facts.memory >= wanted_memory,
            worse=Grade.LOOK,
        )
    yield _judged(
        "disk",
        f"{facts.disk_free // MIB} MiB free for {facts.disk_path}",
        "make room: a full disk stops the store; retention.archive bounds the archive",
        well=facts.disk_free >= LEAST_FREE,
    )
    if facts.synchronised is not None:
        yield _judged(
            "clock",
            "synchronised" if facts.synchronised else "nothing keeps it right",
            "switch on an NTP client, such as systemd-timesyncd",
            well=facts.synchronised,
            worse=Grade.LOOK,
        )


def store(
    server: str, used: int, limit: int, skew: timedelta, *, durable: bool
) -> Iterator[Finding]:
    """Judge the store by what its server says; `skew` is how far its clock is from ours, either way."""
    share = f" of {limit // MIB}" if limit else ""
    yield _judged(
        "store",
        f"{server}, {used // MIB}{share} MiB",
        "raise store.max_memory, or see what waits: monitor status",
        well=not limit or used <= FULL * limit,
        worse=Grade.LOOK,
    )
    yield _judged(
        "store's log",
        "on" if durable else "off: what it holds is lost when it restarts",
        "set appendonly yes in the server's configuration",
        well=durable,
    )
    if skew > MOST_SKEW:
        says = f"{round(skew.total_seconds())} s from ours"
        fix = "put both clocks right: leases and retries are counted by them"
        yield Finding("store's clock", Grade.BAD, says, fix)


def waiting(service: str, length: int, oldest: timedelta | None) -> Finding:
    """Judge what waits in a log for `service`."""
    age = f", oldest {round(oldest.total_seconds() / 60)} min" if oldest else ""
    return _judged(
        service,
        f"{length} waiting{age}",
        f"no {service} keeps up: start one with monitor run --only {service}",
        well=oldest is None or oldest <= STALE,
    )


def receiver(target_id: str, outcome: Outcome) -> Finding:
    """Judge a receiver by how it answered a greeting."""
    name = f"target {target_id}"
    if isinstance(outcome, Delivered):
        return Finding(name, Grade.OK, outcome.response or "can be reached")
    says = f"{outcome.reason}: {outcome.detail}" if outcome.detail else outcome.reason.value
    return Finding(name, Grade.BAD, says, f"put it right, then: monitor targets test {target_id}")
