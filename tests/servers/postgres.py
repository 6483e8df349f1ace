"""A real PostgreSQL server on a unix socket, with a database in a directory of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pwd import getpwnam
from urllib.parse import quote

import psycopg

OWNER = "postgres"


def find(program: str) -> Path | None:
    """Return a program of the server: on the path, or where Debian has it, the newest first."""
    found = shutil.which(program)
    if found:
        return Path(found)
    return max(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), default=None)


class PostgresServer:
    """One server. Start it, stop it as a crash would, start it again over the same data."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql:///postgres?host={quote(str(directory), safe='')}&user={OWNER}"

    def create(self) -> None:
        """Make an empty database. The server refuses to run as root, so that it is the owner's then."""
        if os.geteuid() == 0:
            owner = getpwnam(OWNER)
            os.chown(self._directory, owner.pw_uid, owner.pw_gid)
        options = ("--auth", "trust", "--username", OWNER, "--encoding", "UTF8", "--locale", "C")
        data = str(self._directory / "data")
        subprocess.run(
            [*_as_owner(), str(find("initdb")), "--pgdata", data, "--no-sync", *options],
            check=True,
            capture_output=True,
        )

    def start(self) -> None:
        """Start the server, unless it runs, and wait for its answer; it dies with this process."""
        if self._process and self._process.poll() is None:
            return
        options = ("-k", str(self._directory), "-c", "listen_addresses=", "-c", "fsync=off")
        data = str(self._directory / "data")
        self._process = subprocess.Popen(
            [*_as_owner(), str(find("postgres")), "-D", data, *options],
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(1000):
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError:
                time.sleep(0.01)
            else:
                return
        raise AssertionError("never became true: the server answers")

    def crash(self) -> None:
        """Stop it at once: nothing is finished, and the next start recovers."""
        if self._process:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()

    def empty(self) -> None:
        """Delete everything."""
        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute("DROP SCHEMA public CASCADE")
            db.execute("CREATE SCHEMA public")


def _as_owner() -> list[str]:
    who = [f"--reuid={OWNER}", f"--regid={OWNER}", "--init-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *who, "--pdeathsig=QUIT"]


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Run an empty server."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        server = PostgresServer(Path(folder))
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.crash()
