"""Random `kill -9` of workers and of the server, and a count of what arrived: `python -m tests.crash.chaos`.

Webhooks at once, grouped and in digests, every chat channel and mail within a budget, and a rule that is silenced.
Options: `--seconds` (600), `--seed`. Prints kills, expected, lost (must be 0) and repeated; exit 1 if anything is lost.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from monitor.streams.store import open_store
from tests.crash.stage import IN_FLIGHT, READ_IN_FLIGHT, Post, Worker, inherit, write_config
from tests.servers.newsroom import READERS, Newsroom, Story
from tests.servers.valkey import start, stop

CREWS = ("poller", "matcher,router", "deliverer", "poller,matcher,router,deliverer,housekeeper")
SILENCED = "weather"
_WORDS = ("talks", "vote", "weather", "talks and vote", "sport")


@dataclass
class Report:
    """What a run of chaos came to."""

    worker_kills: int = 0
    server_kills: int = 0
    expected: int = 0
    lost: int = 0
    repeated: int = 0
    digests: int = 0
    silenced: int = 0

    @property
    def bound(self) -> int:
        """The most repeats that sends in flight at a kill can explain."""
        return (IN_FLIGHT + READ_IN_FLIGHT) * (self.worker_kills + self.server_kills)

    def __str__(self) -> str:
        return (
            f"kills {self.worker_kills} workers, {self.server_kills} servers; expected {self.expected}, "
            f"lost {self.lost}, repeated {self.repeated} (bound {self.bound}), "
            f"digests {self.digests}, told although silenced {self.silenced}"
        )


class Server:
    """A server that keeps its data on disk, to be killed and started again on the same address."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.directory = directory
        self.url = "unix://" + quote(str(directory / "s"))
        self.start()

    def start(self) -> None:
        self.process = start(
            *("--port", "0", "--unixsocket", "s", "--save", ""),
            *(
                "--appendonly",
                "yes",
                "--appendfsync",
                "everysec",
                "--maxmemory-policy",
                "noeviction",
            ),
            cwd=self.directory,
        )

    def kill(self) -> None:
        stop(self.process)


class Chaos:
    """Workers, a server and a newsroom under random kills."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.directory = directory
        self.random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.report = Report()
        self.published = 0

    async def run(self, seconds: float) -> Report:
        """Publish and kill for `seconds`, then let the survivors finish and count."""
        async with (
            Newsroom(readers=tuple(READERS)).open() as newsroom,
            Post(letters=newsroom.read["mail"]) as post,
        ):
            server = Server(self.directory / "store")
            config = write_config(
                self.directory / "config",
                newsroom,
                server.url,
                post.port,
                also=SILENCED,
                rate="100/s",
            )
            await self._silence(config)
            crew = [Worker(config, "--only", only) for only in CREWS]
            for worker in crew:
                await worker.start()
            try:
                await self._publish_and_kill(newsroom, server, crew, seconds)
                await self._settle(newsroom, server, crew, config)
            finally:
                for worker in crew:
                    await worker.kill()
                server.kill()
            told = newsroom.told()
            self.report.expected = len(newsroom.expected()) + len(newsroom.expected_to_be_read())
            self.report.lost = len(newsroom.lost())
            self.report.repeated = newsroom.repeats() + newsroom.reread()
            self.report.digests = newsroom.digests()
            self.report.silenced = sum(told[each] for each in told if each[0] == SILENCED)
        return self.report

    async def _silence(self, config: Path) -> None:
        """Silence a rule, as an operator does."""
        command = ("silence", "add", f"rule={SILENCED}", "-d", "3h", "-c", "chaos")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "monitor", *command, "--config", str(config)),
            stdout=asyncio.subprocess.DEVNULL,
        )
        assert await process.wait() == 0

    async def _publish_and_kill(
        self, newsroom: Newsroom, server: Server, crew: list[Worker], seconds: float
    ) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            self._publish(newsroom)
            await asyncio.sleep(self.random.uniform(0.1, 0.8))
            if self.random.random() < 0.15:
                server.kill()
                server.start()
                self.report.server_kills += 1
            elif self.random.random() < 0.6:
                worker = self.random.choice(crew)
                await worker.kill()
                await worker.start()
                self.report.worker_kills += 1
            for worker in crew:  # one that was started while the server was away has given up
                if worker.ended:
                    await worker.start()

    def _publish(self, newsroom: Newsroom) -> None:
        stories = newsroom.feeds[self.random.choice(("one", "two"))]
        self.published += 1
        stories.append(Story(self.published, self.random.choice(_WORDS)))
        if self.random.random() < 0.2:
            number = self.random.randrange(len(stories))
            stories[number] = Story(
                stories[number].number, stories[number].words, f"g{self.published}"
            )

    async def _settle(
        self, newsroom: Newsroom, server: Server, crew: list[Worker], config: Path
    ) -> None:
        """Let others take over when everybody is dead; what is missing in the end is counted as lost."""
        for worker in crew:
            await worker.kill()
        async with open_store(server.url, self.directory) as store:
            await inherit(newsroom, store, config)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        report = asyncio.run(Chaos(Path(directory), chosen.seed).run(chosen.seconds))
    sys.stdout.write(f"{report}\n")
    failed = report.lost or report.repeated > report.bound or report.silenced
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
