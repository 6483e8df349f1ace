"""What the person who started the demo sees: a head, one block an article, and a closing summary."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.rule import Rule as Line
from rich.table import Table
from rich.text import Text

from monitor.demo.cast import Subscriber
from monitor.demo.marks import Marker
from monitor.demo.script import Outlet
from monitor.demo.tally import Arrival, Progress

_NEXT = "Next: put your feeds into config/feeds.yaml, your rules into config/rules.yaml, and `monitor run`."
_COLOURS = ("magenta", "cyan", "yellow", "green")
_INDENT = 8
_QUIET = "dim"
_GOOD = "green"
_BAD = "red"
_TROUBLE = "yellow"


class _Spoken:
    """A text that is asked for anew whenever it is drawn."""

    def __init__(self, say: Callable[[], str]) -> None:
        self._say = say

    def __rich__(self) -> Text:
        return Text(self._say(), _QUIET)


class Show:
    """Writes to a console as things happen. Instants are seconds since the newsroom began."""

    def __init__(
        self, console: Console, rules: Sequence[str], outlets: Mapping[str, Outlet]
    ) -> None:
        """Give each rule a colour, where there are colours."""
        self.console = console
        coloured = console.color_system is not None and not console.no_color
        self._styles = dict(zip(rules, _COLOURS, strict=False)) if coloured else {}
        self._marker = Marker({rule: f"bold {style}" for rule, style in self._styles.items()})
        self._outlets = outlets

    def head(self, facts: Sequence[tuple[str, RenderableType]]) -> None:
        """Say what is going on and where things are."""
        title = Text.assemble(
            ("monitor demo", "bold"), "  the whole pipeline on this machine, fed with invented news"
        )
        self._print(title)
        self._print()
        self._print(_pairs(facts))
        self._print()
        self._rule()

    def rules(self, names: Iterable[str]) -> Text:
        """Return names of rules, each in its colour."""
        return Text(", ").join(Text(each, self._styles.get(each, "")) for each in names)

    def told(self, at: float, progress: Progress, subscribers: Sequence[Subscriber]) -> None:
        """Show an article, what was found in it, and who has it."""
        outlet = self._outlets[progress.piece.feed]
        where = Text.assemble((outlet.name, "bold"), (f" · {outlet.lang}", _QUIET))
        self._line(at, where, self.rules(sorted(progress.found)))
        if progress.article:
            for each in self._marker.texts(progress.article, progress.matches):
                self._indented(each)
        wanting = [each for each in subscribers if each.wants(progress.found)]
        self._indented(Text("  ").join(_arrival(each, progress) for each in wanting))

    def came_late(self, at: float, who: Subscriber, progress: Progress) -> None:
        """Show an alert that came after its article was shown."""
        tries = progress.arrivals[who.id].tries
        why = f"has it on try {tries}" if tries > 1 else "has it now"
        self._line(
            at, Text.assemble((f"→ {who.id}", _GOOD), f" {why}: ", (progress.piece.title, _QUIET))
        )

    def ignored(self, at: float, title: str, why: str) -> None:
        """Show an article that alerted nobody, and the reason."""
        self._line(at, Text(title, _QUIET), Text(why, f"italic {_QUIET}"))

    def trouble(self, at: float, who: str, what: str) -> None:
        """Show that something outside went wrong, as planned."""
        self._line(at, Text.assemble((f"! {who}", _TROUBLE), f" {what}"))

    def summary(self, facts: Sequence[tuple[str, RenderableType]]) -> None:
        """Sum up."""
        self._rule()
        self._print()
        self._print(_pairs(facts))
        self._print()

    @contextmanager
    def standing(self, say: Callable[[], str]) -> Iterator[None]:
        """While the block lasts, keep a line at the bottom that says how things stand, if this is a terminal."""
        if not self.console.is_interactive:
            yield
            return
        with self.console.status(_Spoken(say), spinner_style=_QUIET):
            yield

    def verdict(self, complaints: Sequence[str]) -> None:
        """Say whether all came as it should, and what to do next."""
        if complaints:
            self._print(Text("Not as it should be:", f"bold {_BAD}"))
            for each in complaints:
                self._print(Text(f"  {each}"))
        else:
            everything = "Every alert that was due arrived, once; nothing else did."
            self._print(Text(everything, f"bold {_GOOD}"))
        self._print()
        self._print(Text(_NEXT))

    def _print(self, what: RenderableType = "", *, no_wrap: bool = False) -> None:
        try:
            self.console.print(what, no_wrap=no_wrap)
        except SystemExit as error:  # rich ends the program when the reader of its output has gone
            raise BrokenPipeError from error

    def _rule(self) -> None:
        self._print(Line(style=_QUIET))

    def _line(self, at: float, text: Text, right: Text | None = None) -> None:
        """Print one line: the time, the text cut to what fits, and something at the right edge."""
        edge = Text("  ").append_text(right) if right else Text()
        room = self.console.width - _INDENT - edge.cell_len
        text.truncate(max(room, 10), overflow="ellipsis", pad=bool(right))
        self._print(Text.assemble((f"{at:5.1f}s  ", _QUIET), text, edge), no_wrap=True)

    def _indented(self, text: Text) -> None:
        for line in text.wrap(self.console, self.console.width - _INDENT):
            line.rstrip()
            self._print(Text(" " * _INDENT).append_text(line))


def _pairs(facts: Sequence[tuple[str, RenderableType]]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, content in facts:
        grid.add_row(name, content)
    return grid


def _arrival(who: Subscriber, progress: Progress) -> Text:
    arrival = progress.arrivals.get(who.id, Arrival())
    if arrival.taken_at is not None:
        seconds = arrival.taken_at - progress.appeared_at
        return Text.assemble((f"→ {who.id}", _GOOD), (f" {seconds:.1f}s", _QUIET))
    why = arrival.refusals[-1] if arrival.refusals else "waits"
    return Text.assemble((f"! {who.id}", _TROUBLE), f" {why}")
