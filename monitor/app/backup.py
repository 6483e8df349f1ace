"""Backup and restore: configuration, store and archive in one file, laid out as they lie on disk.

    config/                 the whole configuration directory
    data/appendonlydir/     the store, with SERVER.json
    data/archive.sqlite     the archive
    data/links.key          what signs links in messages

`tar -xzf` restores it too.
"""

import asyncio
import io
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from monitor.app.linkkey import FILE as LINK_KEY
from monitor.archive.copying import copy_sqlite
from monitor.config.settings import ARCHIVE_FILE, Settings
from monitor.errors import MonitorError
from monitor.streams.snapshot import Snapshot, snapshot
from monitor.streams.store import open_store

_MODE = 0o600
_ROOTS = ("config", "data")


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds of each part."""

    files: int
    store: bool
    archive: bool


async def back_up(directory: Path, settings: Settings, file: Path) -> Contents:
    """Write configuration, embedded store and archive to `file`, at work or not; it appears whole or not at all.

    A store or an archive that is a server of the operator's own is left to that server's tools. Raise `MonitorError`
    when `file` exists or cannot be written.
    """
    place = settings.store
    async with AsyncExitStack() as stack:
        taken = Snapshot()
        if place.url is None:
            opening = open_store(None, place.directory, max_memory=place.max_memory)
            store = await stack.enter_async_context(opening)
            taken = await stack.enter_async_context(snapshot(store.server, place.directory))
        return await asyncio.to_thread(_write, directory, settings, taken, file)


def _write(directory: Path, settings: Settings, taken: Snapshot, file: Path) -> Contents:
    data = settings.store.directory
    with _writing(file) as bundle:
        files = bundle.tree(directory, "config", data.absolute())
        for name, path in taken.copied.items():
            bundle.file(path, f"data/{name}")
        for name, written in taken.written.items():
            bundle.bytes(written, f"data/{name}")
        archived = _archive(settings, bundle)
        if (data / LINK_KEY).exists():
            bundle.file(data / LINK_KEY, f"data/{LINK_KEY}")
    return Contents(files=files, store=bool(taken.copied), archive=archived)


def restore(file: Path, config: Path, data: Path) -> int:
    """Unpack a backup into two directories that are empty or not there; return how many files there are.

    Raise `MonitorError` when one of them holds something, or when `file` is no backup; then nothing was written.
    """
    targets = dict(zip(_ROOTS, (config, data), strict=True))
    for path in targets.values():
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise MonitorError(f"{path} is not empty: name a new directory, or move it away")
    try:
        with tarfile.open(file, "r:gz") as tar:
            members = [_checked(member, file) for member in tar.getmembers()]
            if not members:
                raise MonitorError(f"{file} holds nothing")
            for member in members:
                root, _, rest = member.name.partition("/")
                _unpack(tar, member, targets[root] / rest)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise MonitorError(f"{file} cannot be restored: {error}") from error
    return len(members)


def _checked(member: tarfile.TarInfo, file: Path) -> tarfile.TarInfo:
    root, _, rest = member.name.partition("/")
    if root not in _ROOTS or not rest or not member.isfile() or ".." in Path(rest).parts:
        raise MonitorError(f"{file} is no backup of monitor: it holds {member.name!r}")
    return member


def _unpack(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = tar.extractfile(member)
    if content is None:
        raise tarfile.ReadError(f"{member.name} has no content")
    with open(path, "xb", opener=_private) as out:
        shutil.copyfileobj(content, out)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, _MODE)


class _Bundle:
    """A compressed tar file as it grows. Everything in it is for its owner alone."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar

    def tree(self, directory: Path, name: str, apart: Path) -> int:
        """Add every file below a directory but for what lies below `apart`; return how many there are."""
        every = (path for path in directory.rglob("*") if path.is_file())
        paths = sorted(path for path in every if apart not in path.absolute().parents)
        for path in paths:
            self.file(path, f"{name}/{path.relative_to(directory).as_posix()}")
        return len(paths)

    def file(self, path: Path, name: str) -> None:
        """Add a file, or what a link leads to."""
        with path.open("rb") as content:
            self._add(name, os.fstat(content.fileno()).st_size, content)

    def bytes(self, content: bytes, name: str) -> None:
        """Add a file of these bytes."""
        self._add(name, len(content), io.BytesIO(content))

    def _add(self, name: str, size: int, content: io.BufferedReader | io.BytesIO) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, _MODE
        self._tar.addfile(member, content)


@contextmanager
def _writing(file: Path) -> Iterator[_Bundle]:
    draft = file.with_name(f".{file.name}.draft")
    if file.exists():
        raise MonitorError(f"{file} exists: name a new file")
    try:
        try:
            with (
                open(draft, "wb", opener=_private) as out,
                tarfile.open(fileobj=out, mode="w:gz") as tar,
            ):
                yield _Bundle(tar)
            draft.rename(file)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise MonitorError(f"{file} cannot be written: {error.strerror or error}") from error


def _archive(settings: Settings, bundle: _Bundle) -> bool:
    """Add the archive's file, as it stands at one instant."""
    place = settings.archive
    if place.url or not place.path.exists():
        return False
    with TemporaryDirectory(dir=place.path.parent, prefix=".backup-") as scratch:
        copy = Path(scratch) / ARCHIVE_FILE
        copy_sqlite(place.path, copy)
        bundle.file(copy, f"data/{ARCHIVE_FILE}")
    return True
