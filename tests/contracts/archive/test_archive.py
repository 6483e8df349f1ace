"""What every `Archive` promises."""

from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.chapter import Chapter, Decided, Decision
from monitor.core.narrowing import AllOf, AnyOf, HasPrefix, HasWord, Narrowing, all_of, narrow_to
from monitor.core.outcome import HoldReason, Suppression
from monitor.core.query.expression import Attribute
from monitor.ports import Archive, Page
from tests.factories import NOW, article, match

DAY = timedelta(days=1)


def seen(id_: str, at: datetime = NOW, **changes: str) -> Chapter:
    return Chapter(article=article(id=id_, seen_at=at, **changes))


def routed(*decisions: Decision, at: datetime = NOW) -> Chapter:
    return Chapter(article=article(), decisions=decisions, decided_at=at)


async def ids(archive: Archive, which: Page) -> list[str]:
    return [kept.article.id for kept in await archive.page(which)]


async def found(archive: Archive, narrowing: Narrowing) -> list[str]:
    return await ids(archive, Page(narrowing=narrowing))


async def test_what_was_added_is_returned_whole(archive: Archive) -> None:
    record = Chapter(article=article(tags=("a", "b")), matches=(match(rule_id="b"), match()))
    await archive.add([record])
    [kept] = await archive.page(Page())
    assert (kept.article, kept.matches, kept.suppressed) == (record.article, record.matches, None)


async def test_adding_again_changes_nothing(archive: Archive) -> None:
    records = [Chapter(article=article(), matches=(match(),)), routed(Decision(rule_ids=("r",)))]
    await archive.add([*records, *records])
    await archive.add(records)
    assert len(await archive.page(Page())) == 1
    assert len(await archive.decided("a1")) == 1
    assert (await archive.size()).articles == 1


async def test_an_edit_is_another_version_of_the_article(archive: Archive) -> None:
    edited = article(title="Talks fail in Geneva", fingerprint="f2", seen_at=NOW + DAY)
    await archive.add([Chapter(article=article())])
    await archive.add([Chapter(article=edited)])
    assert [kept.article for kept in await archive.versions("a1")] == [article(), edited]
    assert await archive.versions("unknown") == []


async def test_pages_go_from_the_newest_to_the_oldest(archive: Archive) -> None:
    for n in range(5):
        await archive.add([seen(f"a{n}", NOW + n * DAY)])
    first = await archive.page(Page(limit=2))
    assert [kept.article.id for kept in first] == ["a4", "a3"]
    assert await ids(archive, Page(limit=9, before=first[-1].number)) == ["a2", "a1", "a0"]


async def test_a_search_goes_through_the_days(archive: Archive) -> None:
    for n in range(5):
        await archive.add([seen(f"a{n}", NOW + n * DAY)])
    talks = HasWord("talks")
    [first, second] = await archive.page(Page(narrowing=talks, limit=2))
    assert [first.article.id, second.article.id] == ["a4", "a3"]
    rest = Page(narrowing=talks, before=second.number)
    assert await ids(archive, rest) == ["a2", "a1", "a0"]
    since = Page(narrowing=talks, since=NOW + DAY, until=NOW + 3 * DAY)
    assert await ids(archive, since) == ["a2", "a1"]


async def test_what_comes_late_is_found_as_well(archive: Archive) -> None:
    await archive.add([seen("today", NOW + DAY)])
    await archive.add([seen("yesterday", NOW)])
    assert await found(archive, HasWord("talks")) == ["yesterday", "today"]
    early = Page(narrowing=HasWord("talks"), since=NOW, until=NOW + timedelta(hours=1))
    assert await ids(archive, early) == ["yesterday"]


async def test_a_batch_may_span_days(archive: Archive) -> None:
    days = (2, 0, 1)
    await archive.add([seen(f"a{n}", NOW + n * DAY) for n in days])
    since = Page(narrowing=HasWord("talks"), since=NOW + DAY)
    assert await ids(archive, since) == ["a1", "a2"]
    await archive.add([seen("a3", NOW - DAY)])
    assert await found(archive, HasWord("talks")) == ["a3", "a1", "a0", "a2"]


