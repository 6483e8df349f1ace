"""What the demo publishes and when, and what should come of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.resources import files
from typing import Any

import yaml


class Format(StrEnum):
    """The kinds of document a newsroom serves."""

    RSS = "rss"
    ATOM = "atom"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """One feed of the newsroom; the first word of its id is its publisher."""

    id: str
    name: str
    lang: str
    format: Format = Format.RSS

    @property
    def path(self) -> str:
        """Where the newsroom serves it."""
        return f"/{self.id}/feed.{'json' if self.format is Format.JSON else 'xml'}"


OUTLETS = (
    Outlet(id="meridian-world", name="Meridian World", lang="en"),
    Outlet(id="meridian-top", name="Meridian Top Stories", lang="en"),
    Outlet(id="neva-telegraf", name="Нева-Телеграф", lang="ru", format=Format.ATOM),
    Outlet(id="dnipro-visnyk", name="Дніпровський вісник", lang="uk", format=Format.ATOM),
    Outlet(id="al-jisr", name="الجسر", lang="ar"),
    Outlet(id="jiangbei-daily", name="江北日报", lang="zh", format=Format.JSON),
    Outlet(id="rheinkurier", name="Rheinkurier", lang="de"),
    Outlet(id="seine-matin", name="Seine-Matin", lang="fr", format=Format.ATOM),
    Outlet(id="diario-ebro", name="Diario del Ebro", lang="es"),
    Outlet(id="kurier-wislany", name="Kurier Wiślany", lang="pl"),
    Outlet(id="bogaz-gazetesi", name="Boğaz Gazetesi", lang="tr", format=Format.JSON),
    Outlet(id="kanto-shimpo", name="関東新報", lang="ja"),
)


class Trouble(StrEnum):
    """How a feed misbehaves for a while."""

    CUT_OFF = "cut off in mid-document"
    BUSY = "503 with Retry-After"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """A feed in trouble: the first `times` requests after `at` percent of the publishing time go wrong."""

    feed: str
    trouble: Trouble
    at: float
    times: int


MISHAPS = (
    Mishap(feed="rheinkurier", trouble=Trouble.CUT_OFF, at=64, times=2),
    Mishap(feed="seine-matin", trouble=Trouble.BUSY, at=72, times=1),
)


class Repeat(StrEnum):
    """In which way an article says again what was said."""

    EDIT = "edit"
    AGAIN = "again"
    COPY = "copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One text of the newsroom, and the rules that a careful reader finds in it.

    `at` is when it appears, in percent of the publishing time; none: it stood there before the monitor began. `path` is
    where its page is; a repeat has that of what it repeats.
    """

    id: str
    feed: str
    path: str
    title: str
    summary: str
    body: str = ""
    at: float | None = None
    rules: frozenset[str] = frozenset()
    backdated_hours: float = 0
    repeats: str | None = None
    how: Repeat | None = None

    @property
    def guid(self) -> str:
        """What the feed calls it: an edit keeps the name of what it edits, another repeat has a new one."""
        return self.repeats if self.repeats and self.how is Repeat.EDIT else self.id

    @property
    def query(self) -> str:
        """What the link carries that says nothing about the article."""
        return "" if self.how in {None, Repeat.EDIT} else f"?utm_source={self.feed}&utm_medium=rss"


def load_script() -> tuple[Piece, ...]:
    """Return every piece, in the order of appearance; the backlog comes first."""
    told = [_piece(each) for each in _read("backlog") + _read("storyline") + _read("noise")]
    originals = {each.id: each for each in told}
    told += [_repeat(each, originals[each["repeats"]]) for each in _read("repeats")]
    return tuple(sorted(told, key=lambda each: -1 if each.at is None else each.at))


def alerting(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return the pieces that somebody should be told of: new ones that say what a rule looks for."""
    return tuple(each for each in pieces if each.rules and not each.repeats and each.at is not None)


def _piece(fields: dict[str, Any]) -> Piece:
    path = f"/{fields['feed']}/{fields['id']}"
    return Piece(**{"path": path, **fields, "rules": frozenset(fields.get("rules", ()))})


def _repeat(fields: dict[str, Any], original: Piece) -> Piece:
    changed = {**fields, "how": Repeat(fields["how"])}
    return replace(original, rules=frozenset(), backdated_hours=0, **changed)


def _read(name: str) -> list[dict[str, Any]]:
    text = files("monitor.demo").joinpath("texts", f"{name}.yaml").read_text(encoding="utf-8")
    pieces: list[dict[str, Any]] = yaml.load(text, Loader=yaml.CSafeLoader)
    return pieces
