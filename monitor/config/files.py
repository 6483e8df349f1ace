"""Finds and reads the files of a configuration directory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from monitor.config.problems import at, place_of, translate
from monitor.config.schema import (
    EntitiesFile,
    FeedsFile,
    MonitorFile,
    RulesFile,
)
from monitor.config.section import Section
from monitor.config.subscriberschema import SubscribersFile
from monitor.config.values import nearest, shown
from monitor.config.yamlpos import MAX_BYTES, Document, Node, Place, parse
from monitor.errors import Problem

S = TypeVar("S", bound=Section)
S_co = TypeVar("S_co", bound=Section, covariant=True)
M = TypeVar("M", bound=Section)

PROCESS = "monitor"
KINDS = ("feeds", "rules", "subscribers", "entities")
MAX_FILES = 1000


@dataclass(frozen=True, slots=True)
class Item(Generic[S_co]):
    """An element of a list in a file, or another part of it, with the place it came from."""

    settings: S_co
    node: Node
    document: Document

    def problem(self, path: tuple[str | int, ...], message: str, hint: str = "") -> Problem:
        """Return a problem with what stands at `path` inside of this."""
        return at(self.document, place_of(self.node.find(path)), message, hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Generic[S_co]):
    """A file as read: what of it can be used, and for each list in it the nodes of the elements that can.

    Broken elements are left out, so that the others are checked all the same.
    """

    document: Document
    settings: S_co
    kept: Mapping[str, tuple[Node, ...]] = field(default_factory=dict)

    @property
    def root(self) -> Node:
        """The root of the file."""
        return self.document.root

    def items(self, key: str, settings: Sequence[M]) -> Iterator[Item[M]]:
        """Yield the usable elements of the list `key`, whose settings are given, with their places."""
        for element, node in zip(settings, self.kept.get(key, ()), strict=True):
            yield Item(element, node, self.document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Everything that was read from the directory, by kind."""

    process: Source[MonitorFile]
    feeds: tuple[Source[FeedsFile], ...]
    rules: tuple[Source[RulesFile], ...]
    subscribers: tuple[Source[SubscribersFile], ...]
    entities: tuple[Source[EntitiesFile], ...]


def read_all(directory: Path, problems: list[Problem]) -> Files:
    """Read and check every file of the directory, each by itself; add what is wrong to `problems`."""
    paths, unread = find_files(directory)
    problems += unread

    def checked(kind: str, schema: type[S]) -> tuple[Source[S], ...]:
        return tuple(check(read(path), schema, problems) for path in paths.get(kind, ()))

    absent = Document(file=f"{PROCESS}.yaml")
    process = checked(PROCESS, MonitorFile)
    return Files(
        process=process[0] if process else Source(document=absent, settings=MonitorFile()),
        feeds=checked("feeds", FeedsFile),
        rules=checked("rules", RulesFile),
        subscribers=checked("subscribers", SubscribersFile),
        entities=checked("entities", EntitiesFile),
    )


def find_files(directory: Path) -> tuple[dict[str, list[Path]], list[Problem]]:
    """Return the files by kind, sorted: `KIND.yaml`, then `KIND/*.yaml`. Say which file would be read by nobody."""
    if not directory.is_dir():
        message = (
            "there is no such directory" if not directory.exists() else "this is not a directory"
        )
        hint = "name the configuration directory with --config or MONITOR_CONFIG"
        return {}, [Problem(str(directory), 0, 0, message, hint)]
    found: dict[str, list[Path]] = {kind: [] for kind in (PROCESS, *KINDS)}
    problems = []
    for path in yaml_files(directory):
        if path.suffix == ".yaml" and path.stem in found:
            found[path.stem].append(path)
        else:
            hint = nearest(path.name, [f"{kind}.yaml" for kind in found])
            problems.append(Problem(str(path), 0, 0, f"unknown file {shown(path.name)}", hint))
    for kind in KINDS:
        if (directory / kind).is_dir():
            inside = list(yaml_files(directory / kind))
            found[kind] += [path for path in inside if path.suffix == ".yaml"]
            problems += [
                Problem(str(path), 0, 0, "only files that end in .yaml are read", "rename it")
                for path in inside
                if path.suffix != ".yaml"
            ]
        if len(found[kind]) > MAX_FILES:
            message = f"there are {len(found[kind])} files; the limit is {MAX_FILES}"
            problems.append(Problem(str(directory / kind), 0, 0, message))
            del found[kind][MAX_FILES:]
    return found, problems


def yaml_files(directory: Path) -> Iterator[Path]:
    """Yield the YAML files of a directory, hidden ones left out, in the order of their names."""
    for path in sorted(directory.iterdir()):
        if path.suffix in (".yaml", ".yml") and not path.name.startswith(".") and path.is_file():
            yield path


def read(path: Path) -> Document:
    """Read one file, bounded; never raise, whatever it is."""
    try:
        with path.open("rb") as file:
            return parse(file.read(MAX_BYTES + 1), str(path))
    except OSError as error:
        problem = Problem(str(path), 0, 0, f"cannot be read: {error.strerror}")
        return Document(file=str(path), problems=(problem,))


def check(document: Document, schema: type[S], problems: list[Problem]) -> Source[S]:
    """Check a document against its schema; return what can be used of it, and add every problem to `problems`."""
    problems += document.problems
    root = document.root.value
    if not isinstance(root, dict | None):
        known = ", ".join(f"`{key}:`" for key in schema.model_fields)
        problems.append(at(document, Place(1, 1), f"expected a mapping with {known} at the top"))
        return Source(document=document, settings=schema())
    # A key with nothing under it: everything there is commented out.
    value = {key: content for key, content in (root or {}).items() if content is not None}
    broken: set[tuple[str | int, ...]] = set()
    try:
        settings = schema.model_validate(value)
    except ValidationError as error:
        problems += translate(document, schema, error)
        broken = {details["loc"][:2] for details in error.errors(include_url=False)}
        settings = schema.model_validate(_without(value, broken))
    return Source(document=document, settings=settings, kept=_kept(document, broken))


def _without(value: Mapping[str, object], broken: set[tuple[str | int, ...]]) -> dict[str, object]:
    """Return a file's value without broken elements of its lists, and without other keys that are broken."""
    bad_keys = {
        path[0]
        for path in broken
        if len(path) == 1 or not isinstance(value.get(str(path[0])), list)
    }
    return {
        key: [item for i, item in enumerate(content) if (key, i) not in broken]
        if isinstance(content, list)
        else content
        for key, content in value.items()
        if key not in bad_keys
    }


def _kept(document: Document, broken: set[tuple[str | int, ...]]) -> dict[str, tuple[Node, ...]]:
    return {
        str(key): tuple(node for i, node in child.children.items() if (key, i) not in broken)
        for key, child in document.root.children.items()
        if isinstance(child.value, list)
    }
