import subprocess
import sys

LOADED = """
import sys
from monitor.cli.main import cli

cli.get_command(None, "{command}")
print(*sorted({{name.partition(".")[0] for name in sys.modules}}))
"""


def loaded_for(command: str) -> set[str]:
    """The packages that are loaded when `monitor COMMAND` begins."""
    code = LOADED.format(command=command)
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return set(ran.stdout.split())


def test_the_daemon_loads_no_parser_of_feeds() -> None:
    """Parsing is for processes that may crash; the daemon is spared the memory too."""
    loaded = loaded_for("run")
    assert {"redis", "aiohttp"} <= loaded
    assert not {"feedparser", "lxml"} & loaded


def test_commands_without_a_store_load_no_client_of_one() -> None:
    for command in ("check", "match", "rules"):
        assert not {"redis", "aiohttp"} & loaded_for(command)
