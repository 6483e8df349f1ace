import os
import platform
import subprocess
import sys

import pytest

from monitor.streams.consumers import is_dead, new_consumer


def ended_process() -> int:
    """Return the id of a process that has just ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_each_name_is_new_and_alive() -> None:
    first, second = new_consumer(), new_consumer()
    assert first != second
    assert not is_dead(first)
    assert not is_dead(second)


def test_a_name_of_a_process_that_has_ended_is_dead() -> None:
    own = f":{os.getpid()}:"
    name = new_consumer()
    assert own in name
    assert is_dead(name.replace(own, f":{ended_process()}:"))


@pytest.mark.parametrize(
    "name",
    [
        f"another-{platform.node()}:{2**22 - 1}:1",
        platform.node(),
        f"{platform.node()}:x:1",
        f"{platform.node()}:{2**70}:1",
        f"{platform.node()}:1:1",  # somebody else's, and alive
        "",
    ],
)
def test_of_other_names_nothing_is_known(name: str) -> None:
    assert not is_dead(name)
