"""Alerts on a terminal, or as plain lines where the output is not one."""

import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from io import StringIO
from typing import TextIO

from rich.console import Console
from rich.text import Text

from monitor.channels.post import noted
from monitor.channels.printer import Printer
from monitor.core.model import Delivery, Severity
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, RetryLater
from monitor.core.render import AlertView, Message, Piece
from monitor.core.render.template import Composer
from monitor.core.render.text import (
    also_in,
    grave_mark,
    headline_change,
    labels,
    late,
    left_out,
    more_stories,
    origin,
    rule_line,
)
from monitor.core.targets import ConsoleTarget

_LABEL_STYLES = {
    Severity.INFO: "bold cyan",
    Severity.WARNING: "bold yellow",
    Severity.CRITICAL: "bold white on red",
}
_FOUND = "bold yellow"
PATIENCE = timedelta(seconds=10)


class _Paper(StringIO):
    """What is to be printed, in the styles of what it is printed on."""

    def __init__(self, like: TextIO) -> None:
        super().__init__()
        self._like = like

    def isatty(self) -> bool:
        return self._like.isatty()

    def take(self) -> str:
        """Return what stands on it, and wipe it."""
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


class ConsoleChannel:
    """The standard output, or another file."""

    def __init__(
        self,
        file: TextIO | None = None,
        *,
        terminal: bool | None = None,
        composer: Composer | None = None,
        patience: timedelta = PATIENCE,
    ) -> None:
        """Print to `file`, by default standard output, with colours if it is a terminal or `terminal` says so.

        An attempt waits for `patience` until the file has taken it.
        """
        out = file or sys.stdout
        self._encoding = out.encoding or "utf-8"
        self._paper = _Paper(out)
        self._console = Console(file=self._paper, force_terminal=terminal)
        self._printer = Printer(out)
        self._patience = patience
        self._composer = composer or Composer(ConsoleTarget(id="console", subscriber=""))

    async def deliver(self, delivery: Delivery, now: datetime) -> Outcome:  # noqa: ARG002 - the port's
        """Print the message; a reader that went away or hangs is an outcome."""
        told = self._composer.compose(delivery)
        own = told.parts.text
        said = map(Text, own.rstrip().split("\n")) if own else _lines(told)
        lines = [self._encodable(line) for line in said]
        self._console.print(Text("\n").join(lines), end="\n\n", highlight=False, soft_wrap=True)
        try:
            await self._printer.write(self._paper.take(), self._patience)
        except TimeoutError:
            detail = "standard output takes nothing: whoever reads it hangs"
            return RetryLater(reason=DeliveryReason.TIMEOUT, detail=detail)
        except OSError as error:
            return RetryLater(reason=DeliveryReason.RESET, detail=f"standard output: {error}")
        return noted(Delivered(), told)

    async def close(self) -> None:
        """End the thread; standard output is not ours to close."""
        self._printer.close()

    def _encodable(self, line: Text) -> Text:
        """Replace what the output cannot write; the length, and so every style, stays."""
        plain = line.plain.encode(self._encoding, errors="replace").decode(self._encoding)
        if plain != line.plain:
            line.plain = plain
        return line


def _lines(told: Message) -> Iterable[Text]:
    if told.is_digest:
        title = Text()
        for mark in grave_mark(told.severity):
            title.append(f" {mark} ", style=_LABEL_STYLES[told.severity]).append(" ")
        yield title.append(told.heading, style="bold")
    if told.because:
        yield Text(late(told), style="dim")
    for shown in told.stories:
        yield from _alert(shown)
    if more := more_stories(told):
        yield Text(more, style="dim")


def _alert(shown: AlertView) -> Iterable[Text]:
    title = Text()
    for label in labels(shown):
        title.append(f" {label} ", style=_LABEL_STYLES[shown.severity]).append(" ")
    yield title.append_text(_text(shown.title, style="bold"))
    if shown.snippet:
        yield _text(shown.snippet, style="")
    for said in filter(None, (headline_change(shown), also_in(shown))):
        yield Text(said)
    yield Text(" · ".join((*origin(shown), *map(rule_line, shown.rules))), style="dim")
    if shown.rules_left_out:
        yield Text(left_out(shown), style="dim")
    if shown.url:
        yield Text(shown.url, style="blue underline")


def _text(pieces: Iterable[Piece], style: str) -> Text:
    text = Text(style=style)
    for piece in pieces:
        text.append(piece.text, style=_FOUND if piece.found else None)
    return text
