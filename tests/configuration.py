"""Configuration directories for tests that start the product or load what it reads."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOOPBACK = ["127.0.0.0/8"]


def write(
    directory: Path,
    *,
    monitor: Mapping[str, Any] = {},
    feeds: Mapping[str, Mapping[str, Any]] = {},
    rules: Mapping[str, str | Mapping[str, Any]] = {},
    subscribers: Mapping[str, list[Mapping[str, Any]] | Mapping[str, Any]] = {},
    route: Mapping[str, Any] | None = None,
    **routing: Any,
) -> Path:
    """Write a configuration that may dial this machine, and return its directory.

    Feeds are by id, rules are queries by id, subscribers are lists of targets by name; both can be mappings with more
    in them. Without a route the first subscriber is told of everything. The rest of `routing` stands beside the route.
    """
    directory.mkdir(parents=True, exist_ok=True)
    defaults: dict[str, Any] = {
        "listen": {"port": 0},
        "poll": {"min_interval": "100ms", "per_host": 8, "domain_gap": "0s"},
        "network": {"allow": LOOPBACK},
    }
    everything = {"subscriber": next(iter(subscribers))} if subscribers else {}
    named = [
        {"name": name, **(given if isinstance(given, Mapping) else {"targets": given})}
        for name, given in subscribers.items()
    ]
    asked = [
        {"id": name, **(given if isinstance(given, Mapping) else {"query": given})}
        for name, given in rules.items()
    ]
    files = {
        "monitor": {**defaults, **monitor},
        "feeds": {"feeds": [{"id": name, **settings} for name, settings in feeds.items()]},
        "rules": {"rules": asked},
        "subscribers": {
            "subscribers": named,
            "route": everything if route is None else route,
            **routing,
        },
    }
    for name, content in files.items():
        (directory / f"{name}.yaml").write_text(json.dumps(content))  # JSON is YAML
    return directory
