"""The compiled half of the matcher (`native/`), if it was built for this machine; everything works without it."""

from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, cast

if TYPE_CHECKING:
    from monitor.core import native


class Native(Protocol):
    """The compiled module."""

    Scanner: "type[native.Scanner]"
    Engine: "type[native.Engine]"


def find(name: str) -> Native | None:
    """Import the compiled module, or return nothing where it was not built."""
    try:
        return cast("Native", import_module(name))
    except ImportError:
        return None


NATIVE: Final = find("monitor.core.native")
MATCHER: Final = "compiled" if NATIVE else "pure Python"
