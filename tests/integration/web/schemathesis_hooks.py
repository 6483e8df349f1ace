"""What schemathesis cannot guess: which silence can be made, so that some are there to be ended."""

from typing import Any

import schemathesis
from schemathesis import Case, HookContext

SOON = "2026-02-14T12:00:00Z"  # by the clock that the API is served with


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], **kwargs: Any) -> None:  # noqa: ARG001 - the hook's
    """Let every second silence that may be put have matchers that can be read, and end soon."""
    body = case.body
    if case.operation.label != "POST /api/silences" or not isinstance(body, dict):
        return
    if case.meta and case.meta.generation.mode.is_positive and len(str(body["matchers"])) % 2:
        case.body = {**body, "matchers": "rule=talks", "ends_at": SOON, "starts_at": None}
