"""The directory of an embedded store: its lock, its stamp, its socket and the server's configuration.

    LOCK          held by the supervisor and its server for as long as either lives; says the supervisor's process id
    SERVER.json   flavour and version of the server that wrote the data
    SOCKET        where the server listens
    server.conf, server.log, appendonlydir/

Two servers on one directory both start, and the second silently overwrites what the first acknowledged: hence the
lock. Logs are not portable between flavours nor to older versions, and an old server may start empty on a newer one's
log without a word: hence the stamp. A second server on a socket's path steals it: hence sockets change hands only
under the lock.
"""

import fcntl
import json
import os
import shutil
import tempfile
from pathlib import Path

from monitor.errors import StoreRefusedError
from monitor.streams.binary import Binary

LONGEST_SOCKET = 100
"""Bytes; the system's limit is 104 or 108 with the final zero, depending on which system it is."""

CONFIGURATION = """\
port 0
unixsocket {socket}
unixsocketperm 700
daemonize no
dir {directory}
logfile ""
loglevel notice
appendonly yes
appendfsync {fsync}
aof-use-rdb-preamble yes
auto-aof-rewrite-percentage 100
auto-aof-rewrite-min-size 64mb
save ""
maxmemory {max_memory}
maxmemory-policy noeviction
set-max-intset-entries 2048
stream-node-max-bytes 8192
"""


class StoreDirectory:
    """The files of one embedded store. All methods block; none takes long."""

    def __init__(self, path: Path) -> None:
        """Name the directory; `make` creates it."""
        self.path = path.absolute()
        self.lock = _Lock(self.path / "LOCK")
        self.log = self.path / "server.log"
        self.configuration = self.path / "server.conf"

    def make(self) -> None:
        """Create the directory, for this user alone."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)
        except OSError as error:
            raise StoreRefusedError(
                f"the store's directory {self.path} cannot be used: {error.strerror}; create it"
                " for this user, or name another one"
            ) from error

    def socket(self) -> Path:
        """Return where the server listens or will listen."""
        try:
            return Path((self.path / "SOCKET").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return self.path / "server.sock"

    def claim_socket(self) -> Path:
        """Settle where to listen, and clear what a killed server left there. Only under the lock."""
        socket = self.path / "server.sock"
        if len(os.fsencode(socket)) > LONGEST_SOCKET:
            socket = self.socket()
            if not socket.parent.is_dir() or len(os.fsencode(socket)) > LONGEST_SOCKET:
                socket = Path(tempfile.mkdtemp(prefix="monitor-", dir=_short_temporary())) / "s"
        _write(self.path / "SOCKET", str(socket))
        socket.unlink(missing_ok=True)
        return socket

    def release_socket(self) -> None:
        """Remove a socket's directory of its own, if it has one. Only under the lock."""
        socket = self.socket()
        if socket.parent != self.path:
            shutil.rmtree(socket.parent, ignore_errors=True)

    def check_stamp(self, binary: Binary) -> None:
        """Raise `StoreRefusedError` if another flavour or a newer version wrote the data, else stamp it."""
        stamp = self.path / "SERVER.json"
        if stamp.exists():
            written = json.loads(stamp.read_bytes())
            flavour, version = written["flavour"], tuple(written["version"])
            wrote = f"{flavour} {'.'.join(map(str, version))}"
            if flavour != binary.flavour or version > binary.version:
                raise StoreRefusedError(
                    f"the store in {self.path} was written by {wrote}, and the server here is"
                    f" {binary}, which cannot read it: install {wrote} or newer, or name another"
                    " directory to start afresh"
                )
        _write(stamp, json.dumps({"flavour": binary.flavour, "version": binary.version}))

    def configure(self, socket: Path, *, max_memory: int, durable: bool) -> None:
        """Write the server's configuration, for this user alone."""
        text = CONFIGURATION.format(
            socket=_quoted(socket),
            directory=_quoted(self.path),
            fsync="always" if durable else "everysec",
            max_memory=max_memory,
        )
        _write(self.configuration, text)

    def last_words(self) -> str:
        """Return the last lines the server wrote."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return ""
        return " / ".join(line.strip() for line in lines[-3:])


class _Lock:
    """An exclusive lock on a file. The server inherits the descriptor, and with it the lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock, if nobody else has it."""
        if self.descriptor is not None:
            return True
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self.descriptor = descriptor
        return True

    def holder(self) -> str:
        """Return the process id of who took the lock last."""
        return self._path.read_text(encoding="ascii").strip() or "unknown"

    def release(self) -> None:
        """Let go."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def _write(path: Path, text: str) -> None:
    """Replace a file in one step, readable by this user alone."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def _quoted(path: Path) -> str:
    """Return a path as a quoted string of the configuration file, byte by byte, so that any may stand in it."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in os.fsencode(path)) + '"'


def _short_temporary() -> str:
    here = tempfile.gettempdir()
    return here if len(os.fsencode(here)) < LONGEST_SOCKET // 2 else "/tmp"  # noqa: S108 - mkdtemp makes it private
