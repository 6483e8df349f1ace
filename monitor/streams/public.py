"""The public stream, on the server."""

from datetime import datetime

from monitor.core.model import MatchedArticle
from monitor.streams import keys
from monitor.streams.client import Word, call
from monitor.streams.publication import fields_of
from monitor.streams.store import Store


class StreamPublicStream:
    """A `PublicStream` on the server."""

    def __init__(self, store: Store) -> None:
        """Append to the stream `monitor:matches`."""
        self._server = store.server

    async def publish(self, matched: MatchedArticle, now: datetime) -> int:
        """See `PublicStream.publish`."""
        article, number = matched.article, keys.generation(now)
        bucket = keys.told_bucket(article.id)
        touched = [keys.PUBLIC, keys.published(number, bucket), keys.published(number - 1, bucket)]
        words: list[Word] = []
        for match in matched.matches:
            words += [keys.hash64(article.id, match.rule_id), *fields_of(article, match).values()]
        return int(await self._server.run(call("monitor_publish", touched, *words)))
