"""How commands print tables and lines: texts of strangers as they are, and one row a line in a pipe."""

import sys

from rich.console import Console

_WIDE = 200  # whoever reads a pipe cuts lines as it likes


def text_console() -> Console:
    """Return standard output for plain texts: nothing in them is taken for mark-up or an emoji."""
    width = None if sys.stdout.isatty() else _WIDE
    return Console(soft_wrap=True, markup=False, emoji=False, width=width)
