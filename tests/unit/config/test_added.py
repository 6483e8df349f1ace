import string

from hypothesis import given
from hypothesis import strategies as st

from monitor.config.added import as_yaml, join, read_yaml, words_in
from monitor.config.settings import Settings
from monitor.core.made import Made

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        "no",
        "on",
        "null",
        "~",
        "<<",
        "2012-06-28",
        "22:30",
        "1_000",
        "0x1f",
        "1e5",
        "*a",
        "&b",
        "!c",
        " a\n b\n\n",
        "a\r\nb",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**14), 10**14) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(string.ascii_letters, min_size=1), VALUES, max_size=4))
def test_what_is_written_is_read_as_it_was(settings: dict[str, object]) -> None:
    document = read_yaml(as_yaml(settings))
    assert document.problems == ()
    assert document.root.value == settings


def test_what_stands_twice_is_written_twice() -> None:
    same = ["a"]
    assert read_yaml(as_yaml({"x": same, "y": same})).root.value == {"x": ["a"], "y": ["a"]}


def test_every_word_that_may_be_an_id_is_found() -> None:
    route = {"match": {"feed": ["wire", "desk.b"]}, "matchers": ['feed="gazette"', "rule!=a-b"]}
    assert {"wire", "desk.b", "gazette", "a-b"} <= set(words_in(route))


def test_only_what_changed_is_read_again() -> None:
    def made(kind: str) -> Made:
        return Made(settings={"route": {}, "targets": [{kind: {}}]})

    files = Settings()
    first = join(files, {"a": made("console"), "b": made("console"), "c": made("telex")})
    assert (list(first.in_force), list(first.left_out)) == (["a", "b"], ["c"])
    second = join(
        files, {"a": made("console"), "b": made("telex"), "c": made("console")}, standing=first
    )
    assert second.in_force["a"] is first.in_force["a"]
    assert (list(second.in_force), list(second.left_out)) == (["a", "c"], ["b"])
