from tests.quality.renders import main


def test_fuzzed_stories_break_no_renderer() -> None:
    assert main(["--stories", "120", "--seed", "7"]) == 0
