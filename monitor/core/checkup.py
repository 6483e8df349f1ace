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


def machine(facts: Machine, *, wanted_memory: int) -> Iterator[Finding]:
    """Judge a machine that is to give the embedded store `wanted_memory` bytes (0: none)."""
    compiled = facts.matcher == "compiled"
    yield Finding(
        "machine",
        Grade.OK if compiled else Grade.LOOK,
        f"Python {facts.python}, {facts.matcher} matcher",
        ""
        if compiled
        else "matching is several times slower: install a C compiler, then install again",
    )
    enough = facts.files >= FEWEST_FILES
    yield Finding(
        "open files",
        Grade.OK if enough else Grade.BAD,
        f"at most {facts.files}",
        "" if enough else f"run ulimit -n {FEWEST_FILES * 8}, or set LimitNOFILE= in the unit",
    )
    if facts.memory is not None:
        fits = facts.memory >= wanted_memory
        yield Finding(
            "memory",
            Grade.OK if fits else Grade.LOOK,
            f"{facts.memory // MIB} MiB free",
            ""
            if fits
            else f"the store may take {wanted_memory // MIB} MiB: lower store.max_memory, or add memory",
        )
    roomy = facts.disk_free >= LEAST_FREE
    yield Finding(
        "disk",
        Grade.OK if roomy else Grade.BAD,
        f"{facts.disk_free // MIB} MiB free for {facts.disk_path}",
        ""
        if roomy
        else "make room: a full disk stops the store; retention.archive bounds the archive",
    )
    if facts.synchronised is not None:
        yield Finding(
            "clock",
            Grade.OK if facts.synchronised else Grade.LOOK,
            "synchronised" if facts.synchronised else "nothing keeps it right",
            "" if facts.synchronised else "switch on an NTP client, such as systemd-timesyncd",
        )


def store(
    server: str, used: int, limit: int, skew: timedelta, *, durable: bool
) -> Iterator[Finding]:
    """Judge the store by what its server says; `skew` is how far its clock is from ours, either way."""
    full = bool(limit) and used > FULL * limit
    share = f" of {limit // MIB}" if limit else ""
    yield Finding(
        "store",
        Grade.LOOK if full else Grade.OK,
        f"{server}, {used // MIB}{share} MiB",
        "raise store.max_memory, or see what waits: monitor status" if full else "",
    )
    yield Finding(
        "store's log",
        Grade.OK if durable else Grade.BAD,
        "on" if durable else "off: what it holds is lost when it restarts",
        "" if durable else "set appendonly yes in the server's configuration",
    )
    if skew > MOST_SKEW:
        seconds = round(skew.total_seconds())
        yield Finding(
            "store's clock",
            Grade.BAD,
            f"{seconds} s from ours",
            "put both clocks right: leases and retries are counted by them",
        )


def waiting(service: str, length: int, oldest: timedelta | None) -> Finding:
    """Judge what waits in a log for `service`."""
    stale = oldest is not None and oldest > STALE
    age = f", oldest {round(oldest.total_seconds() / 60)} min" if oldest else ""
    return Finding(
        service,
        Grade.BAD if stale else Grade.OK,
        f"{length} waiting{age}",
        f"no {service} keeps up: start one with monitor run --only {service}" if stale else "",
    )


def receiver(target_id: str, outcome: Outcome) -> Finding:
    """Judge a receiver by how it answered a greeting."""
    name = f"target {target_id}"
    if isinstance(outcome, Delivered):
        return Finding(name, Grade.OK, outcome.response or "can be reached")
    says = f"{outcome.reason}: {outcome.detail}" if outcome.detail else outcome.reason.value
    return Finding(name, Grade.BAD, says, f"put it right, then: monitor targets test {target_id}")
