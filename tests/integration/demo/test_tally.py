from monitor.demo.cast import Subscriber
from monitor.demo.receivers import Receipt
from monitor.demo.script import Piece, Stale
from monitor.demo.tally import Tally
from tests.factories import article, match

DESK = Subscriber(id="desk", channel="webhook", rules=frozenset({"talks"}))
ONE = Piece(
    id="one",
    feed="world",
    path="/world/one",
    title="One",
    summary="",
    at=0,
    rules=frozenset({"talks"}),
)
EDIT = Piece(
    id="one-edited",
    feed="world",
    path="/world/one",
    title="One!",
    summary="",
    at=2,
    rules=frozenset({"talks"}),
    repeats="one",
    stale=Stale.EDIT,
)
NOISE = Piece(id="two", feed="world", path="/world/two", title="Two", summary="", at=1)


def tally() -> Tally:
    return Tally([ONE, EDIT, NOISE], [DESK])


def receipt(path: str = "/world/one", **changes: object) -> Receipt:
    fields = {"subscriber": "desk", "path": path}
    return Receipt(**fields | changes)  # type: ignore[arg-type]


def test_what_has_not_come_is_named() -> None:
    assert tally().missing() == ["desk has no alert of /world/one"]


def test_an_alert_counts_from_the_first_appearance_to_the_try_that_was_taken() -> None:
    book = tally()
    book.appear(ONE, 10)
    book.appear(EDIT, 12)
    book.receive(receipt(refused="503"), 10.5)
    assert book.missing()
    book.receive(receipt(tries=2), 11.5)
    assert (book.missing(), book.surplus(), book.latencies("desk")) == ([], [], [1.5])
    assert [(each.tries, each.refusals) for each in book.arrivals("desk")] == [(2, ["503"])]


def test_what_comes_twice_or_should_not_come_is_named() -> None:
    book = tally()
    for piece in (ONE, NOISE):
        book.appear(piece, 0)
    for path in ("/world/one", "/world/one", "/world/two", ""):
        book.receive(receipt(path), 1)
    assert book.missing() == []
    assert book.surplus() == [
        "desk has an alert of /world/two, which it should not have",
        "desk was told 2 times of /world/one",
        "desk has an alert of nothing we published",
    ]


def test_an_edit_leaves_the_matches_of_the_first_version() -> None:
    book = tally()
    book.appear(ONE, 0)
    book.match("/world/one", article(title="One"), (match(),), 1)
    book.match("/world/one", article(title="One!"), (), 2)
    book.match("/world/nowhere", article(), (match(),), 3)
    (progress,) = book.articles()
    assert progress.found == {"talks"}
    assert progress.article
    assert progress.article.title == "One"
