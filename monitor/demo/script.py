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

    CUT_OFF = "sends a document that breaks off: what is whole is read"
    BUSY = "answers 503: left alone for a second, as it asks"


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


class Stale(StrEnum):
    """In which way an article is none of today's, although it was not there before."""

    EDIT = "edit"  # same guid and link, other words
    AGAIN = "again"  # same text and link, new guid and tracking parameters
    COPY = "copy"  # same text and link, in another feed of the publisher
    LATE = "late"  # days old; stands at the end of the feed, since something above it was deleted


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
    stale: Stale | None = None

    @property
    def guid(self) -> str:
        """What the feed calls it: an edit keeps the name of what it edits, others have one of their own."""
        return self.repeats if self.repeats and self.stale is Stale.EDIT else self.id

    @property
    def query(self) -> str:
        """What the link carries that says nothing about the article."""
        tracked = self.stale in {Stale.AGAIN, Stale.COPY}
        return f"?utm_source={self.feed}&utm_medium=rss" if tracked else ""


def load_script() -> tuple[Piece, ...]:
    """Return every piece in the order of appearance, the backlog first."""
    pieces = [_piece(each) for each in _read("backlog") + _read("storyline") + _read("noise")]
    originals = {each.id: each for each in pieces}
    pieces += [_repeat(each, originals[each["repeats"]]) for each in _read("repeats")]
    return tuple(sorted(pieces, key=lambda each: -1 if each.at is None else each.at))


def alerting(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return the pieces that somebody should be told of: new ones that say what a rule looks for."""
    return tuple(each for each in pieces if each.rules and each.at is not None and not each.stale)


def _piece(fields: dict[str, Any]) -> Piece:
    path = f"/{fields['feed']}/{fields['id']}"
    rules, stale = frozenset(fields.get("rules", ())), fields.get("stale")
    return Piece(**fields | {"path": path, "rules": rules, "stale": stale and Stale(stale)})


def _repeat(fields: dict[str, Any], original: Piece) -> Piece:
    return replace(original, **fields | {"backdated_hours": 0, "stale": Stale(fields["stale"])})


def _read(name: str) -> list[dict[str, Any]]:
    text = files("monitor.demo").joinpath("texts", f"{name}.yaml").read_text(encoding="utf-8")
    pieces: list[dict[str, Any]] = yaml.load(text, Loader=yaml.CSafeLoader)
    return pieces
