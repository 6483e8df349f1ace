"""Records as they lie in a database: MessagePack of the fields by name, compressed where it is long."""

import zlib
from hashlib import blake2b
from typing import Generic, TypeVar

import msgspec

from monitor.core.chapter import Decision
from monitor.core.model import Article, Match
from monitor.errors import ArchiveError

FORMAT = 2  # of the archive; 1 had indexes without attributes

_PLAIN, _PACKED = b"\x00", b"\x01"
_SHORT = 256  # bytes; shorter ones do not shrink
_LARGEST = 64 * 1024 * 1024

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()


class Documents(Generic[T]):
    """Writes and reads one type of record. Unknown fields are ignored and missing ones have their default."""

    def __init__(self, kind: type[T]) -> None:
        """Compile the reader of `kind`."""
        self._decoder = msgspec.msgpack.Decoder(kind)

    def write(self, record: T) -> bytes:
        """Return the record as bytes; raise `ArchiveError` for text that is not Unicode."""
        try:
            data = _encoder.encode(record)
        except UnicodeEncodeError as error:
            raise ArchiveError(f"cannot write a document: {error}") from error
        return _PLAIN + data if len(data) < _SHORT else _PACKED + zlib.compress(data, 1)

    def read(self, data: bytes) -> T:
        """Return the record; raise `ArchiveError` if the bytes are none."""
        try:
            if data[:1] == _PACKED:
                return self._decoder.decode(zlib.decompressobj().decompress(data[1:], _LARGEST))
            return self._decoder.decode(data[1:])
        except (msgspec.DecodeError, zlib.error) as error:
            raise ArchiveError(f"cannot read a document of the archive: {error}") from error


def digest(document: bytes) -> bytes:
    """Return what tells a document from others of the same thing, in eight bytes."""
    return blake2b(document, digest_size=8).digest()


articles = Documents(Article)
matches = Documents(Match)
decisions = Documents(tuple[Decision, ...])
