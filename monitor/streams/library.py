"""The server's functions as one library, with the bounds that Python knows written in front."""

from datetime import timedelta
from importlib.resources import files

from monitor.core.burst import SLOT
from monitor.streams import bounds
from monitor.streams.deliveries import FIELDS
from monitor.streams.instants import span_ms

NAME = "monitor"


def _source() -> str:
    folder = files("monitor.streams") / "functions"
    parts = sorted(
        (part for part in folder.iterdir() if part.name.endswith(".lua")), key=lambda p: p.name
    )
    told_seconds = int((2 * bounds.TOLD_GENERATION).total_seconds())
    head = (
        f"#!lua name={NAME}\n"
        f"local IN_FLIGHT = {bounds.IN_FLIGHT}\n"
        f"local BURST_MS = {span_ms(bounds.BURST)}\n"
        f"local FOLDED_AT_ONCE = {bounds.FOLDED_AT_ONCE}\n"
        f"local DELIVERY_FIELDS = {{ {', '.join(map(repr, FIELDS))} }}\n"
        f"local ATTEMPTS_KEPT = {bounds.ATTEMPTS_KEPT}\n"
        f"local TOLD_SECONDS = {told_seconds}\n"
        f"local HABIT_HOURS = {span_ms(bounds.HABIT) // span_ms(timedelta(hours=1))}\n"
        f"local HABIT_SECONDS = {span_ms(bounds.HABIT_KEPT) // 1000}\n"
        f"local HABIT_SLOTS = {bounds.STORIES_KEPT // SLOT}\n"
        f"local HABIT_MEMBERS = {bounds.STORIES_COUNTED}\n"
        f"local STORIES_SECONDS = {2 * span_ms(bounds.STORIES_KEPT) // 1000}\n"
        f"local LOOKED_AT_ONCE = {bounds.LOOKED_AT_ONCE}\n"
        f"local CLOCK_TOLERANCE = {span_ms(bounds.CLOCK_TOLERANCE)}\n"
        f"local SLOWED_GAP = {span_ms(bounds.SLOWED_GAP)}\n"
        f"local LONGEST_GAP = {span_ms(bounds.LONGEST_GAP)}\n"
    )
    return head + "\n".join(part.read_text(encoding="utf-8") for part in parts)


SOURCE = _source()
"""The text that FUNCTION LOAD takes; read at import, like the rest of the program."""
