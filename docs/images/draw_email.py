"""Draws mails and the pages behind their links as a browser shows them: `python docs/images/draw_email.py FOLDER`.

Needs Chromium. Every picture is at the width of a phone, of a mail program's pane and of a screen, light and dark.
"""
# ruff: noqa: INP001 - a script, not part of a package

import subprocess
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from monitor.core.links import Linker
from monitor.core.render import html, message
from monitor.core.secret import Secret
from monitor.web.linkpage import Form, Page, page
from tests.unit.render.cases import CASES

WIDTHS = {320: 1100, 600: 900, 1280: 800}
SHOWN = ("simple", "critical_edit_with_many_rules", "edited", "arabic", "digest")
LINKER = Linker("https://monitor.example", Secret("a key for pictures, of 32 letters"))
CHROMIUM = ("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")


def pages() -> Iterator[tuple[str, str]]:
    """Yield a name and the HTML of each picture."""
    for name in SHOWN:
        told = CASES[name]()
        yield f"mail-{name}", html(message(told, LINKER.links(told)))
    told = CASES["edited"]()
    links = LINKER.links(told)
    shown = message(told, links)
    yield "link-open", page(Page(title=shown.heading, message=shown, links=links))
    options = (("1h", "1 hour"), ("24h", "24 hours"), ("7d", "7 days"))
    form = Form(button="Snooze", field="for", options=options, value="24h", label="For how long")
    text = "desk will hear nothing of it, on no target."
    yield (
        "link-snooze",
        page(Page(title="Snooze this story?", name=shown.heading, text=text, forms=(form,))),
    )


def draw(folder: Path) -> None:
    """Write one picture for each page, width and colour scheme."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch:
        for name, content in pages():
            for width, height in WIDTHS.items():
                # A window cannot be as narrow as a phone; a frame in it can.
                frame = Path(scratch) / f"{name}-{width}.html"
                frame.write_text(
                    '<body style="margin:0"><iframe style="border:0" '
                    f'width="{width}" height="{height}" srcdoc="{escape(content)}"></iframe>',
                    encoding="utf-8",
                )
                for scheme, flags in (("light", ()), ("dark", ("--force-dark-mode",))):
                    picture = folder / f"{name}-{width}-{scheme}.png"
                    window = f"--window-size={max(width, 500)},{height}"
                    command = (*CHROMIUM, *flags, window, f"--screenshot={picture}", frame.as_uri())
                    subprocess.run(command, check=True, capture_output=True, timeout=60)  # noqa: S603


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
