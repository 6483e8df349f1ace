from pathlib import Path

import pytest

from tests.crash.chaos import Chaos


@pytest.mark.timeout(180)
async def test_twenty_seconds_of_random_kills_lose_nothing(tmp_path: Path) -> None:
    report = await Chaos(tmp_path, seed=7).run(20)
    print(report)  # noqa: T201 - the count is what the run is for
    assert report.worker_kills > 5
    assert report.expected > 20
    assert report.lost == 0
    assert report.repeated <= report.bound
