"""The gazetteer that comes with the program."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any


@cache
def shipped_records() -> Mapping[str, Mapping[str, Any]]:
    """Return the records by id, as `python -m tools.seed_gazetteer` compiled them; 30 ms the first time."""
    text = resources.files("monitor.config").joinpath("seed.json").read_bytes()
    return {record["id"]: record for record in json.loads(text)}
