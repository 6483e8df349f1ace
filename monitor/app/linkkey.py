"""The key that signs links: the operator's, or one that is made once and kept in the data directory."""

import contextlib
import os
import secrets
from pathlib import Path

from monitor.config.settings import Settings
from monitor.core.links import SHORTEST_KEY, Linker
from monitor.core.secret import Secret
from monitor.errors import StoreRefusedError

FILE = "links.key"


def linker_of(settings: Settings) -> Linker | None:
    """Return what writes and reads links; None where no public address is configured, so that nobody could open one."""
    if settings.web.public_url is None:
        return None
    return Linker(settings.web.public_url, key_of(settings))


def key_of(settings: Settings) -> Secret:
    """Return the key, for whatever else has to be signed."""
    return settings.web.link_key or _kept_key(settings.store.directory)


def _kept_key(directory: Path) -> Secret:
    """Read the key in the data directory; make it where there is none, for its owner alone."""
    path = directory / FILE
    try:
        if not path.exists():
            _make(path)
        key = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        hint = "make the data directory writable, or set web.link_key_file"
        raise StoreRefusedError(
            f"the key of links in {path} cannot be used: {error}; {hint}"
        ) from error
    if len(key) < SHORTEST_KEY:
        raise StoreRefusedError(
            f"the key of links in {path} is too short: remove the file to make a new one"
        )
    return Secret(key)


def _make(path: Path) -> None:
    """Write a key whole or not at all; should another process do so at the same time, there is one winner."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(file, f"{secrets.token_urlsafe(36)}\n".encode())
        os.fsync(file)
    finally:
        os.close(file)
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
