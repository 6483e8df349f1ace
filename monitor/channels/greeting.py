"""Whether a receiver can be reached, without sending it anything that a person would see."""

import asyncio
import socket

import aiosmtplib
from yarl import URL

from monitor.channels.smtp import SmtpPool, failure
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater
from monitor.core.render.clean import line
from monitor.net import AddressGuard

_WITHIN_SECONDS = 15
_SHOWN = 100


async def greet_relay(pool: SmtpPool) -> Outcome:
    """Connect to a mail relay and log in."""
    try:
        async with asyncio.timeout(_WITHIN_SECONDS):
            return Delivered(response=line(await pool.greet(), _SHOWN))
    except (aiosmtplib.SMTPException, OSError) as error:
        return failure(error)


async def look_up(url: str, guard: AddressGuard) -> Outcome:
    """Find the addresses of a URL's host, one of which must be allowed. The answer never quotes the URL."""
    host = URL(url).host or ""
    try:
        async with asyncio.timeout(_WITHIN_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(
                host, None, type=socket.SOCK_STREAM
            )
    except (OSError, UnicodeError) as error:
        return RetryLater(reason=DeliveryReason.DNS, detail=line(str(error), _SHOWN))
    addresses = [str(address[0]) for *_, address in found]
    if not any(map(guard.allows, addresses)):
        return Rejected(
            reason=DeliveryReason.REFUSED_ADDRESS,
            detail=f"{addresses[0]} is not public, and not listed in network.allow",
        )
    return Delivered(response="its name resolves")
