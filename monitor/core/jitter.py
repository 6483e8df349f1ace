"""Waits that are spread, so that what failed together does not come back together. The same seed, the same wait."""

from datetime import timedelta
from hashlib import blake2b

JITTER = 0.2  # a wait is between 80 % and 120 % of what the table says


def factor(seed: str) -> float:
    """Return what to multiply a wait by; it looks random and is not."""
    fraction = int.from_bytes(blake2b(seed.encode(), digest_size=6).digest()) / 2**48
    return 1 - JITTER + 2 * JITTER * fraction


def jittered(wait: timedelta, seed: str) -> timedelta:
    """Return a wait a fifth longer or shorter, or between."""
    return wait * factor(seed)
