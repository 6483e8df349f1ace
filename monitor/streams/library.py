"""The server's functions as one library, with the bounds that Python knows written in front."""

from importlib.resources import files

from monitor.streams import bounds
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
        f"local ATTEMPTS_KEPT = {bounds.ATTEMPTS_KEPT}\n"
        f"local TOLD_SECONDS = {told_seconds}\n"
        f"local LOOKED_AT_ONCE = {bounds.LOOKED_AT_ONCE}\n"
        f"local CLOCK_TOLERANCE = {span_ms(bounds.CLOCK_TOLERANCE)}\n"
        f"local SLOWED_GAP = {span_ms(bounds.SLOWED_GAP)}\n"
        f"local LONGEST_GAP = {span_ms(bounds.LONGEST_GAP)}\n"
    )
    return head + "\n".join(part.read_text(encoding="utf-8") for part in parts)


SOURCE = _source()
"""The text that FUNCTION LOAD takes; read at import, like the rest of the program."""
