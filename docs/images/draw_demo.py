"""Draws `demo.svg` from a real run: `python docs/images/draw_demo.py`, where monitor is installed."""
# ruff: noqa: INP001 - a script, not part of a package

import asyncio
import re
import sys
from html import unescape
from io import StringIO
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from monitor.demo.run import run_demo

WIDTH = 100
SECONDS = 30
SHOWN = 48  # lines from the beginning; the summary follows
WIDE_TEXT = re.compile(r'(<text[^>]* textLength=")([0-9.]+)("[^>]*>)([^<]+)<')


def draw(path: Path) -> int:
    """Run the demo, and write its beginning and its end as a picture; return its exit code."""
    screen = Console(
        file=StringIO(),
        width=WIDTH,
        force_terminal=True,
        force_interactive=False,
        color_system="truecolor",
    )
    code = asyncio.run(run_demo(SECONDS, screen))
    assert isinstance(screen.file, StringIO)  # noqa: S101 - we made it
    lines = screen.file.getvalue().splitlines()
    end = max(number for number, line in enumerate(lines) if "──" in line)
    picture = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
    for line in [*lines[:SHOWN], "     ⋮", *lines[end:]]:
        picture.print(Text.from_ansi(line), no_wrap=True)
    svg = picture.export_svg(title=f"monitor demo --seconds {SECONDS}", unique_id="demo")
    # A picture loads nothing: the font is the reader's own.
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    path.write_text(WIDE_TEXT.sub(_as_wide_as_cells, svg), encoding="utf-8")
    return code


def _as_wide_as_cells(found: re.Match[str]) -> str:
    """Give a text the room of its cells: Rich counts characters, and squeezes Chinese and Japanese into half."""
    before, length, between, text = found.groups()
    shown = unescape(text)
    cells = float(length) / len(shown) * cell_len(shown)
    return f"{before}{cells:g}{between}{text}<"


if __name__ == "__main__":
    sys.exit(draw(Path(__file__).with_name("demo.svg")))
