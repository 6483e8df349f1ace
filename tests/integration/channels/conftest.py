"""A builder of channels that may reach this host, and gives up soon."""

from collections.abc import AsyncIterator
from ipaddress import ip_network

import aiohttp
import pytest

from monitor.channels import ChannelBuilder
from tests.servers.tls import certificate

LOOPBACK = [ip_network("127.0.0.0/8")]


@pytest.fixture
async def patient() -> AsyncIterator[ChannelBuilder]:
    """A builder for tests in which nobody hangs."""
    async with ChannelBuilder(allow=LOOPBACK, user_agent="monitor/test") as builder:
        yield builder


@pytest.fixture
async def channels() -> AsyncIterator[ChannelBuilder]:
    timeout = aiohttp.ClientTimeout(total=0.6, sock_connect=0.4)
    async with ChannelBuilder(
        allow=LOOPBACK,
        user_agent="monitor/test",
        timeout=timeout,
        tls=certificate().client_context(),
    ) as builder:
        yield builder
