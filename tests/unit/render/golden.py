"""The kept renders. `python -m tests.unit.render.golden` writes them anew; then read the difference."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from monitor.core.model import Alert
from monitor.core.render import blocks, html, payload, subject, text
from tests.factories import delivery
from tests.unit.render.cases import CASES

FOLDER = Path(__file__).parents[2] / "data" / "render"


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


FORMATS: Mapping[str, Callable[[Alert], str]] = {
    "txt": lambda alert: f"Subject: {subject(alert)}\n\n{text(alert)}",
    "html": html,
    "slack.json": lambda alert: _json(blocks(alert)),
    "webhook.json": lambda alert: _json(payload(delivery(alert=alert))),
}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, case in CASES.items():
        for ending, render in FORMATS.items():
            (FOLDER / f"{name}.{ending}").write_text(render(case()), encoding="utf-8")


if __name__ == "__main__":
    main()
