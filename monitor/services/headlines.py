"""What the headline of an article was before an edit, so that an alert can show what changed."""

from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.model import Article, ArticleKind
from monitor.errors import CodecError
from monitor.ports import Draft, RecordKind, Registry
from monitor.registry import HEADLINES

KEPT_FOR = timedelta(days=3)  # edits come within hours, and each costs some hundred bytes meanwhile


class Headlines:
    """The last headline of every article that a rule found."""

    def __init__(self, registry: Registry) -> None:
        """Keep them in `registry`."""
        self._registry = registry

    async def compared(self, article: Article, now: datetime) -> Article:
        """Return the article with the headline it had before, if it had another, and remember this one.

        A crash after this leaves an edit without its comparison, and nothing else.
        """
        before = await self._before(article) if article.kind is ArticleKind.EDITED else ""
        if before != article.title:
            value = HEADLINES.encode(article.title)
            draft = Draft(id=article.id, value=value, expires_at=now + KEPT_FOR)
            await self._registry.put(RecordKind.HEADLINE, draft, now)
        return replace(article, was_title=before) if before not in {"", article.title} else article

    async def _before(self, article: Article) -> str:
        record = await self._registry.get(RecordKind.HEADLINE, article.id)
        try:
            return HEADLINES.decode(record.value) if record else ""
        except CodecError:
            return ""
