"""A builder of channels that may reach this host, and gives up soon."""

from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_network

import pytest

from monitor.channels import ChannelBuilder
from monitor.channels.wire import TimeLimits
from tests.servers.tls import certificate

LOOPBACK = [ip_network("127.0.0.0/8")]


@pytest.fixture
async def patient() -> AsyncIterator[ChannelBuilder]:
    """A builder for tests in which nobody hangs."""
    async with ChannelBuilder(allow=LOOPBACK, user_agent="monitor/test") as builder:
        yield builder


@pytest.fixture
async def channels() -> AsyncIterator[ChannelBuilder]:
    limits = TimeLimits(total=timedelta(seconds=0.6), connect=timedelta(seconds=0.4))
    async with ChannelBuilder(
        allow=LOOPBACK,
        user_agent="monitor/test",
        limits=limits,
        tls=certificate().client_context(),
    ) as builder:
        yield builder
