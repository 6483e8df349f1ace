"""Writes `docs/reference/asyncapi.json` from the types of what is sent: `python -m tools.asyncapi`."""

import json
from pathlib import Path

from monitor.web.api.asyncapi import document

TARGET = Path(__file__).parents[1] / "docs/reference/asyncapi.json"


def text() -> str:
    """Return the document."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