async def test_articles_are_found_by_their_words(archive: Archive) -> None:
    await archive.add(
        [
            seen("plain", title="Talks in Geneva"),
            seen("hyphen", title="Cease-fire in the U.N. zone", summary=""),
            seen("marks", title='Müller\'s "naïve" C++ AND NOT OR *', summary=""),
            seen("zh", title="联合国安理会", summary=""),
        ]
    )
    assert await found(archive, HasWord("geneva")) == ["plain"]
    assert await found(archive, HasWord("ceasefire")) == ["hyphen"]
    assert await found(archive, HasWord("un")) == ["hyphen"]
    assert await found(archive, HasWord("muller")) == ["marks"]
    assert await found(archive, AllOf((HasWord("not"), HasWord("or")))) == ["marks"]
    assert await found(archive, HasWord("联")) == ["zh"]
    assert await found(archive, HasPrefix("gen")) == ["plain"]
    assert await found(archive, HasPrefix("cease")) == ["hyphen"]
    assert await found(archive, AllOf((HasWord("geneva"), HasWord("un")))) == []
    either = AnyOf((HasWord("geneva"), AllOf((HasWord("un"), HasWord("zone")))))
    assert await found(archive, either) == ["hyphen", "plain"]


async def test_articles_are_found_by_what_is_known_of_them(archive: Archive) -> None:
    await archive.add(
        [
            seen("ru", feed_id="one", lang="ru", country="ru"),
            seen("br", feed_id="two", lang="pt_BR", category="World  news"),
            seen("site", feed_id="two.b", url="https://www.paper.example/a"),
        ]
    )
    for attribute, value, ids_found in (
        (Attribute.FEED, "two", ["br"]),
        (Attribute.LANG, "pt", ["br"]),
        (Attribute.LANG, "pt-br", ["br"]),
        (Attribute.COUNTRY, "ru", ["ru"]),
        (Attribute.CATEGORY, "world news", ["br"]),
        (Attribute.CATEGORY, "news", []),
        (Attribute.SITE, "paper.example", ["site"]),
    ):
        assert await found(archive, narrow_to(attribute, value)) == ids_found, value
    talks = HasWord("talks")
    assert await found(archive, all_of(narrow_to(Attribute.FEED, "two"), talks)) == ["br"]
    assert await found(archive, HasWord("two")) == []


async def test_articles_are_counted_by_when_they_were_seen(archive: Archive) -> None:
    for n in range(4):
        await archive.add([seen(f"a{n}", NOW + n * DAY)])
    assert await archive.count(None, None) == 4
    assert await archive.count(NOW + DAY, NOW + 3 * DAY) == 2
    assert await archive.count(NOW + 3 * DAY, None) == 1
    assert await archive.count(None, NOW) == 0


async def test_words_that_mean_something_to_a_database_mean_nothing(archive: Archive) -> None:
    await archive.add([seen("a")])
    for text in ('"', "'", "a:b", "*", "(", "NEAR", "a&b", "\\", "%", "x" * 3000):
        assert await found(archive, HasWord(text)) == []
        assert await found(archive, AnyOf((HasWord(text), HasPrefix("talk")))) == ["a"]


async def test_text_with_any_character_is_kept_and_found(archive: Archive) -> None:
    title = "a\0b \0 talks\\ 'quoted' \x1f \U0001f600"
    await archive.add([seen("a", title=title)])
    [kept] = await archive.page(Page(narrowing=HasWord("talks")))
    assert kept.article.title == title
    for value in ("a\0b", "\0", "\ud800", "'", "\\"):
        assert await found(archive, narrow_to(Attribute.FEED, value)) == []


