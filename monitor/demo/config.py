"""Writes the demo's configuration, in the files and the format that every operator writes."""

import base64
import json
import secrets
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from monitor.demo.receivers import Addresses
from monitor.demo.script import Outlet

_SECRET_BYTES = 32


def new_secret() -> str:
    """Make a secret for signing webhooks, as Standard Webhooks writes it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def write_config(
    config: Path, site: str, outlets: Sequence[Outlet], addresses: Addresses, secret: str
) -> None:
    """Write every file into `config`, a directory that does not exist yet; the data will lie beside it."""
    (config / "entities").mkdir(parents=True)
    values = {
        "data": json.dumps(str(config.with_name("data"))),
        "webhook": addresses.webhook,
        "smtp_host": addresses.smtp_host,
        "smtp_port": str(addresses.smtp_port),
    }
    for name in ("monitor.yaml", "rules.yaml", "subscribers.yaml", "entities/storyline.yaml"):
        text = files("monitor.demo").joinpath("templates", name).read_text(encoding="utf-8")
        (config / name).write_text(Template(text).substitute(values), encoding="utf-8")
    (config / "feeds.yaml").write_text(_feeds(site, outlets), encoding="utf-8")
    for name, text in (
        ("press-office-slack-url", addresses.slack),
        ("crisis-desk-secret", secret),
    ):
        path = config / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")


def _feeds(site: str, outlets: Sequence[Outlet]) -> str:
    feeds = "".join(
        f"  - id: {each.id}\n    name: {each.name}\n    url: {site}{each.path}\n    every: 500ms\n"
        f"    lang: {each.lang}\n"
        for each in outlets
    )
    return f"feeds:\n{feeds}"
