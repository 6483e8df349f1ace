"""Whatever stands in the files, loading gives settings or a `ConfigError` that can be explained."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.config.explain import explain
from monitor.config.load import load
from monitor.config.yamlpos import parse
from monitor.errors import ConfigError

SHIPPED = Path(__file__).parents[2] / "config"
FILES = ["monitor.yaml", "feeds.yaml", "rules.yaml", "subscribers.yaml", "entities/local.yaml"]
TEXTS = {name: (SHIPPED / name).read_text() for name in FILES}
ALPHABET = st.sampled_from("ab:- \n\t'\"[]{}#&*!|>%@`,?\\0é联😀\x07\x85\u2028\ufeff")


def load_one(name: str, content: bytes) -> str:
    """Load a directory with one file; return what is wrong with it."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        try:
            load(Path(directory), {})
        except ConfigError as error:
            return explain(error)
    return ""


@given(st.sampled_from(FILES), st.binary(max_size=200))
def test_bytes_load_or_are_refused(name: str, content: Any) -> None:
    load_one(name, content)


@given(st.sampled_from(FILES), st.text(ALPHABET, max_size=60))
@example("rules.yaml", "rules:\n- {}\n- []\n- 1\n")
@example("rules.yaml", "rules: [{id: [], query: {}}]\nlists: [a]\n")
@example("subscribers.yaml", "route: []\nsubscribers: {}\n")
@example("subscribers.yaml", "route: {routes: [1, {match: [a]}, {match: {rule: {}}}]}\n")
@example("entities/local.yaml", "entities: [{id: ' ', type: person, names: {en: [a]}}]\n")
def test_text_loads_or_is_refused(name: str, text: str) -> None:
    load_one(name, text.encode())


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_shipped_file_with_a_piece_replaced_loads_or_is_refused(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(FILES))
    text = TEXTS[name]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    piece = data.draw(st.text(ALPHABET, max_size=8))
    load_one(name, (text[:start] + piece + text[end:]).encode())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "url",
                    "query",
                    "name",
                    "match",
                    "routes",
                    "names",
                    "targets",
                    "slack",
                    "smtp",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(["feeds", "rules", "lists", "subscribers", "route", "entities"]),
    st.lists(VALUES, max_size=3) | VALUES,
)
def test_shape_of_any_kind_loads_or_is_refused(key: str, value: Any) -> None:
    name = {"lists": "rules", "route": "subscribers"}.get(key, key)
    load_one(f"{name}.yaml", json.dumps({key: value}).encode())


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x85\u2028\u2029"), max_size=20)
)
def test_place_of_a_key_points_at_the_key(text: str) -> None:
    before = f"- {{{text!r}: 1, "  # whatever this is to YAML
    document = parse(f"{before}key: 2}}\n".encode(), "f.yaml")
    node = document.root.find((0, "key"))
    if node.key:
        assert document.lines[0][node.key.column - 1 :].startswith("key")
