"""Templates of targets: read, compiled, and tried on alerts, so that a mistake is found before it costs a message."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from monitor.config.chat import TemplateSettings
from monitor.config.excerpt import excerpt
from monitor.config.files import Item
from monitor.config.problems import at
from monitor.config.querypos import place_in
from monitor.config.subscriberschema import TargetSettings
from monitor.core.render.sample import samples
from monitor.core.render.template import (
    LONGEST_SOURCE,
    PARTS,
    CompiledPart,
    Part,
    TemplateProblemError,
)
from monitor.core.targets import Target, Template
from monitor.errors import Problem

_PARTS = ("subject", "text", "body")


def with_template(
    target: Target,
    settings: TemplateSettings,
    item: Item[TargetSettings],
    directory: Path,
    problems: list[Problem],
) -> Target:
    """Return the target with its template; add what is wrong with that to `problems`."""
    sources: dict[str, str] = {}
    for name in _PARTS:
        try:
            sources[name] = getattr(settings, name) or _read(settings, name, directory)
        except OSError as error:
            reason = f"the file cannot be read: {error.strerror}"
            problems.append(item.problem(("template", f"{name}_file"), reason))
        except ValueError:
            reason = f"the file is not a text in UTF-8 of at most {LONGEST_SOURCE:,} characters"
            problems.append(item.problem(("template", f"{name}_file"), reason))
    problems += _mistakes(sources, PARTS[type(target)], item, directory)
    return replace(target, template=Template(**{k: v for k, v in sources.items() if v}))


def _read(settings: TemplateSettings, name: str, directory: Path) -> str:
    path: str | None = getattr(settings, f"{name}_file")
    if path is None:
        return ""
    with (directory / path).open("rb") as file:
        data = file.read(4 * LONGEST_SOURCE + 1)
    text: str = data.decode()
    if not text.strip() or len(text) > LONGEST_SOURCE:
        raise ValueError("nothing, or too much")
    return text


def _mistakes(
    sources: Mapping[str, str],
    known: Mapping[str, Part],
    item: Item[TargetSettings],
    directory: Path,
) -> Iterator[Problem]:
    for name, source in sources.items():
        if not source:
            continue
        if name not in known:
            takes = ", ".join(known)
            message = f"a template of {item.settings.kind} has no '{name}'"
            yield item.problem(("template", _key(item, name)), message, f"it has: {takes}")
            continue
        try:
            part = CompiledPart(source, known[name])
            for told in samples():
                part.render(told)
        except TemplateProblemError as error:
            yield _problem(item, name, source, error, directory)


def _problem(
    item: Item[TargetSettings],
    name: str,
    source: str,
    error: TemplateProblemError,
    directory: Path,
) -> Problem:
    """Point at the line of the template, in the YAML file or in a file of its own."""
    key = _key(item, name)
    if key != name:
        file = str(directory / str(getattr(item.settings.template, key)))
        line = excerpt(source.splitlines(), error.line) if error.line else ""
        return Problem(file, error.line, min(error.line, 1), error.message, "", line)
    node = item.node.find(("template", name))
    lines = source.splitlines(keepends=True)
    start = sum(map(len, lines[: max(error.line - 1, 0)]))
    blanks = len(source[start:]) - len(source[start:].lstrip())
    place = place_in(item.document.lines, node, start + blanks)
    return at(item.document, place, error.message)


def _key(item: Item[TargetSettings], name: str) -> str:
    return name if getattr(item.settings.template, name) else f"{name}_file"
