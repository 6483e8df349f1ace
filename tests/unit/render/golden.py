"""The kept renders. `python -m tests.unit.render.golden` writes them anew; then read the difference."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from monitor.core.links import Linker
from monitor.core.model import Delivery
from monitor.core.render import Message, blocks, html, message, payload, subject, text
from monitor.core.render.discord import discord
from monitor.core.render.mattermost import mattermost
from monitor.core.render.ntfy import ntfy
from monitor.core.render.teams import teams
from monitor.core.render.telegram import telegram
from monitor.core.secret import Secret
from tests.unit.render.cases import CASES

FOLDER = Path(__file__).parents[2] / "data" / "render"
LINKER = Linker("https://monitor.example", Secret("a key for tests, of 32 characters"))


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _shown(case: Delivery) -> Message:
    return message(case, LINKER.links(case))


FORMATS: Mapping[str, Callable[[Delivery], str]] = {
    "txt": lambda case: f"Subject: {subject(_shown(case))}\n\n{text(_shown(case))}",
    "html": lambda case: html(_shown(case)),
    "slack.json": lambda case: _json(blocks(_shown(case))),
    "webhook.json": lambda case: _json(payload(case)),
    "teams.json": lambda case: _json(teams(_shown(case))),
    "discord.json": lambda case: _json(discord(_shown(case))),
    "telegram.json": lambda case: _json(telegram(_shown(case))),
    "ntfy.json": lambda case: _json(ntfy(_shown(case))),
    "mattermost.json": lambda case: _json(mattermost(_shown(case))),
}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, case in CASES.items():
        for ending, render in FORMATS.items():
            (FOLDER / f"{name}.{ending}").write_text(render(case()), encoding="utf-8")


if __name__ == "__main__":
    main()
