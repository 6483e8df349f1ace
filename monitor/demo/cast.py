"""Who is told what in the demo. The routes in its configuration say the same; the closing check compares."""

from dataclasses import dataclass

RULES = ("lavrov", "syria", "un-resolution", "us-stance")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """One who is told of the articles that `rules` find."""

    id: str
    channel: str
    rules: frozenset[str]

    def wants(self, rules: frozenset[str]) -> bool:
        """Whether any of `rules` is theirs."""
        return bool(self.rules & rules)


PRESS_OFFICE = Subscriber(
    id="press-office", channel="Slack", rules=frozenset({"lavrov", "un-resolution"})
)
CRISIS_DESK = Subscriber(id="crisis-desk", channel="webhook", rules=frozenset({"syria"}))
ANALYST = Subscriber(id="analyst", channel="email", rules=frozenset({"un-resolution", "us-stance"}))
SCREEN = Subscriber(id="console", channel="this screen", rules=frozenset(RULES))
SUBSCRIBERS = (PRESS_OFFICE, CRISIS_DESK, ANALYST, SCREEN)
