from xml.etree import ElementTree as ET

from monitor.demo.render import Published, render
from monitor.demo.script import MISHAPS, OUTLETS, Format, Stale, alerting, load_script
from tests.factories import NOW

PIECES = load_script()


def test_every_piece_appears_in_a_feed_that_exists() -> None:
    assert {each.feed for each in PIECES} == {each.id for each in OUTLETS}
    assert {each.feed for each in MISHAPS} <= {each.id for each in OUTLETS}


def test_pieces_have_names_of_their_own() -> None:
    assert len({each.id for each in PIECES}) == len(PIECES)


def test_every_language_of_the_newsroom_alerts_somebody() -> None:
    feeds = {each.feed for each in alerting(PIECES)}
    assert {each.lang for each in OUTLETS if each.id in feeds} == {each.lang for each in OUTLETS}


def test_repeats_come_after_what_they_repeat_and_lead_to_the_same_page() -> None:
    by_id = {each.id: each for each in PIECES}
    repeats = [each for each in PIECES if each.repeats]
    assert {each.stale for each in repeats} == {Stale.EDIT, Stale.AGAIN, Stale.COPY}
    for each in repeats:
        original = by_id[each.repeats or ""]
        assert (each.at or 0) > (original.at or 0)
        assert each.path == original.path
        assert (each.guid == original.guid) is (each.stale is Stale.EDIT)


def test_articles_in_trouble_appear_while_the_trouble_lasts() -> None:
    for mishap in MISHAPS:
        assert any(each.feed == mishap.feed and each.at == mishap.at for each in alerting(PIECES))


def test_every_title_fits_a_narrow_terminal() -> None:
    assert [each.title for each in PIECES if len(each.title) > 72] == []


def test_every_xml_feed_is_well_formed_with_all_pieces_in_it() -> None:
    for outlet in (each for each in OUTLETS if each.format is not Format.JSON):
        here = [each for each in PIECES if each.feed == outlet.id]
        standing = [Published(piece=each, url=f"http://x{each.path}", at=NOW) for each in here]
        tree = ET.fromstring(render(outlet, "http://x/", standing))  # noqa: S314 - our own document
        titles = [each.text for each in tree.iter() if each.tag.endswith("title")]
        assert titles[1:] == [each.title for each in here]
