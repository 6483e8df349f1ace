"""A process that fetches and parses what it is told to, one address a line, and says what each cost it.

It does so in the product's way, with smaller limits; the test that started it is the hostile server.
"""

import asyncio
import json
import resource
import sys
import time
from datetime import timedelta
from typing import Any

from monitor.core.model import FeedState
from monitor.errors import FeedError
from monitor.feeds.fetch import HttpFetcher
from monitor.feeds.gate import HostGate
from monitor.feeds.process import ProcessParser
from tests.factories import feed
from tests.servers.feeds import open_test_session

LIMIT = 4 << 20
PATIENCE = timedelta(seconds=2)
PARSING = timedelta(seconds=6)


async def main() -> None:
    async with (
        open_test_session() as session,
        ProcessParser(workers=1, timeout=PARSING) as parser,
    ):
        fetcher = HttpFetcher(session, gate=HostGate(4), timeout=PATIENCE, max_bytes=LIMIT)
        for url in map(str.strip, sys.stdin):
            sys.stdout.write(json.dumps(await suffer(fetcher, parser, url)) + "\n")
            sys.stdout.flush()


async def suffer(fetcher: HttpFetcher, parser: ProcessParser, url: str) -> dict[str, Any]:
    cpu, memory = time.process_time(), peak()
    try:
        document = await fetcher.fetch(feed(url=url), FeedState())
        outcome = f"{len((await parser.parse(document)).articles)} articles"
    except FeedError as error:
        outcome = str(error.reason)
    return {
        "outcome": outcome,
        "cpu": time.process_time() - cpu,
        "grown": peak() - memory,
    }


def peak() -> int:
    """Return the most memory this process ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    asyncio.run(main())
