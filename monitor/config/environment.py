"""What differs per machine and so comes from the environment, over what the files say.

REDIS_URL the store's server, MONITOR_DATA the embedded store's directory, LISTEN `host:port`, PORT the port alone.
"""

import re
from collections.abc import Mapping

from monitor.config.schema import ListenSettings
from monitor.config.secrets import check_store_address
from monitor.config.values import WrongValueError
from monitor.core.secret import Secret
from monitor.errors import Problem

_PORTS = range(65536)  # 0: any free one, for tests


def store_address(environ: Mapping[str, str], problems: list[Problem]) -> Secret | None:
    """Return the address of the store's server; an empty variable counts as absent."""
    text = environ.get("REDIS_URL")
    if not text:
        return None
    try:
        check_store_address(text)
    except WrongValueError as error:
        problems.append(_problem("REDIS_URL", error.message))
    return Secret(text)


def data_directory(environ: Mapping[str, str]) -> str | None:
    """Return where the embedded store keeps its files."""
    return environ.get("MONITOR_DATA") or None


def listen(
    settings: ListenSettings, environ: Mapping[str, str], problems: list[Problem]
) -> ListenSettings:
    """Settle where to listen; LISTEN wins over PORT."""
    host, port = settings.host, str(settings.port)
    name = "LISTEN" if environ.get("LISTEN") else "PORT"
    if name == "LISTEN":
        host, _, port = environ["LISTEN"].rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
    elif environ.get("PORT"):
        port = environ["PORT"]
    if host and re.fullmatch("[0-9]{1,5}", port) and int(port) in _PORTS:
        return ListenSettings.model_construct(host=host, port=int(port))
    form = "host:port" if name == "LISTEN" else "a port"
    problems.append(_problem(name, f"expected {form}, with a port of at most 65535"))
    return settings


def _problem(source: str, message: str) -> Problem:
    return Problem("environment", 0, 0, f"{source}: {message}")
