"""`monitor backup` and `monitor restore`: what comes back is what was there."""

import asyncio
import io
import tarfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from click.testing import CliRunner, Result

from monitor.app.linkkey import FILE as LINK_KEY
from monitor.archive.sqlite import open_sqlite
from monitor.cli.main import cli
from monitor.config.settings import ARCHIVE_FILE
from monitor.core.chapter import Chapter
from monitor.errors import MonitorError
from monitor.streams.ledger import StreamDeliveryLedger
from monitor.streams.store import Store, open_store
from tests import configuration
from tests.factories import alert, article

T = TypeVar("T")
HOOK = "desk/webhook"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory with a configuration, a store with a delivery, an archive with an article and a key."""
    home = tmp_path / "before"
    (home / "config").mkdir(parents=True)
    (home / "config" / "key").write_text("whsec_" + "QUFB" * 11)
    target = {"webhook": {"url": "http://127.0.0.1:9/hook", "secret_file": "key"}}
    configuration.write(home / "config", subscribers={"desk": [target]})
    monkeypatch.chdir(home)
    monkeypatch.delenv("REDIS_URL", raising=False)
    in_store(home / "data", waits)
    (home / "data" / LINK_KEY).write_text("k" * 48)
    asyncio.run(archive_one(home / "data" / ARCHIVE_FILE))
    return home


async def waits(store: Store) -> None:
    await StreamDeliveryLedger(store).enqueue(alert(), HOOK, datetime.now(UTC))


async def archive_one(path: Path) -> None:
    async with open_sqlite(path) as archive:
        await archive.add([Chapter(article=article())])


def in_store(directory: Path, work: Callable[[Store], Awaitable[T]]) -> T:
    async def opened() -> T:
        async with open_store(None, directory) as store:
            return await work(store)

    return asyncio.run(opened())


def monitor(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def test_what_was_backed_up_comes_back(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "monitor.tar.gz"
    said = monitor("backup", str(file))
    assert said.exit_code == 0, said.output
    assert "store: in it" in said.output
    assert "archive: in it" in said.output
    assert file.stat().st_mode & 0o077 == 0
    after = tmp_path / "after"
    where = ("--config", str(after / "config"), "--data", str(after / "data"))
    assert monitor("restore", str(file), *where).exit_code == 0
    for name in ("config/rules.yaml", "config/key", f"data/{LINK_KEY}"):
        assert (after / name).read_bytes() == (home / name).read_bytes()

    async def waiting(store: Store) -> int:
        return (await StreamDeliveryLedger(store).standings([HOOK]))[HOOK].waiting

    async def archived() -> int:
        async with open_sqlite(after / "data" / ARCHIVE_FILE) as archive:
            return (await archive.size()).articles

    assert in_store(after / "data", waiting) == 1
    assert asyncio.run(archived()) == 1
    assert not list((home / "data").glob("*backup*"))


def test_store_of_the_operators_own_server_is_left_to_its_tools(
    home: Path, tmp_path: Path, server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", server_url)
    said = monitor("backup", str(tmp_path / "b.tar.gz"))
    assert "store: not in it" in said.output
    with tarfile.open(tmp_path / "b.tar.gz") as tar:
        assert not [name for name in tar.getnames() if "appendonly" in name]
    assert (home / "data" / LINK_KEY).exists()


def test_backup_overwrites_nothing(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "precious"
    file.write_text("mine")
    said = monitor("backup", str(file))
    assert isinstance(said.exception, MonitorError)
    assert "exists" in str(said.exception)
    assert file.read_text() == "mine"
    missing = monitor("backup", str(tmp_path / "nowhere" / "b.tar.gz"))
    assert "cannot be written" in str(missing.exception)
    assert (home / "config").exists()


def test_restore_overwrites_nothing(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "b.tar.gz"
    monitor("backup", str(file))
    said = monitor(
        "restore", str(file), "--config", str(tmp_path / "new"), "--data", str(home / "data")
    )
    assert "is not empty" in str(said.exception)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "name", ["../evil", "config/../../evil", "/config/evil", "other/file", "config"]
)
def test_restore_refuses_what_is_no_backup(tmp_path: Path, name: str) -> None:
    file = tmp_path / "evil.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    where = ("--config", str(tmp_path / "c"), "--data", str(tmp_path / "d"))
    said = monitor("restore", str(file), *where)
    assert "is no backup of monitor" in str(said.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.tar.gz"]


def test_restore_refuses_garbage(tmp_path: Path) -> None:
    file = tmp_path / "garbage"
    file.write_bytes(b"\x1f\x8b" + b"garbage" * 100)
    where = ("--config", str(tmp_path / "c"), "--data", str(tmp_path / "d"))
    assert "cannot be restored" in str(monitor("restore", str(file), *where).exception)
