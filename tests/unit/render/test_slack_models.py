"""Our blocks by the models of Slack's own library, which knows the limits of each block."""

import pytest
from slack_sdk.models.blocks import Block

from monitor.core.render import blocks
from tests.unit.render.cases import CASES
from tests.unit.render.golden import _shown


@pytest.mark.parametrize("case", CASES)
def test_models_of_slack_take_every_block(case: str) -> None:
    said = blocks(_shown(CASES[case]()), sources=3)["blocks"]
    assert isinstance(said, list)
    for block in said:
        model = Block.parse(block)
        assert model is not None, block
        again = model.to_dict()  # raises for what is too long or too many
        assert again["type"] == block["type"]
