"""A mailbox: just enough of SMTP (RFC 5321) to take letters on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from monitor.demo.site import LOOPBACK

_LONGEST_LETTER = 1 << 20
_DOT = b".\r\n"


@asynccontextmanager
async def open_mailbox(take: Callable[[bytes], None]) -> AsyncIterator[tuple[str, int]]:
    """Hand every letter that arrives to `take`; yield host and port."""
    talking: set[asyncio.StreamWriter] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.add(writer)
        try:
            await _converse(reader, writer, take)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            talking.discard(writer)
            writer.close()

    server = await asyncio.start_server(talk, LOOPBACK, 0, limit=_LONGEST_LETTER)
    try:
        port: int = server.sockets[0].getsockname()[1]
        yield LOOPBACK, port
    finally:
        server.close()
        for each in tuple(talking):
            each.close()
        await server.wait_closed()


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, take: Callable[[bytes], None]
) -> None:
    await _say(writer, b"220 demo mailbox")
    while line := await reader.readline():
        match line.split(maxsplit=1)[0].upper() if line.strip() else b"":
            case b"EHLO" | b"HELO" | b"MAIL" | b"RCPT" | b"RSET" | b"NOOP":
                await _say(writer, b"250 ok")
            case b"DATA":
                await _say(writer, b"354 end with a dot")
                take(await _read_letter(reader))
                await _say(writer, b"250 taken")
            case b"QUIT":
                await _say(writer, b"221 bye")
                return
            case _:
                await _say(writer, b"502 not in this mailbox")


async def _read_letter(reader: asyncio.StreamReader) -> bytes:
    letter = bytearray()
    while (line := await reader.readuntil(b"\n")) != _DOT:
        letter += line.removeprefix(b".")  # RFC 5321 section 4.5.2: a leading dot was doubled
        if len(letter) > _LONGEST_LETTER:
            raise ConnectionAbortedError("a letter longer than the demo's mailbox takes")
    return bytes(letter)


async def _say(writer: asyncio.StreamWriter, line: bytes) -> None:
    writer.write(line + b"\r\n")
    await writer.drain()
