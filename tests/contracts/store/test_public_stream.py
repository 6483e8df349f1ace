"""What every `PublicStream` promises."""

import asyncio
from datetime import timedelta

from monitor.streams import bounds
from tests.contracts.store.conftest import Ports
from tests.factories import NOW, article, match, matched


async def test_each_match_is_published_once(ports: Ports) -> None:
    both = matched(matches=(match(), match(rule_id="geneva")))
    assert await ports.public.publish(both, NOW) == 2
    assert await ports.public.publish(both, NOW) == 0


async def test_a_rule_that_is_new_for_the_article_is_published(ports: Ports) -> None:
    await ports.public.publish(matched(), NOW)
    both = matched(matches=(match(), match(rule_id="geneva")))
    assert await ports.public.publish(both, NOW) == 1


async def test_an_edit_is_not_published_again(ports: Ports) -> None:
    await ports.public.publish(matched(), NOW)
    edited = matched(article=article(title="Talks collapse", fingerprint="f2"))
    assert await ports.public.publish(edited, NOW) == 0


async def test_published_is_remembered_for_a_generation(ports: Ports) -> None:
    await ports.public.publish(matched(), NOW)
    later = NOW + bounds.TOLD_GENERATION
    assert await ports.public.publish(matched(), later) == 0
    assert await ports.public.publish(matched(), later + 2 * timedelta(days=31)) == 1


async def test_other_programs_read_on_from_where_they_were(ports: Ports) -> None:
    assert await ports.public.last() == "0"
    assert await ports.public.read("0", 10, timedelta()) == []
    for n in range(3):
        await ports.public.publish(matched(article=article(id=f"a{n}")), NOW)
    first, second = await ports.public.read("0", 2, timedelta())
    assert (first.fields["article"], second.fields["article"]) == ("a0", "a1")
    assert first.fields["rule"] == "talks"
    [third] = await ports.public.read(second.id, 10, timedelta())
    assert third.fields["article"] == "a2"
    assert await ports.public.last() == third.id


async def test_a_reader_is_woken_by_what_is_published(ports: Ports) -> None:
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(ports.public.read("0", 10, timedelta(minutes=1)))
        await asyncio.sleep(0)
        await ports.public.publish(matched(), NOW)
    assert len(reading.result()) == 1
