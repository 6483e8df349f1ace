"""How numbers and durations are said."""

from datetime import timedelta

_UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}


def counted(count: int, one: str, many: str = "") -> str:
    """Write a count with its noun: `1 rule`, `2,500 rules`; `many` is the plural where it is not made by an s."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def format_duration(value: timedelta) -> str:
    """Write a duration as the configuration has it, to the millisecond: `1h30m`."""
    text, rest = "", value
    for name, unit in _UNITS.items():
        count, rest = divmod(rest, unit)
        text += f"{count}{name}" if count else ""
    return text or "0s"
