"""The kept renders. `python -m tests.unit.render.golden` writes them anew; then read the difference."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.core.links import Linker
from monitor.core.model import Delivery
from monitor.core.render import Message, blocks, html, message, payload, subject, text
from monitor.core.render.discord import discord
from monitor.core.render.mattermost import mattermost
from monitor.core.render.ntfy import ntfy
from monitor.core.render.teams import teams
from monitor.core.render.telegram import telegram
from monitor.core.secret import Secret
from tests.unit.render.cases import CASES, IN_KOLKATA

FOLDER = Path(__file__).parents[2] / "data" / "render"
KOLKATA = ZoneInfo("Asia/Kolkata")
LINKER = Linker("https://monitor.example", Secret("a key for tests, of 32 characters"))


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _shown(case: Delivery, zone: tzinfo = UTC) -> Message:
    return message(case, LINKER.links(case), zone=zone)


READ: Mapping[str, Callable[[Message], str]] = {
    "txt": lambda shown: f"Subject: {subject(shown)}\n\n{text(shown)}",
    "html": html,
    "slack.json": lambda shown: _json(blocks(shown)),
    "teams.json": lambda shown: _json(teams(shown)),
    "discord.json": lambda shown: _json(discord(shown)),
    "telegram.json": lambda shown: _json(telegram(shown)),
    "ntfy.json": lambda shown: _json(ntfy(shown)),
    "mattermost.json": lambda shown: _json(mattermost(shown)),
}


def renders() -> Iterator[tuple[str, str]]:
    """Yield every render with the name of the file that keeps it."""
    for name, case in CASES.items():
        yield f"{name}.webhook.json", _json(json.loads(payload(case())))
        for ending, render in READ.items():
            yield f"{name}.{ending}", render(_shown(case()))
    for name, case in IN_KOLKATA.items():
        for ending in ("txt", "html", "slack.json"):
            yield f"{name}.kolkata.{ending}", READ[ending](_shown(case(), KOLKATA))


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in renders():
        (FOLDER / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
