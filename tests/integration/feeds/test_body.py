"""Compressed answers: every way we say we take, and bombs made in each of them."""

import sys
import zlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import brotli
import pytest

from monitor.core.model import FeedState
from monitor.errors import FeedReason, FetchError
from monitor.feeds.body import ACCEPT_ENCODING
from monitor.feeds.fetch import HttpFetcher
from tests.factories import feed
from tests.servers.feeds import FeedServer, document, feed_server, item, open_test_session, rss

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BODY = rss(*(item(n, title=f"Übersicht {n}") for n in range(50))).encode()
MEBIBYTE = 1 << 20
LIMIT = 2 * MEBIBYTE


def packed_by_brotli(data: bytes) -> bytes:
    return bytes(brotli.compress(data, quality=5))


def packed_by_zstd(data: bytes) -> bytes:
    return zstd.compress(data)


def packed_by_gzip(data: bytes) -> bytes:
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": packed_by_gzip,
    "deflate": zlib.compress,
    "br": packed_by_brotli,
    "zstd": packed_by_zstd,
}


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as running:
        yield running


@pytest.fixture
async def fetcher() -> AsyncIterator[HttpFetcher]:
    async with open_test_session() as session:
        yield HttpFetcher(session, timeout=timedelta(seconds=20), max_bytes=LIMIT)


async def fetch(fetcher: HttpFetcher, url: str) -> bytes:
    return (await fetcher.fetch(feed(url=url), FeedState())).body


async def failure(fetcher: HttpFetcher, url: str) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await fetch(fetcher, url)
    return caught.value


def test_every_encoding_we_ask_for_is_tried_here() -> None:
    assert ACCEPT_ENCODING.split(", ") == list(PACKED)


@pytest.mark.parametrize("encoding", PACKED)
async def test_encoding_we_ask_for_is_read(
    server: FeedServer, fetcher: HttpFetcher, encoding: str
) -> None:
    answer = document(PACKED[encoding](BODY), headers={"Content-Encoding": encoding})
    assert await fetch(fetcher, server.script("/feed", answer)) == BODY


@pytest.mark.parametrize("encoding", PACKED)
async def test_bomb_is_stopped_at_the_limit_of_what_it_becomes(
    server: FeedServer, fetcher: HttpFetcher, encoding: str
) -> None:
    bomb = PACKED[encoding](bytes(16 * MEBIBYTE))
    assert len(bomb) < MEBIBYTE / 8
    answer = document(bomb, headers={"Content-Encoding": encoding})
    error = await failure(fetcher, server.script("/feed", answer))
    assert error.reason is FeedReason.TOO_LARGE


@pytest.mark.parametrize("encoding", PACKED)
async def test_exactly_as_much_as_is_allowed_is_read(
    server: FeedServer, fetcher: HttpFetcher, encoding: str
) -> None:
    answer = document(PACKED[encoding](bytes(LIMIT)), headers={"Content-Encoding": encoding})
    assert len(await fetch(fetcher, server.script("/feed", answer))) == LIMIT


@pytest.mark.parametrize("encoding", PACKED)
@pytest.mark.parametrize("damage", ["cut", "wrong"])
async def test_damaged_compression_is_an_error(
    server: FeedServer, fetcher: HttpFetcher, encoding: str, damage: str
) -> None:
    packed = PACKED[encoding](BODY)[:-20] if damage == "cut" else b"<rss>plainly not packed</rss>"
    answer = document(packed, headers={"Content-Encoding": encoding})
    error = await failure(fetcher, server.script("/feed", answer))
    assert error.reason is FeedReason.BAD_RESPONSE
    assert "compress" in error.detail


@pytest.mark.parametrize("encoding", PACKED)
async def test_empty_body_needs_no_compression(
    server: FeedServer, fetcher: HttpFetcher, encoding: str
) -> None:
    answer = document(b"", headers={"Content-Encoding": encoding})
    assert await fetch(fetcher, server.script("/feed", answer)) == b""


async def test_frames_of_zstd_are_joined(server: FeedServer, fetcher: HttpFetcher) -> None:
    packed = packed_by_zstd(BODY[:100]) + packed_by_zstd(BODY[100:])
    answer = document(packed, headers={"Content-Encoding": "zstd"})
    assert await fetch(fetcher, server.script("/feed", answer)) == BODY


async def test_frames_without_end_are_refused(server: FeedServer, fetcher: HttpFetcher) -> None:
    answer = document(packed_by_zstd(b"") * 5_000, headers={"Content-Encoding": "zstd"})
    error = await failure(fetcher, server.script("/feed", answer))
    assert error.reason is FeedReason.TOO_LARGE


async def test_zstd_that_wants_a_window_beyond_that_of_browsers_is_refused(
    server: FeedServer, fetcher: HttpFetcher
) -> None:
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    packed = packer.compress(BODY) + packer.flush()
    answer = document(packed, headers={"Content-Encoding": "zstd"})
    error = await failure(fetcher, server.script("/feed", answer))
    assert error.reason is FeedReason.BAD_RESPONSE
