"""Silences: matches that somebody does not want to hear of until an instant."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from monitor.core.matchers import Matcher, MatcherError, Operator, Subject, of_match

_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Keeps back every match that meets all `matchers`, from `starts_at` until `ends_at`.

    `author` and `comment` say who wanted it and why: whoever misses an alert finds them in the log.
    """

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    author: str
    comment: str = ""

    def accepts(self, subject: Subject) -> bool:
        """Tell whether it is about this match, whenever that is.

        One that cannot be understood (another release wrote it) keeps nothing back, nor does one that asks nothing.
        """
        return bool(self.matchers) and _accept(self.matchers, subject)

    def status(self, now: datetime) -> str:
        """Return `pending`, `active` or `expired`."""
        if now >= self.ends_at:
            return "expired"
        return "active" if now >= self.starts_at else "pending"

    def __str__(self) -> str:
        return ", ".join(map(str, self.matchers))


def silenced_by(silences: Iterable[Silence], subject: Subject, now: datetime) -> Silence | None:
    """Return the silence in force that keeps the match back for the longest, if there is one."""
    found = [each for each in silences if each.status(now) == "active" and each.accepts(subject)]
    return max(found, key=lambda each: (each.ends_at, each.id), default=None)


def subscriber_of(silence: Silence) -> str | None:
    """Return the only subscriber that it keeps anything back from; None if it says nothing of that kind."""
    named = (
        matcher.value
        for matcher in silence.matchers
        if (matcher.name, matcher.operator) == ("subscriber", Operator.IS)
    )
    return next(named, None)


def concerning(silences: Iterable[Silence], subject: Subject, now: datetime) -> tuple[Silence, ...]:
    """Return those in force that keep the match back from somebody, whoever that is."""
    return tuple(
        each
        for each in silences
        if each.starts_at <= now < each.ends_at and _accept(of_match(each.matchers), subject)
    )


def _accept(matchers: Iterable[Matcher], subject: Subject) -> bool:
    try:
        return all(matcher.accepts(subject) for matcher in matchers)
    except MatcherError:
        return False


def new_silence(
    matchers: tuple[Matcher, ...],
    *,
    starts_at: datetime,
    ends_at: datetime,
    author: str,
    comment: str = "",
) -> Silence:
    """Return a silence. Its id follows from its matchers, author and start, so that a repeated request makes one."""
    said = (starts_at.isoformat(), author, *sorted(map(str, matchers)))
    return Silence(
        id=_digest(said),
        matchers=matchers,
        starts_at=starts_at,
        ends_at=ends_at,
        author=author,
        comment=comment,
    )


def snooze(
    name: str, value: str, subscriber: str, now: datetime, lasting: timedelta, author: str
) -> Silence:
    """Return the silence of one story, article or rule (`name`) for one subscriber, as a link in a message asks for it.

    Its id follows from what it is about: asked for twice, it is one silence, which lasts longer.
    """
    return Silence(
        id=_digest(("snooze", name, value, subscriber)),
        matchers=(
            Matcher(name, Operator.IS, value),
            Matcher("subscriber", Operator.IS, subscriber),
        ),
        starts_at=now,
        ends_at=now + lasting,
        author=author,
        comment=f"snoozed from a message to {subscriber}",
    )


def kept_until(silence: Silence) -> datetime:
    """Return until when a silence that is over is kept, for whoever asks why nobody was told."""
    return silence.ends_at + _KEPT


def expired(silence: Silence, now: datetime) -> Silence:
    """Return the silence as it is when somebody ends it now; one that is over stays as it is."""
    if silence.status(now) == "expired":
        return silence
    return Silence(
        id=silence.id,
        matchers=silence.matchers,
        starts_at=min(silence.starts_at, now),
        ends_at=now,
        author=silence.author,
        comment=silence.comment,
    )


def _digest(parts: Iterable[str]) -> str:
    return blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
