"""How numbers are said."""


def counted(count: int, one: str, many: str = "") -> str:
    """Write a count with its noun: `1 rule`, `2,500 rules`; `many` is the plural where it is not made by an s."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
