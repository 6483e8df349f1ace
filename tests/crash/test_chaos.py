import re
import subprocess
import sys

import pytest


@pytest.mark.timeout(400)
def test_twenty_seconds_of_random_kills_lose_nothing() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.crash.chaos", "--seconds", "20", "--seed", "7"],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr[-4000:]
    counts = dict(re.findall(r"(\w+) (\d+)", run.stdout))
    assert int(counts["kills"]) > 5, run.stdout
    assert int(counts["expected"]) > 20, run.stdout
    assert counts["lost"] == "0", run.stdout
