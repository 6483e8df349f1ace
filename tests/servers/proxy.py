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
    """Relay connections at `listen` to the server at `target`."""
    state = Relay(url=f"unix://{listen}")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_unix_connection(target)

        async def answer() -> None:
            while data := await from_server.read(65536):
                if state.lose:
                    state.lose -= 1
                    break
                writer.write(data)
            writer.close()
            to_server.close()

        async with asyncio.TaskGroup() as group:
            group.create_task(answer())
            while data := await reader.read(65536):
                to_server.write(data)
            to_server.close()

    server = await asyncio.start_unix_server(serve, listen)
    try:
        yield state
    finally:
        server.close()
