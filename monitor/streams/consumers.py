"""The names under which processes read the logs, and what a name says of its process."""

import os
import platform
from itertools import count

_opened = count(1)


def new_consumer() -> str:
    """Return a name that no other running consumer has: host, process, and which one in this process."""
    return f"{_host()}:{os.getpid()}:{next(_opened)}"


def is_dead(consumer: str) -> bool:
    """Tell whether the process behind this name is known to have ended; of other hosts nothing is known.

    What it held need not wait until it has been silent for long.
    """
    host, _, rest = consumer.rpartition(":")[0].rpartition(":")
    if host != _host() or not rest.isdecimal():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def _host() -> str:
    return platform.node() or "local"
