"""An article taken apart into words, once, for every rule.

Positions of all fields lie on one line, with gaps between the fields that no proximity bridges: operators on positions
need not know about fields.
"""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, cast

from monitor.core.model import Article, TextField
from monitor.core.text.scanner import SCANNER
from monitor.core.text.sentences import Breaks, breaks
from monitor.core.text.spelled import origins
from monitor.core.text.words import SINGLE, exact_form, pieces, run_places, run_texts, spelled_out

if TYPE_CHECKING:
    from monitor.core.native import Scanned, Scanner

FIELD_STRIDE = 1 << 40  # further apart than any text is long
DEFAULT_FIELDS = (TextField.TITLE.value, TextField.SUMMARY.value, TextField.BODY.value)


class Token(NamedTuple):
    """A word of an article. `start` and `end` are offsets in the field's own text; `position` counts its words."""

    folded: str
    surface: str
    start: int
    end: int
    position: int
    sentence: int
    paragraph: int


class Place(NamedTuple):
    """Positions `first` to `last`, found under another spelling whose exact form is `exact`."""

    first: int
    last: int
    exact: str


@dataclass(frozen=True)
class AnalysedField:
    """The words of one field. The word at index `i` of `words` has the position `base + i`.

    `aliases` gives the places of other spellings. `scanned` is the same for the compiled engine, if there is one.
    """

    name: str
    text: str
    base: int
    words: list[str]
    aliases: dict[str, list[Place]]
    scanned: "Scanned | None" = field(default=None, compare=False, repr=False)

    @cached_property
    def postings(self) -> dict[str, list[int]]:
        """The positions of each folded word, ascending; worked out only for articles that a rule may match."""
        postings: defaultdict[str, list[int]] = defaultdict(list)
        for position, word in enumerate(self.words, start=self.base):
            postings[word].append(position)
        return dict(postings)

    @property
    def positions(self) -> range:
        """The position of each word."""
        return range(self.base, self.base + len(self.words))

    @cached_property
    def offsets(self) -> tuple[list[int], list[int]]:
        """Where each word starts and ends in `text`; worked out only for articles that match something."""
        if self.scanned:
            return self.scanned.places()
        starts, ends = self._offsets
        if self._readable is self.text:
            return starts, ends
        origin = origins(self.text)
        return [origin[start] for start in starts], [origin[end - 1] + 1 for end in ends]

    @cached_property
    def _readable(self) -> str:
        return spelled_out(self.text)

    @cached_property
    def _offsets(self) -> tuple[list[int], list[int]]:
        """Where each word starts and ends in the text spelled out."""
        if self.scanned and self._readable is self.text:
            return self.scanned.places()
        found, starts, ends = run_places(self._readable)
        if list(map(SINGLE.__getitem__, found)) == self.words and all(map(str.isalnum, found)):
            return starts, ends
        irregular = [i for i, run in enumerate(found) if not (run.isalnum() and SINGLE[run])]
        for index in reversed(irregular):
            at, words = starts[index], pieces(found[index]).words
            starts[index : index + 1] = [at + word.start for word in words]
            ends[index : index + 1] = [at + word.end for word in words]
        return starts, ends

    @cached_property
    def ordered_words(self) -> list[str]:
        """Each folded word and other spelling once, in the order of code points."""
        return sorted({*self.words, *self.aliases})

    def words_after(self, position: int, count: int) -> list[str]:
        """Return the words that follow the one at `position`."""
        index = position - self.base + 1
        return self.words[index : index + count]

    def slice(self, first: int, last: int) -> tuple[int, int]:
        """Return the offsets in `text` of the words from position `first` to `last`."""
        starts, ends = self.offsets
        return starts[first - self.base], ends[last - self.base]

    def exact_at(self, position: int) -> str:
        """Return the word at `position` with its case and diacritics."""
        starts, ends = self._offsets
        index = position - self.base
        return exact_form(self._readable[starts[index] : ends[index]])

    def sentence_of(self, position: int) -> int:
        """Return the number of the sentence in which the word stands."""
        return bisect_right(self._breaks.sentences, self.offsets[0][position - self.base])

    def paragraph_of(self, position: int) -> int:
        """Return the number of the paragraph in which the word stands."""
        return bisect_right(self._breaks.paragraphs, self.offsets[0][position - self.base])

    @cached_property
    def _breaks(self) -> Breaks:
        return breaks(self.text)

    def tokens(self) -> list[Token]:
        """Return every word with all that is known of it."""
        return [self._token(index) for index in range(len(self.words))]

    def _token(self, index: int) -> Token:
        position = self.base + index
        start, end = self.slice(position, position)
        return Token(
            folded=self.words[index],
            surface=self.text[start:end],
            start=start,
            end=end,
            position=index,
            sentence=self.sentence_of(position),
            paragraph=self.paragraph_of(position),
        )


