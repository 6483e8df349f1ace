"""Finding the compiled half of the matcher."""

from monitor.core import compiled


def test_what_was_not_built_is_not_found() -> None:
    assert compiled.find("monitor.core.never_built") is None


def test_the_name_of_the_matcher_tells_which_it_is() -> None:
    assert (compiled.MATCHER == "compiled") == (compiled.NATIVE is not None)
