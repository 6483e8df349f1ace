"""Fetching, against a real server that behaves and misbehaves."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import brotli
import pytest
from backports import zstd

from monitor.core.feed import Document
from monitor.core.model import FeedState
from monitor.errors import FeedReason, FetchError
from monitor.feeds.fetch import HttpFetcher
from monitor.feeds.gate import HostGate
from monitor.net import AddressGuard, open_session
from tests.factories import feed
from tests.servers.feeds import (
    USER_AGENT,
    FeedServer,
    bomb,
    broken_off,
    deflated,
    document,
    endless,
    feed_server,
    gzipped,
    held,
    item,
    open_test_session,
    packed,
    redirect,
    reset,
    rss,
    slow_drip,
    status,
)
from tests.wait import wait_until

BODY = rss(item(1))
NEVER = FeedState()


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_test_session() as opened:
        yield opened


@pytest.fixture
def fetcher(session: aiohttp.ClientSession) -> HttpFetcher:
    return HttpFetcher(session, max_bytes=1_000_000)


async def fetch(fetcher: HttpFetcher, url: str, state: FeedState = NEVER) -> Document:
    return await fetcher.fetch(feed(url=url), state)


async def failure(fetcher: HttpFetcher, url: str, state: FeedState = NEVER) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await fetch(fetcher, url, state)
    return caught.value


def remembered(found: Document) -> FeedState:
    return FeedState(url=found.url, etag=found.etag, last_modified=found.last_modified)


# --- conditional requests ---


@pytest.mark.parametrize("etag", ['"abc"', 'W/"weak"', "unquoted", '"a,b\\"c"', '"é"'])
async def test_etag_goes_back_byte_for_byte(
    server: FeedServer, fetcher: HttpFetcher, etag: str
) -> None:
    url = server.script("/feed", document(BODY, etag=etag))
    second = await fetch(fetcher, url, remembered(await fetch(fetcher, url)))
    assert second.not_modified
    assert second.body == b""
    assert server.asked("/feed")[1]["if-none-match"] == etag


@pytest.mark.parametrize("date", ["Thu, 15 Jan 2026 10:00:00 GMT", "yesterday, about noon", "0"])
async def test_last_modified_goes_back_byte_for_byte_however_odd(
    server: FeedServer, fetcher: HttpFetcher, date: str
) -> None:
    url = server.script("/feed", document(BODY, last_modified=date))
    second = await fetch(fetcher, url, remembered(await fetch(fetcher, url)))
    assert second.not_modified
    assert server.asked("/feed")[1]["if-modified-since"] == date


async def test_both_validators_are_sent_when_both_are_known(
    server: FeedServer, fetcher: HttpFetcher
) -> None:
    url = server.script("/feed", document(BODY, etag='"e"', last_modified="then"))
    await fetch(fetcher, url, remembered(await fetch(fetcher, url)))
    second = server.asked("/feed")[1]
    assert (second["if-none-match"], second["if-modified-since"]) == ('"e"', "then")
    assert second["a-im"] == "feed"


async def test_first_request_is_unconditional_and_says_who_asks(
    server: FeedServer, fetcher: HttpFetcher
) -> None:
    await fetch(fetcher, server.script("/feed", document(BODY)))
    (first,) = server.asked("/feed")
    assert first["user-agent"] == USER_AGENT
    assert "gzip" in first["accept-encoding"]
    assert not {"if-none-match", "if-modified-since", "a-im", "cookie", "referer"} & first.keys()


async def test_validators_of_another_address_are_not_sent(
    server: FeedServer, fetcher: HttpFetcher
) -> None:
    url = server.script("/feed", document(BODY, etag='"e"'))
    state = FeedState(url="http://elsewhere.example/feed", etag='"e"', last_modified="then")
    assert (await fetch(fetcher, url, state)).status == 200
    assert not {"if-none-match", "if-modified-since"} & server.asked("/feed")[0].keys()


async def test_validators_belong_to_the_address_at_the_end_of_redirects(
    server: FeedServer, fetcher: HttpFetcher
) -> None:
    url = server.script("/old", redirect("/new"))
    server.script("/new", document(BODY, etag='"e"'))
    second = await fetch(fetcher, url, remembered(await fetch(fetcher, url)))
    assert second.not_modified
    assert "if-none-match" not in server.asked("/old")[1]


async def test_304_that_was_not_asked_for_is_an_error(
    server: FeedServer, fetcher: HttpFetcher
) -> None:
    assert (await failure(fetcher, server.script("/feed", status(304)))).reason is (
        FeedReason.BAD_RESPONSE
    )


async def test_226_is_a_document_only_when_a_delta_was_asked_for(
    server: FeedServer, fetcher: HttpFetcher
) -> None:
    url = server.script("/feed", status(226, BODY, etag='"new"'))
    assert (await failure(fetcher, url)).reason is FeedReason.BAD_RESPONSE
    found = await fetch(fetcher, url, FeedState(url=url, etag='"old"'))
    assert (found.status, found.etag, found.body) == (226, '"new"', BODY.encode())


async def test_cookies_are_not_sent_back(server: FeedServer, fetcher: HttpFetcher) -> None:
    url = server.script("/feed", document(BODY, headers={"Set-Cookie": "id=1; Path=/"}))
    await fetch(fetcher, url)
    await fetch(fetcher, url)
    assert "cookie" not in server.asked("/feed")[1]


async def test_password_in_the_address_is_used_and_not_remembered(
    server: FeedServer, fetcher: HttpFetcher
) -> None:
    server.script("/feed", document(BODY, etag='"e"'))
    url = server.base.replace("//", "//reader:secret@") + "/feed"
    first = await fetch(fetcher, url)
    assert "secret" not in first.url
    assert server.asked("/feed")[0]["authorization"].startswith("Basic ")
    assert (await fetch(fetcher, url, remembered(first))).not_modified


# --- bodies ---


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(gzipped(BODY), id="gzip"),
        pytest.param(deflated(BODY), id="deflate"),
        pytest.param(deflated(BODY, with_header=False), id="deflate without its header"),
        pytest.param(packed(BODY, "br"), id="brotli"),
        pytest.param(packed(BODY, "zstd"), id="zstandard"),
        pytest.param(document(BODY), id="identity"),
    ],
)
async def test_body_is_decompressed(
    server: FeedServer, fetcher: HttpFetcher, answer: object
) -> None:
    found = await fetch(fetcher, server.script("/feed", answer))  # type: ignore[arg-type]
    assert found.body == BODY.encode()


async def test_file_that_is_compressed_itself_is_decompressed(
    server: FeedServer, fetcher: HttpFetcher
) -> None:
    url = server.script("/feed.xml.gz", document(gzip.compress(BODY.encode())))
    assert (await fetch(fetcher, url)).body == BODY.encode()


async def test_members_of_gzip_are_joined(server: FeedServer, fetcher: HttpFetcher) -> None:
    packed = gzip.compress(BODY[:50].encode()) + gzip.compress(BODY[50:].encode())
    url = server.script("/feed", document(packed, headers={"Content-Encoding": "gzip"}))
    assert (await fetch(fetcher, url)).body == BODY.encode()


async def test_thousands_of_empty_members_are_refused(
    server: FeedServer, fetcher: HttpFetcher
) -> None:
    url = server.script(
        "/feed", document(gzip.compress(b"") * 5_000, headers={"Content-Encoding": "gzip"})
    )
    assert (await failure(fetcher, url)).reason is FeedReason.TOO_LARGE


async def test_bomb_is_stopped_in_the_stream(server: FeedServer, fetcher: HttpFetcher) -> None:
    error = await failure(fetcher, server.script("/feed", bomb(64)))
    assert error.reason is FeedReason.TOO_LARGE
    assert "1,000,000 bytes" in error.detail


@pytest.mark.parametrize("encoding", ["br", "zstd"])
async def test_bomb_of_another_kind_is_stopped_too(
    server: FeedServer, fetcher: HttpFetcher, encoding: str
) -> None:
    url = server.script("/feed", packed(bytes(64_000_000), encoding))
    assert (await failure(fetcher, url)).reason is FeedReason.TOO_LARGE


@pytest.mark.parametrize("encoding", ["br", "zstd"])
async def test_compression_of_another_kind_that_breaks_off_or_is_damaged_is_an_error(
    server: FeedServer, fetcher: HttpFetcher, encoding: str
) -> None:
    pack = {"br": brotli.compress, "zstd": zstd.compress}[encoding]
    named = {"Content-Encoding": encoding}
    short = server.script("/short", document(pack(BODY.encode())[:-5], headers=named))
    assert "breaks off" in (await failure(fetcher, short)).detail
    wrong = server.script("/wrong", document(b"\xff" * 50, headers=named))
    assert "cannot be decompressed" in (await failure(fetcher, wrong)).detail


async def test_window_that_takes_more_memory_than_a_server_may_ask_for_is_refused(
    server: FeedServer, fetcher: HttpFetcher
) -> None:
    parameters = zstd.CompressionParameter
    packer = zstd.ZstdCompressor(
        options={int(parameters.window_log): 27, int(parameters.content_size_flag): 0}
    )
    body = packer.compress(BODY.encode()) + packer.flush()
    url = server.script("/feed", document(body, headers={"Content-Encoding": "zstd"}))
    assert "cannot be decompressed" in (await failure(fetcher, url)).detail


async def test_endless_body_is_stopped(server: FeedServer, fetcher: HttpFetcher) -> None:
    error = await failure(fetcher, server.script("/feed", endless()))
    assert error.reason is FeedReason.TOO_LARGE
    await wait_until(lambda: server.in_flight == 0, "the server noticed that we hung up")


async def test_body_that_says_it_is_too_large_is_not_read(
    server: FeedServer, fetcher: HttpFetcher
) -> None:
    url = server.script("/feed", document(bytes(1_000_001)))
    assert (await failure(fetcher, url)).reason is FeedReason.TOO_LARGE


async def test_body_of_exactly_the_limit_is_read(server: FeedServer, fetcher: HttpFetcher) -> None:
    url = server.script("/feed", gzipped(bytes(1_000_000)))
    assert len((await fetch(fetcher, url)).body) == 1_000_000


async def test_damaged_compression_is_an_error(server: FeedServer, fetcher: HttpFetcher) -> None:
    url = server.script("/feed", document(b"no gzip", headers={"Content-Encoding": "gzip"}))
    error = await failure(fetcher, url)
    assert error.reason is FeedReason.BAD_RESPONSE
    assert "cannot be decompressed" in error.detail


async def test_compression_that_breaks_off_is_an_error(
    server: FeedServer, fetcher: HttpFetcher
) -> None:
    packed = gzip.compress(BODY.encode())[:-12]
    url = server.script("/feed", document(packed, headers={"Content-Encoding": "gzip"}))
    assert "breaks off" in (await failure(fetcher, url)).detail


async def test_unknown_compression_is_an_error(server: FeedServer, fetcher: HttpFetcher) -> None:
    url = server.script("/feed", document(b"x", headers={"Content-Encoding": "middle-out"}))
    assert "(middle-out)" in (await failure(fetcher, url)).detail


async def test_body_shorter_than_announced_is_an_error(
    server: FeedServer, fetcher: HttpFetcher
) -> None:
    error = await failure(fetcher, server.script("/feed", broken_off(BODY)))
    assert error.reason is FeedReason.RESET
    assert "before the document was complete" in error.detail


async def test_page_that_wants_a_person_is_named(server: FeedServer, fetcher: HttpFetcher) -> None:
    for code in (403, 503, 200):
        url = server.script("/feed", status(code, "Just a moment...", cf_mitigated="challenge"))
        error = await failure(fetcher, url)
        assert error.reason is FeedReason.CHALLENGE
        assert "lets only browsers in" in error.detail


# --- redirects ---


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_redirect_is_followed(server: FeedServer, fetcher: HttpFetcher, code: int) -> None:
    url = server.script("/old", redirect("/new?a=1", code))
    server.script("/new", document(BODY))
    found = await fetch(fetcher, url)
    assert found.url == f"{server.base}/new?a=1"
    assert found.permanent_url == (found.url if code in {301, 308} else None)


async def test_address_is_permanent_only_if_every_redirect_was(
    server: FeedServer, fetcher: HttpFetcher
) -> None:
    url = server.script("/a", redirect("/b", 301))
    server.script("/b", redirect("/c", 302))
    server.script("/c", document(BODY))
    assert (await fetch(fetcher, url)).permanent_url is None


async def test_redirect_in_a_circle_is_an_error(server: FeedServer, fetcher: HttpFetcher) -> None:
    url = server.script("/a", redirect("/b"))
    server.script("/b", redirect("/a"))
    error = await failure(fetcher, url)
    assert error.reason is FeedReason.REDIRECT
    assert "in a circle" in error.detail
    assert len(server.requests) == 2


async def test_five_redirects_are_followed_and_six_are_not(
    server: FeedServer, fetcher: HttpFetcher
) -> None:
    for number in range(6):
        server.script(f"/{number}", redirect(f"/{number + 1}"))
    server.script("/6", document(BODY))
    assert (await fetch(fetcher, f"{server.base}/1")).status == 200
    assert "more than 5 redirects" in (await failure(fetcher, f"{server.base}/0")).detail


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://news.example/", "", "http://[::1/"])
async def test_redirect_to_what_is_no_web_address_is_an_error(
    server: FeedServer, fetcher: HttpFetcher, to: str
) -> None:
    error = await failure(fetcher, server.script("/feed", redirect(to)))
    assert error.reason is FeedReason.REDIRECT


async def test_redirect_to_a_guarded_address_is_refused(
    server: FeedServer, fetcher: HttpFetcher
) -> None:
    url = server.script("/feed", redirect("http://169.254.169.254/latest/meta-data"))
    error = await failure(fetcher, url)
    assert error.reason is FeedReason.REFUSED_ADDRESS
    assert "169.254.169.254" in error.detail


async def test_redirect_to_loopback_is_refused_unless_listed(server: FeedServer) -> None:
    url = server.script("/feed", document(BODY))
    async with open_session(AddressGuard(), user_agent=USER_AGENT) as guarded:
        error = await failure(HttpFetcher(guarded), url)
    assert error.reason is FeedReason.REFUSED_ADDRESS
    assert server.requests == []


# --- failures ---


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (204, FeedReason.BAD_RESPONSE),
        (400, FeedReason.CLIENT_ERROR),
        (401, FeedReason.UNAUTHORIZED),
        (403, FeedReason.UNAUTHORIZED),
        (404, FeedReason.NOT_FOUND),
        (410, FeedReason.GONE),
        (429, FeedReason.RATE_LIMITED),
        (500, FeedReason.SERVER_ERROR),
        (503, FeedReason.SERVER_ERROR),
        (599, FeedReason.SERVER_ERROR),
    ],
)
async def test_each_status_has_its_reason(
    server: FeedServer, fetcher: HttpFetcher, code: int, reason: FeedReason
) -> None:
    error = await failure(fetcher, server.script("/feed", status(code)))
    assert (error.reason, error.status) == (reason, code)
    assert error.detail.startswith("127.0.0.1 ")


async def test_retry_after_is_read_in_both_forms(server: FeedServer, fetcher: HttpFetcher) -> None:
    url = server.script(
        "/feed",
        status(429, retry_after="120"),
        status(
            503,
            date="Thu, 15 Jan 2026 10:00:00 GMT",
            retry_after="Thu, 15 Jan 2026 11:30:00 GMT",
        ),
    )
    assert (await failure(fetcher, url)).retry_after == timedelta(minutes=2)
    assert (await failure(fetcher, url)).retry_after == timedelta(minutes=90)


async def test_slow_drip_ends_at_the_time_limit(
    server: FeedServer, session: aiohttp.ClientSession
) -> None:
    hasty = HttpFetcher(session, timeout=timedelta(seconds=0.3))
    error = await failure(hasty, server.script("/feed", slow_drip()))
    assert error.reason is FeedReason.TIMEOUT
    assert error.detail == "127.0.0.1 did not finish its answer within 0.3 s"


async def test_silent_server_ends_at_the_time_limit(
    server: FeedServer, session: aiohttp.ClientSession
) -> None:
    hasty = HttpFetcher(session, timeout=timedelta(seconds=0.3))
    error = await failure(hasty, server.script("/feed", held(asyncio.Event())))
    assert error.detail == "127.0.0.1 did not answer within 0.3 s"


async def test_reset_is_an_error(server: FeedServer, fetcher: HttpFetcher) -> None:
    error = await failure(fetcher, server.script("/feed", reset()))
    assert error.reason is FeedReason.RESET


async def test_nobody_listening_is_an_error(fetcher: HttpFetcher, unused_tcp_port: int) -> None:
    error = await failure(fetcher, f"http://127.0.0.1:{unused_tcp_port}/feed")
    assert error.reason is FeedReason.CONNECT


async def test_name_that_does_not_resolve_is_an_error_that_says_so(fetcher: HttpFetcher) -> None:
    error = await failure(fetcher, "http://news.invalid/feed")
    assert error.reason is FeedReason.DNS
    assert error.detail == ("news.invalid does not resolve (DNS): check the network or the address")


async def test_server_without_tls_is_a_tls_error(server: FeedServer, fetcher: HttpFetcher) -> None:
    error = await failure(fetcher, server.base.replace("http:", "https:") + "/feed")
    assert error.reason is FeedReason.TLS


async def test_server_that_does_not_speak_http_is_an_error(fetcher: HttpFetcher) -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n\r\n")
        await reader.read(1_000)
        writer.close()

    async with await asyncio.start_server(shout, "127.0.0.1", 0) as odd:
        port = odd.sockets[0].getsockname()[1]
        error = await failure(fetcher, f"http://127.0.0.1:{port}/feed")
    assert error.reason is FeedReason.BAD_RESPONSE


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://news.example/feed",
        "news.example/feed",
        "http://",
        "http://a:b/",
    ],
)
async def test_address_that_is_not_http_is_refused(fetcher: HttpFetcher, url: str) -> None:
    error = await failure(fetcher, url)
    assert error.reason in {FeedReason.REFUSED_ADDRESS, FeedReason.BAD_RESPONSE}


# --- politeness ---


async def test_one_host_sees_one_request_at_a_time(
    server: FeedServer, session: aiohttp.ClientSession
) -> None:
    gate = HostGate()
    fetcher = HttpFetcher(session, gate=gate)
    go = asyncio.Event()
    urls = [server.script(f"/{number}", held(go, BODY)) for number in range(3)]
    async with asyncio.TaskGroup() as group:
        for url in urls:
            group.create_task(fetch(fetcher, url))
        await wait_until(lambda: server.in_flight == 1, "the first request arrived")
        assert not gate.is_open("127.0.0.1")
        go.set()
    assert server.most_in_flight == 1
    assert len(server.requests) == 3
    assert gate.is_open("127.0.0.1")


async def test_wait_for_the_gate_does_not_count_as_time_of_the_server(
    server: FeedServer, session: aiohttp.ClientSession
) -> None:
    fetcher = HttpFetcher(session, timeout=timedelta(seconds=0.5))
    slow, quick = server.script("/slow", slow_drip()), server.script("/quick", document(BODY))
    async with asyncio.TaskGroup() as group:
        group.create_task(failure(fetcher, slow))
        second = group.create_task(fetch(fetcher, quick))
    assert second.result().status == 200


async def test_hosts_do_not_wait_for_each_other() -> None:
    gate = HostGate()
    async with gate.pass_through("a.example"), gate.pass_through("b.example"):
        assert not gate.is_open("a.example")
        assert gate.is_open("c.example")
    assert gate.is_open("a.example")
