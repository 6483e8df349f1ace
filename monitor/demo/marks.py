"""Texts with what was found in them marked: by colour where there is colour, else by asterisks."""

from collections.abc import Mapping, Sequence

from rich.text import Text

from monitor.core.model import Article, Match, Span, TextField

_LEAD = 40  # characters of context before the first word found
_EXCERPT = 160


class Marker:
    """Marks with a style a rule; without styles, with asterisks."""

    def __init__(self, styles: Mapping[str, str]) -> None:
        self._styles = styles

    def texts(self, article: Article, matches: Sequence[Match]) -> list[Text]:
        """Return the title and, where a rule found nothing in it, a piece of the text in which it did."""
        shown = [self._mark(article.title, _spans(matches, TextField.TITLE))]
        untitled = [each for each in matches if not _spans([each], TextField.TITLE)]
        for name in (TextField.SUMMARY, TextField.BODY):
            spans = _spans(matches, name)
            if spans and any(_spans([each], name) for each in untitled):
                shown.append(self._excerpt(getattr(article, name), spans))
                break
        return shown

    def _excerpt(self, text: str, spans: Sequence[tuple[Span, str]]) -> Text:
        begin = max(0, spans[0][0].start - _LEAD)
        begin = text.find(" ", begin, spans[0][0].start) + 1 if begin else 0
        end = begin + _EXCERPT
        inside = [each for each in spans if each[0].end <= end]
        marked = self._mark(text[begin:end], inside, begin)
        marked = marked.append("…") if end < len(text) else marked
        return Text("…").append_text(marked) if begin else marked

    def _mark(self, text: str, spans: Sequence[tuple[Span, str]], begin: int = 0) -> Text:
        """Return `text`, which begins at `begin` of what the spans count in, with its spans marked."""
        marked, done = Text(), 0
        for span, rule in spans:
            start, end = span.start - begin, span.end - begin
            if start < done:
                continue  # found by two rules: the first has coloured it
            style = self._styles.get(rule)
            marked.append(text[done:start])
            marked.append(text[start:end] if style else f"*{text[start:end]}*", style)
            done = end
        return marked.append(text[done:])


def _spans(matches: Sequence[Match], name: TextField) -> list[tuple[Span, str]]:
    found = [
        (span, match.rule_id) for match in matches for span in match.spans if span.field == name
    ]
    return sorted(found, key=lambda each: (each[0].start, each[0].end))
