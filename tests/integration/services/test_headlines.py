"""What is remembered of headlines, and for how long."""

from datetime import timedelta

from monitor.core.model import ArticleKind
from monitor.ports import Draft, RecordKind
from monitor.services.headlines import KEPT_FOR, Headlines
from monitor.streams.memory.registry import MemoryRegistry
from monitor.streams.memory.store import MemoryStore
from tests.factories import NOW, article

EDIT = ArticleKind.EDITED


async def test_edit_has_the_headline_before_it_and_an_edit_of_the_text_none() -> None:
    headlines = Headlines(MemoryRegistry(MemoryStore()))
    assert (await headlines.compared(article(title="One"), NOW)).was_title == ""
    assert (await headlines.compared(article(title="Two", kind=EDIT), NOW)).was_title == "One"
    assert (await headlines.compared(article(title="Two", kind=EDIT), NOW)).was_title == ""
    assert (await headlines.compared(article(title="Three", kind=EDIT), NOW)).was_title == "Two"


async def test_edit_of_what_is_not_remembered_or_cannot_be_read_has_none() -> None:
    registry = MemoryRegistry(MemoryStore())
    headlines = Headlines(registry)
    assert (await headlines.compared(article(kind=EDIT), NOW)).was_title == ""
    await registry.put(RecordKind.HEADLINE, Draft(id="a1", value=b"9"), NOW)
    assert (await headlines.compared(article(kind=EDIT), NOW)).was_title == ""


async def test_headline_is_kept_for_some_days() -> None:
    registry = MemoryRegistry(MemoryStore())
    await Headlines(registry).compared(article(), NOW)
    record = await registry.get(RecordKind.HEADLINE, "a1")
    assert record is not None
    assert record.expires_at == NOW + KEPT_FOR
    assert timedelta(days=1) < KEPT_FOR