async def test_an_article_of_more_words_than_an_index_takes_is_found(archive: Archive) -> None:
    many = " ".join(f"{n:06}{'x' * 40}" for n in range(40_000))
    await archive.add([seen("long", summary=f"{many} geneva"), seen("short")])
    assert "long" in await found(archive, HasWord("geneva"))
    assert await found(archive, HasWord("talks")) == ["short", "long"]


async def test_a_long_list_of_words_can_be_asked(archive: Archive) -> None:
    await archive.add([seen("a")])
    many = tuple(AllOf((HasWord(f"w{n}"), HasWord("talks"))) for n in range(3000))
    assert await found(archive, AnyOf((*many, HasWord("geneva")))) == ["a"]


async def test_pages_of_a_rule_have_its_matches_alone(archive: Archive) -> None:
    await archive.add([Chapter(article=article(id="a"), matches=(match(rule_id="r"),))])
    await archive.add([Chapter(article=article(id="b"), matches=(match(rule_id="s"),))])
    await archive.add([Chapter(article=article(id="c"), matches=(match(rule_id="r"),))])
    assert await ids(archive, Page(rule="r")) == ["c", "a"]
    assert await ids(archive, Page(rule="r", narrowing=HasWord("talks"), limit=1)) == ["c"]
    assert await ids(archive, Page(rule="none")) == []


async def test_what_never_came_to_matching_says_why(archive: Archive) -> None:
    await archive.add([Chapter(article=article(), suppressed=Suppression.BASELINE)])
    [kept] = await archive.page(Page())
    assert kept.suppressed is Suppression.BASELINE


async def test_decisions_are_told_in_their_order(archive: Archive) -> None:
    first = Decision(
        rule_ids=("r",),
        subscriber="desk",
        target_id="desk/slack",
        delivery_id="d1",
        held=HoldReason.QUIET_HOURS,
        detail="until 07:00",
    )
    second = Decision(rule_ids=("r",), suppressed=Suppression.NO_ROUTE)
    await archive.add([routed(second, at=NOW + DAY), routed(first)])
    assert await archive.decided("a1") == [
        Decided(at=NOW, decisions=(first,)),
        Decided(at=NOW + DAY, decisions=(second,)),
    ]


async def test_what_is_too_old_goes_with_all_that_belongs_to_it(archive: Archive) -> None:
    for n in range(4):
        record = seen(f"a{n}", NOW + n * DAY)
        await archive.add([replace(record, matches=(match(rule_id="r"),))])
    await archive.add([routed(Decision(rule_ids=("r",)))])
    assert await archive.tidy(NOW + 2 * DAY) == 2
    assert await ids(archive, Page(rule="r")) == ["a3", "a2"]
    assert await found(archive, HasWord("talks")) == ["a3", "a2"]
    assert await archive.decided("a1") == []
    size = await archive.size()
    assert (size.articles, size.oldest) == (2, NOW + 2 * DAY)
    assert await archive.tidy(NOW + 2 * DAY) == 0


async def test_an_empty_archive_has_nothing(archive: Archive) -> None:
    assert await archive.page(Page()) == []
    assert await found(archive, HasWord("talks")) == []
    size = await archive.size()
    assert (size.articles, size.oldest) == (0, None)


async def test_what_matched_is_paged_and_counted_by_rule(archive: Archive) -> None:
    found = {"a": ("one",), "b": (), "c": ("one", "two"), "d": ("two",)}
    await archive.add(
        [
            replace(
                seen(id_, NOW + DAY * number),
                matches=tuple(match(rule_id=each, article_id=id_) for each in rules),
            )
            for number, (id_, rules) in enumerate(found.items())
        ]
    )
    assert await ids(archive, Page(matched=True)) == ["d", "c", "a"]
    assert await ids(archive, Page(matched=True, before=3)) == ["a"]
    assert await ids(archive, Page(matched=True, narrowing=HasWord("nothing"))) == []
    assert await archive.matched(NOW) == {"one": 2, "two": 2}
    assert await archive.matched(NOW + DAY) == {"one": 1, "two": 2}
    assert await archive.matched(NOW + 9 * DAY) == {}
