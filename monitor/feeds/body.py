"""A response body, decompressed as it comes in and bounded in what it becomes."""

import sys
import zlib
from typing import Protocol

import aiohttp
import brotli

from monitor.errors import FeedReason, FetchError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ACCEPT_ENCODING = "gzip, deflate, br, zstd"

_CHUNK = 65_536
_MAX_MEMBERS = 100  # honest files are of one or a few; each costs time, however little is in it
_GZIP_MAGIC = b"\x1f\x8b\x08"
_GZIP = 16 + zlib.MAX_WBITS
_ANY_ZLIB = 32 + zlib.MAX_WBITS  # gzip or zlib, whichever its header says
_RAW = -zlib.MAX_WBITS
_ZSTD_WINDOW = (
    23  # 8 MiB, the most that a server may ask of anybody (RFC 9659); the format goes up to 2 GiB
)
_BROKEN = (zlib.error, brotli.error, zstd.ZstdError, EOFError)


class TooLargeError(Exception):
    """More bytes than are allowed."""


class _Decoder(Protocol):
    def feed(self, data: bytes, room: int) -> bytes: ...

    def is_finished(self) -> bool: ...


async def read_body(response: aiohttp.ClientResponse, host: str, limit: int) -> bytes:
    """Read and decompress the body; raise `FetchError` when it exceeds `limit` bytes or cannot be decompressed."""
    too_large = FetchError(
        FeedReason.TOO_LARGE,
        f"{host} sent more than {limit:,} bytes (decompressed): not read any further",
        status=response.status,
    )
    if (response.content_length or 0) > limit:
        raise too_large
    decoder = _decoder(response, host)
    body = bytearray()
    try:
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += decoder.feed(chunk, limit - len(body))
        if body.startswith(_GZIP_MAGIC):  # compressed twice, or a .gz file behind the address
            inner = _Zlib(_GZIP)
            body, decoder = bytearray(inner.feed(bytes(body), limit)), inner
    except TooLargeError:
        raise too_large from None
    except _BROKEN as error:
        raise _broken(response, host, f"cannot be decompressed ({error})") from error
    if not decoder.is_finished():
        raise _broken(response, host, "breaks off in the middle of its compression")
    return bytes(body)


def _decoder(response: aiohttp.ClientResponse, host: str) -> _Decoder:
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    match encoding:
        case "" | "identity":
            return _Identity()
        case "gzip" | "x-gzip":
            return _Zlib(_GZIP)
        case "deflate":
            return _Zlib(_ANY_ZLIB)
        case "br":
            return _Brotli()
        case "zstd":
            return _Zstd()
        case _:
            what = f"is compressed in a way we did not ask for ({encoding[:40]})"
            raise _broken(response, host, what)


def _broken(response: aiohttp.ClientResponse, host: str, what: str) -> FetchError:
    return FetchError(
        FeedReason.BAD_RESPONSE, f"the answer of {host} {what}", status=response.status
    )


class _Identity:
    def feed(self, data: bytes, room: int) -> bytes:
        if len(data) > room:
            raise TooLargeError
        return data

    def is_finished(self) -> bool:
        return True


class _Zlib:
    """gzip of any number of members, or deflate with the header that some servers forget."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._inflater = zlib.decompressobj(window)
        self._is_fresh = True
        self._members = 1

    def feed(self, data: bytes, room: int) -> bytes:
        parts: list[bytes] = []
        while data:
            if self._inflater.eof:
                if not data.startswith(_GZIP_MAGIC):
                    break  # padding behind the last member
                self._members += 1
                if self._members > _MAX_MEMBERS:
                    raise TooLargeError
                self._inflater = zlib.decompressobj(self._window)
            part = self._inflate(data, room + 1)
            room -= len(part)
            if room < 0:
                raise TooLargeError
            parts.append(part)
            data = self._inflater.unused_data
        return b"".join(parts)

    def is_finished(self) -> bool:
        return self._is_fresh or self._inflater.eof

    def _inflate(self, data: bytes, most: int) -> bytes:
        try:
            part = self._inflater.decompress(data, most)
        except zlib.error:
            if not self._is_fresh or self._window != _ANY_ZLIB:
                raise
            self._window = _RAW
            self._inflater = zlib.decompressobj(_RAW)
            part = self._inflater.decompress(data, most)
        self._is_fresh = False
        return part


class _Brotli:
    def __init__(self) -> None:
        self._decoder = brotli.Decompressor()
        self._is_fresh = True

    def feed(self, data: bytes, room: int) -> bytes:
        self._is_fresh = False
        parts = bytearray(self._decoder.process(data, output_buffer_limit=room + 1))
        while len(parts) <= room and not self._decoder.can_accept_more_data():
            parts += self._decoder.process(b"", output_buffer_limit=room + 1 - len(parts))
        if len(parts) > room:
            raise TooLargeError
        return bytes(parts)

    def is_finished(self) -> bool:
        return self._is_fresh or self._decoder.is_finished()


class _Zstd:
    def __init__(self) -> None:
        self._decoder = zstd.ZstdDecompressor(
            options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW}
        )
        self._is_fresh = True

    def feed(self, data: bytes, room: int) -> bytes:
        self._is_fresh = False
        part = self._decoder.decompress(data, room + 1)
        if len(part) > room:
            raise TooLargeError
        return part

    def is_finished(self) -> bool:
        return self._is_fresh or self._decoder.eof
