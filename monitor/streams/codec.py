"""Records as bytes: one byte of version, then MessagePack of the record's fields by name.

Within a version, fields may be added (with a default) and unknown ones are ignored, so that processes of neighbouring
releases read each other. Anything else is a new version, and the old one stays readable for one major release.
"""

from dataclasses import fields
from typing import Any, Generic, TypeVar

import msgspec

from monitor.core.breaker import TargetHealth
from monitor.core.chapter import Chapter
from monitor.core.model import Alert, Article, Attempt, FeedState, Match, MatchedArticle
from monitor.errors import CodecError

VERSION = b"\x01"

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()


class Codec(Generic[T]):
    """Writes and reads one type of record."""

    def __init__(self, kind: type[T]) -> None:
        """Compile the reader of `kind`."""
        self._name = getattr(kind, "__name__", str(kind))
        self._decoder = msgspec.msgpack.Decoder(kind)

    def encode(self, record: T) -> bytes:
        """Return the record as bytes; raise `CodecError` for text that is not Unicode."""
        return self._written(record)

    def _written(self, record: object) -> bytes:
        try:
            return VERSION + _encoder.encode(record)
        except (UnicodeEncodeError, OverflowError) as error:
            raise CodecError(f"cannot write this {self._name}: {error}") from error

    def decode(self, data: bytes) -> T:
        """Return the record, or raise `CodecError`, whatever the bytes are."""
        if data[:1] != VERSION:
            raise CodecError(
                f"cannot read this {self._name}: version {data[:1].hex() or 'missing'},"
                f" this program reads {VERSION.hex()}; a newer release may have written it"
            )
        try:
            return self._decoder.decode(data[1:])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise CodecError(f"cannot read this {self._name}: {error}") from error


class StateCodec(Codec[FeedState]):
    """Leaves out what is as it is for a feed that nothing is known of: half of most states, of which there are many."""

    def encode(self, record: FeedState) -> bytes:
        """Return the record as bytes; a field that is left out is read as its default."""
        said: dict[str, Any] = {
            name: value
            for name, blank in _BLANK.items()
            if (value := getattr(record, name)) != blank
        }
        return self._written(said)


_BLANK = {field.name: getattr(FeedState(), field.name) for field in fields(FeedState)}

articles = Codec(Article)
matched_articles = Codec(MatchedArticle)
chapters = Codec(Chapter)  # a matched article is one of these without decisions
feed_states = StateCodec(FeedState)
alerts = Codec(Alert)
attempts = Codec(Attempt)
matches = Codec(tuple[Match, ...])
healths = Codec(TargetHealth)
