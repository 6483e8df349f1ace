import subprocess
import sys
from pathlib import Path

from tests import configuration

LOADED = """
import sys
from monitor.cli.main import cli

cli.get_command(None, "{command}")
print(*sorted({{name.partition(".")[0] for name in sys.modules}}))
"""


RUN = """
import sys
from monitor.cli.main import cli

cli.main({words}, standalone_mode=False)
print(*sorted({{name.partition(".")[0] for name in sys.modules}}))
"""


def loaded_for(command: str) -> set[str]:
    """The packages that are loaded when `monitor COMMAND` begins."""
    return printed(LOADED.format(command=command))


def loaded_by(*words: str) -> set[str]:
    """The packages that are loaded when `monitor WORDS` has run, after what it prints."""
    return printed(RUN.format(words=words))


def printed(code: str) -> set[str]:
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


def test_check_of_a_configuration_without_templates_loads_only_what_reads_it(
    tmp_path: Path,
) -> None:
    config = configuration.write(tmp_path / "config", rules={"talks": "talks"})
    loaded = loaded_by("check", "--config", str(config))
    assert {"pydantic", "yaml"} <= loaded
    assert not {"structlog", "rich", "prometheus_client", "jinja2"} & loaded
