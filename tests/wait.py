"""Waiting for something to become true, without sleeping for a guessed time."""

import asyncio
from collections.abc import Awaitable, Callable


async def wait_until(
    condition: Callable[[], bool | Awaitable[bool]], description: str, seconds: float = 20
) -> None:
    """Return when `condition` holds; fail with `description` when it has not within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                answer = condition()
                if answer if isinstance(answer, bool) else await answer:
                    return
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"never became true in {seconds} s: {description}") from None
