"""What every rendering shows of an alert: chosen, shortened and clean, but not yet in any format."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from monitor.core.model import Alert, Article, ArticleKind, Match, Severity, Span, TextField
from monitor.core.render.clean import cut, line, link, visible

TITLE_LIMIT = 300
NAME_LIMIT = 80
WORD_LIMIT = 60
SNIPPET_LIMIT = 320
_BEFORE = 80  # how much of the snippet stands before the first word found
_RULES_SHOWN = 5
_WORDS_SHOWN = 6
_SPANS_READ = 500  # of a match; more cannot show in a snippet
_RANK = tuple(Severity)
_WORDS_COMPARED = 60  # of a headline; a diff of more is nothing to read


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `found` when it is what a rule looked for."""

    text: str
    found: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """Words of a headline: `+` that came in with an edit, `-` that went out, a blank for those that stayed."""

    sign: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """A rule that matched, and the words it found, each once."""

    id: str
    name: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """An alert, ready to be put in a format: every text is one clean, bounded line.

    Instants are in the zone of the reader. `url` is an http or https link or empty. `rules_left_out` counts those that
    did not fit in `rules`. `changes` is what an edit did to the headline, where the one before is known. `also` names
    further sources of the same story.
    """

    title: tuple[Piece, ...]
    snippet: tuple[Piece, ...]
    source: str
    feed: str
    lang: str
    url: str
    published_at: datetime | None
    seen_at: datetime | None
    severity: Severity
    edited: bool
    rules: tuple[RuleView, ...]
    rules_left_out: int
    changes: tuple[Change, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The title as text."""
        return "".join(piece.text for piece in self.title)

    @property
    def excerpt(self) -> str:
        """The snippet as text."""
        return "".join(piece.text for piece in self.snippet)


def view(alert: Alert, zone: tzinfo = UTC) -> AlertView:
    """Choose what to show of an alert to a reader whose clocks are in `zone`."""
    article, matches = alert.article, alert.matches
    return AlertView(
        title=_title(article, matches),
        snippet=_snippet(article, matches),
        source=line(article.feed_name, NAME_LIMIT) or line(article.feed_id, NAME_LIMIT),
        feed=line(article.feed_id, NAME_LIMIT),
        lang=line(article.lang or "", NAME_LIMIT),
        url=link(article.url),
        published_at=_local(article.published_at, zone),
        seen_at=_local(article.seen_at, zone),
        severity=severity_of(matches),
        edited=article.kind is ArticleKind.EDITED,
        rules=tuple(_rule(match) for match in matches[:_RULES_SHOWN]),
        rules_left_out=max(0, len(matches) - _RULES_SHOWN),
        changes=changes(article.was_title, article.title),
    )


def shortened(pieces: Sequence[Piece], limit: int) -> tuple[Piece, ...]:
    """Cut pieces to `limit` characters in all; an ellipsis says that they were cut."""
    kept: list[Piece] = []
    for piece in pieces:
        if len(piece.text) > limit:
            return (*kept, Piece(cut(piece.text, max(limit, 1)), piece.found))
        kept.append(piece)
        limit -= len(piece.text)
    return tuple(kept)


def severity_of(matches: Iterable[Match]) -> Severity:
    """Return the gravest severity among the matches."""
    return max([match.severity for match in matches], key=_RANK.index, default=Severity.INFO)


def changes(before: str, after: str) -> tuple[Change, ...]:
    """Compare two headlines word by word; nothing when one of them is missing or they read the same."""
    old, new = (line(text, TITLE_LIMIT).split()[:_WORDS_COMPARED] for text in (before, after))
    if not old or not new or old == new:
        return ()
    found: list[Change] = []
    for kind, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(Change(" ", " ".join(old[i:j])))
            continue
        found += [Change("-", " ".join(old[i:j]))] if i < j else []
        found += [Change("+", " ".join(new[k:m]))] if k < m else []
    return tuple(found)


def _local(at: datetime | None, zone: tzinfo) -> datetime | None:
    try:
        return at and at.astimezone(zone)
    except OverflowError:  # in the first or the last hours that there are
        return at


def _rule(match: Match) -> RuleView:
    words = dict.fromkeys(line(span.text, WORD_LIMIT) for span in match.spans[:_SPANS_READ])
    return RuleView(
        id=line(match.rule_id, NAME_LIMIT),
        name=line(match.rule_name, NAME_LIMIT) or line(match.rule_id, NAME_LIMIT),
        words=tuple(word for word in words if word)[:_WORDS_SHOWN],
    )


def _title(article: Article, matches: Sequence[Match]) -> tuple[Piece, ...]:
    pieces = _marked(article.title, _places(matches, TextField.TITLE), 0, TITLE_LIMIT)
    return pieces or (Piece(link(article.url) or "(no title)"),)


def _snippet(article: Article, matches: Sequence[Match]) -> tuple[Piece, ...]:
    """Show the text around the first word found below the title, or else how the article begins."""
    texts = {TextField.SUMMARY: article.summary, TextField.BODY: article.body}
    for field, text in texts.items():
        places = [place for place in _places(matches, field) if place[0] < len(text)]
        if places:
            return _marked(text, places, _start(text, places[0][0]), SNIPPET_LIMIT)
    beginning = article.summary or article.body
    return () if beginning == article.title else _marked(beginning, (), 0, SNIPPET_LIMIT)


def _start(text: str, first: int) -> int:
    """Begin at a word, a little before the first place."""
    if first <= _BEFORE:
        return 0
    earliest = first - _BEFORE
    blank = text.find(" ", earliest, first)
    return blank + 1 if blank >= 0 else earliest


def _places(matches: Sequence[Match], field: TextField) -> list[tuple[int, int]]:
    """Return the places found in a field, in order, those that touch merged into one."""
    spans: list[Span] = [span for match in matches for span in match.spans[:_SPANS_READ]]
    merged: list[tuple[int, int]] = []
    for start, end in sorted((s.start, s.end) for s in spans if s.field == field):
        if not 0 <= start < end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _marked(
    text: str, places: Sequence[tuple[int, int]], begin: int, limit: int
) -> tuple[Piece, ...]:
    """Cut `limit` characters from `begin` into clean pieces; ellipses say where text was left out."""
    stop = min(len(text), begin + limit)
    if stop < len(text):
        blank = text.rfind(" ", begin, stop)
        stop = blank if blank > begin else stop
    pieces = [Piece("… ")] if begin else []
    at = begin
    for start, end in places:
        first, last = max(start, at), min(end, stop)
        if first < last:
            pieces += [Piece(visible(text[at:first])), Piece(visible(text[first:last]), found=True)]
            at = last
    pieces.append(Piece(visible(text[at:stop])))
    if stop < len(text):
        pieces.append(Piece(" …"))
    return _tidied(pieces)


def _tidied(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Drop empty pieces, and blanks at both ends or doubled where two pieces meet."""
    kept: list[Piece] = []
    blank = True
    for piece in pieces:
        text = piece.text.lstrip(" ") if blank else piece.text
        if text:
            kept.append(Piece(text, piece.found))
            blank = text.endswith(" ")
    if kept and blank:
        last = kept.pop()
        text = last.text.rstrip(" ")
        return (*kept, Piece(text, last.found)) if text else tuple(kept)
    return tuple(kept)
