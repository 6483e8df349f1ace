from io import StringIO

import pytest
from rich.console import Console
from rich.text import Text

from monitor.core.model import Span
from monitor.demo.cast import Subscriber
from monitor.demo.marks import Marker
from monitor.demo.script import Outlet, Piece
from monitor.demo.show import Show
from monitor.demo.tally import Arrival, Progress
from tests.factories import article, match

DESK = Subscriber(id="desk", channel="webhook", rules=frozenset({"talks"}))
OUTLET = Outlet(id="world", name="世界新聞", lang="ja")
PIECE = Piece(id="one", feed="world", path="/world/one", title="One", summary="", at=0)


def console(width: int, *, terminal: bool = False) -> Console:
    return Console(
        width=width,
        file=StringIO(),
        force_terminal=terminal,
        color_system="truecolor" if terminal else None,
    )


def written(show: Show) -> list[str]:
    assert isinstance(show.console.file, StringIO)
    return show.console.file.getvalue().splitlines()


def span(text: str, within: str, field: str) -> Span:
    start = within.index(text)
    return Span(field=field, start=start, end=start + len(text), text=text)


def test_words_found_in_the_title_are_marked_and_no_excerpt_is_needed() -> None:
    it = article(title="Talks resume", body="Talks, again.")
    found = match(spans=(span("Talks", it.title, "title"), span("Talks", it.body, "body")))
    assert [each.plain for each in Marker({}).texts(it, [found])] == ["*Talks* resume"]
    (coloured,) = Marker({"talks": "bold red"}).texts(it, [found])
    assert coloured.plain == "Talks resume"
    assert [(each.start, each.end, each.style) for each in coloured.spans] == [(0, 5, "bold red")]


def test_a_rule_that_found_nothing_in_the_title_shows_where_it_did() -> None:
    body = "Nothing of note here. " * 5 + "Then the talks began, and went on. " + "More. " * 50
    it = article(title="A long day", summary="", body=body)
    found = match(spans=(span("talks", body, "body"),))
    title, excerpt = (each.plain for each in Marker({}).texts(it, [found]))
    assert title == "A long day"
    assert excerpt.startswith("…")
    assert "Then the *talks* began" in excerpt
    assert excerpt.endswith("…")


def test_a_word_found_by_two_rules_is_marked_once() -> None:
    it = article(title="Talks resume")
    spans = (span("Talks", it.title, "title"),)
    both = [match(spans=spans), match(rule_id="other", spans=spans)]
    assert Marker({}).texts(it, both)[0].plain == "*Talks* resume"


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("terminal", [True, False])
def test_no_line_is_wider_than_the_terminal(width: int, *, terminal: bool) -> None:
    show = Show(console(width, terminal=terminal), ["talks"], {"world": OUTLET})
    title = "停戦の国連安保理決議案 " * 20
    progress = Progress(PIECE, 0, article(title=title), (match(spans=()),))
    show.head([("Newsroom", Text("http://127.0.0.1:1"))])
    show.told(1, progress, [DESK])
    show.ignored(2, title, "no rule matches")
    show.trouble(3, "desk", "answers 503")
    progress.arrivals["desk"] = Arrival(taken_at=4, tries=3)
    show.came_late(4, DESK, progress)
    show.summary([("Published", Text("1 article"))])
    show.verdict([])
    lines = written(show)
    assert len(lines) > 10
    assert max(Text.from_ansi(each).cell_len for each in lines) <= width


def test_output_that_is_no_terminal_is_plain() -> None:
    show = Show(console(80), ["talks"], {"world": OUTLET})
    it = article(title="Talks resume")
    progress = Progress(
        PIECE,
        0,
        it,
        (match(spans=(span("Talks", it.title, "title"),)),),
        arrivals={"desk": Arrival(taken_at=0.5, tries=1)},
    )
    show.told(0.6, progress, [DESK])
    assert written(show) == [
        "  0.6s  世界新聞 · ja" + " " * 54 + "talks",
        "        *Talks* resume",
        "        → desk 0.5s",
    ]


@pytest.mark.parametrize(
    ("arrival", "words"),
    [(Arrival(refusals=["503"], tries=1), "! desk 503"), (None, "! desk waits")],
)
def test_who_has_no_alert_yet_is_said(arrival: Arrival | None, words: str) -> None:
    show = Show(console(80), [], {"world": OUTLET})
    arrivals = {"desk": arrival} if arrival else {}
    show.told(1, Progress(PIECE, 0, article(), (match(),), arrivals=arrivals), [DESK])
    assert words in written(show)[-1]


def test_complaints_are_listed() -> None:
    show = Show(console(80), [], {})
    show.verdict(["desk has no alert of /world/one"])
    assert "  desk has no alert of /world/one" in written(show)
    assert "arrived, once" not in "".join(written(show))
