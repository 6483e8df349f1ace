"""How the page is written: templates that escape, static files by their content, and what a browser may do with it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web
from jinja2 import DictLoader, Environment, StrictUndefined

from monitor.core.localtime import written
from monitor.core.render.clean import line, link
from monitor.core.schedule import in_words
from monitor.core.standing import ago, ahead

_HERE = Path(__file__).parent
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
STATIC = "/static/"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_LASTING = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A page to write: a template and what it says. A `fragment` has no frame around it."""

    template: str
    status: int = 200
    says: Mapping[str, Any] = field(default_factory=dict)


class Site:
    """Writes pages, and serves the files that they use."""

    def __init__(self, files: Mapping[str, bytes], templates: Mapping[str, str]) -> None:
        """Serve static files and write templates, both by name; see `load_site`."""
        self._files = files
        self._templates = Environment(
            loader=DictLoader(templates),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(static=self._address)
        self._templates.filters.update(
            ago=ago,
            ahead=ahead,
            written=written,
            iso=_iso,
            part=_part,
            clock=_clock,
            line=line,
            link=link,
            span=_span,
        )

    def _address(self, name: str) -> str:
        return f"{STATIC}{hashlib.sha256(self._files[name]).hexdigest()[:12]}/{name}"

    def add_to(self, app: web.Application) -> None:
        """Serve the static files."""
        app.router.add_get(f"{STATIC}{{version}}/{{name}}", self.file)

    async def file(self, request: web.Request) -> web.Response:
        """Answer with a file, for ever: its address has its digest."""
        name = request.match_info["name"]
        if name not in self._files or request.path != self._address(name):
            raise web.HTTPNotFound
        kind = _TYPES[name.rpartition(".")[2]]
        headers = {"Cache-Control": _LASTING, "X-Content-Type-Options": "nosniff"}
        return web.Response(body=self._files[name], content_type=kind, headers=headers)

    def write(self, template: str, says: Mapping[str, Any]) -> str:
        """Write a template; every text in it is escaped."""
        return self._templates.get_template(template).render(says)

    def answer(self, shown: Shown, frame: Mapping[str, Any]) -> web.Response:
        """Write a page with what its frame says."""
        text = self.write(shown.template, {**frame, **shown.says})
        return web.Response(
            text=text, status=shown.status, content_type="text/html", headers=HEADERS
        )


def load_site() -> Site:
    """Read the files that the page is made of. Blocks."""
    files = {path.name: path.read_bytes() for path in (_HERE / "static").iterdir()}
    templates = {
        path.name: path.read_text(encoding="utf-8") for path in (_HERE / "templates").iterdir()
    }
    return Site(files, templates)


def _iso(instant: datetime | None) -> str:
    return instant.isoformat(timespec="seconds") if instant else ""


def _part(text: str) -> str:
    """Write a text as one part of a path."""
    return quote(text, safe="")


def _clock(instant: datetime | None) -> str:
    return f"{instant.astimezone(UTC):%H:%M}" if instant else ""


def _span(duration: timedelta | None) -> str:
    return in_words(duration) if duration else "none"
