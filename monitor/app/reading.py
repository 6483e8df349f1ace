"""Whether and how the pages of articles are read."""

from monitor.app.parts import Outside
from monitor.config.settings import Settings
from monitor.ports import Clock, Turns
from monitor.services.pages import PageReading
from monitor.telemetry import Metrics


def page_reading(
    settings: Settings, outside: Outside, turns: Turns, clock: Clock, metrics: Metrics
) -> PageReading:
    """Build the reading of pages; half of the poller's places may be taken by it."""
    places = max(1, settings.poll.concurrency // 2)
    reading = PageReading(outside.pages, turns, clock, metrics, places=places)
    reading.use(rules_read_body=rules_read_body(settings))
    return reading


def rules_read_body(settings: Settings) -> bool:
    """Tell whether some rule names the body of articles."""
    return any("body:" in rule.query.lower() for rule in settings.rules)