@dataclass(frozen=True)
class AnalysedArticle:
    """An article and the words of its fields."""

    article: Article
    text_fields: tuple[AnalysedField, ...]

    def fields(self, scope: str) -> tuple[AnalysedField, ...]:
        """Return the fields that a scope names: one, or for `tag` one for each tag."""
        if scope in DEFAULT_FIELDS:
            return (self.text_fields[DEFAULT_FIELDS.index(scope)],)
        return tuple(field for field in self._other_fields if field.name == scope)

    @property
    def every_field(self) -> tuple[AnalysedField, ...]:
        """Every field, those included that only a scope looks into."""
        return self.text_fields + self._other_fields

    def vocabulary(self) -> set[str]:
        """Return every folded word and other spelling that some field has."""
        return set().union(
            *(part for field in self.every_field for part in (field.words, field.aliases))
        )

    @property
    def word_count(self) -> int:
        """How long the article is: the words of its body, or where there is none, of its summary."""
        _, summary, body = self.text_fields
        return len(body.words) or len(summary.words)

    def field_at(self, position: int) -> AnalysedField:
        """Return the field to which a position belongs."""
        number = position // FIELD_STRIDE
        known = len(self.text_fields)
        return self.text_fields[number] if number < known else self._other_fields[number - known]

    @cached_property
    def _other_fields(self) -> tuple[AnalysedField, ...]:
        article = self.article
        texts = [
            ("author", article.author),
            ("url", article.url),
            *(("tag", tag) for tag in article.tags),
        ]
        return tuple(
            analyse_field(name, text, number)
            for number, (name, text) in enumerate(texts, start=len(self.text_fields))
        )


def analyse(article: Article, scanner: "Scanner | None" = SCANNER) -> AnalysedArticle:
    """Take an article apart. Linear in its length, for any text whatever; without a scanner in Python alone."""
    texts = (article.title, article.summary, article.body)
    named = zip(DEFAULT_FIELDS, texts, strict=True)
    return AnalysedArticle(
        article,
        tuple(
            analyse_field(name, text, number, scanner) for number, (name, text) in enumerate(named)
        ),
    )


def analyse_field(
    name: str, text: str, number: int, scanner: "Scanner | None" = None
) -> AnalysedField:
    """Take one field apart; `number` is its place among the fields."""
    base = number * FIELD_STRIDE
    if scanner:
        return _scanned_field(name, text, base, scanner)
    found = run_texts(text)
    singles = [SINGLE[run] for run in found]
    if None not in singles:
        return AnalysedField(name, text, base, cast("list[str]", singles), {})
    analysed = AnalysedField(name, text, base, [], {})
    for run, single in zip(found, singles, strict=True):
        if single is not None:
            analysed.words.append(single)
            continue
        words, aliases = pieces(run)
        at = base + len(analysed.words)
        for alias in aliases:
            place = Place(at + alias.first, at + alias.last, alias.exact)
            analysed.aliases.setdefault(alias.folded, []).append(place)
        analysed.words.extend([word.folded for word in words])
    return analysed


def _scanned_field(name: str, text: str, base: int, scanner: "Scanner") -> AnalysedField:
    readable = spelled_out(text)
    scanned = scanner.scan(readable, None if readable is text else origins(text))
    aliases: dict[str, list[Place]] = {}
    for folded, first, last, exact in scanned.others():
        aliases.setdefault(folded, []).append(Place(base + first, base + last, exact))
    return AnalysedField(name, text, base, scanned.words(), aliases, scanned)
