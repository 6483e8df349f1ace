"""The reference of the commands is what they say of themselves."""

from tools.cli_reference import TARGET, text


def test_the_page_is_current() -> None:
    assert TARGET.read_text(encoding="utf-8") == text(), "run: python -m tools.cli_reference"
