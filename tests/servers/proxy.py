"""A relay to a unix socket that can lose a reply: the command arrives, and its sender never learns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class Relay:
    """A running relay at `url`; set `lose` to how many replies are to be lost from now on."""

    url: str
    lose: int = 0


@asynccontextmanager
async def relay(target: Path, listen: Path) -> AsyncIterator[Relay]:
    """Relay connections at `listen` to the server at `target`; none is left open afterwards."""
    state = Relay(url=f"unix://{listen}")
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        assert connection is not None
        connections.add(connection)
        from_server, to_server = await asyncio.open_unix_connection(target)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, to_server, None))
                group.create_task(_pump(from_server, writer, state))
        finally:
            for end in (writer, to_server):
                end.close()
                await end.wait_closed()

    server = await asyncio.start_unix_server(serve, listen)
    try:
        yield state
    finally:
        server.close()
        for connection in connections:
            connection.cancel()
        if connections:
            await asyncio.wait(connections)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lossy: Relay | None
) -> None:
    """Carry bytes until they end or are to be lost; then end the other side too."""
    while data := await reader.read(65536):
        if lossy is not None and lossy.lose:
            lossy.lose -= 1
            break
        writer.write(data)
    writer.close()
