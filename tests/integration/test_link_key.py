"""The key that signs links: made once, for its owner alone, and the same for every process."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monitor.app.linkkey import FILE, linker_of
from monitor.config.settings import Settings, Store, Web
from monitor.core.secret import Secret
from monitor.errors import StoreRefusedError
from tests.factories import delivery


def settings(directory: Path, key: Secret | None = None) -> Settings:
    web = Web(public_url="https://monitor.example", link_key=key)
    return Settings(store=Store(directory=directory), web=web)


def test_without_a_public_address_there_are_no_links_and_no_key(tmp_path: Path) -> None:
    assert linker_of(Settings(store=Store(directory=tmp_path))) is None
    assert list(tmp_path.iterdir()) == []


def test_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first, again = (linker_of(settings(tmp_path / "data")) for _ in range(2))
    assert first is not None
    assert again is not None
    assert first.links(delivery()) == again.links(delivery())
    path = tmp_path / "data" / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [FILE]


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    def unsubscribe(_: int) -> str:
        linker = linker_of(settings(tmp_path))
        assert linker is not None
        return linker.links(delivery()).unsubscribe

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(unsubscribe, range(32)))) == 1


def test_key_of_the_operator_is_used_and_nothing_written(tmp_path: Path) -> None:
    key = Secret("a key of the operator, 32 letters")
    linker = linker_of(settings(tmp_path, key))
    assert linker is not None
    assert list(tmp_path.iterdir()) == []
    assert key.reveal() not in repr(settings(tmp_path, key))


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 40])
def test_key_that_is_broken_stops_the_start(content: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(StoreRefusedError, match="the key of links"):
        linker_of(settings(tmp_path))


def test_key_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreRefusedError, match=r"web\.link_key_file"):
        linker_of(settings(tmp_path / "file"))
