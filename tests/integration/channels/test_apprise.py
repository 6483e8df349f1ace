"""Apprise: bounded, in its own threads, and with none of its secrets shown."""

import asyncio
from importlib import import_module

import pytest

from monitor.channels import ChannelBuilder
from monitor.channels.apprise import AppriseThreads, bounded
from monitor.core.outcome import Delivered, DeliveryReason, Rejected, RetryLater
from monitor.core.secret import Secret
from monitor.core.targets import NO_TEMPLATE, AppriseTarget, Template
from tests.factories import NOW, delivery
from tests.servers.hooks import HookServer, Reply


def target(url: str, template: Template = NO_TEMPLATE) -> AppriseTarget:
    return AppriseTarget(id="desk/apprise", subscriber="desk", url=Secret(url), template=template)


def at(server: HookServer) -> str:
    return server.url.replace("http://", "json://")


async def test_message_goes_out(patient: ChannelBuilder) -> None:
    async with HookServer() as server:
        outcome = await patient.build(target(at(server))).deliver(delivery(), NOW)
    assert outcome == Delivered()
    [request] = server.received
    assert b"[Talks] Talks resume in Geneva" in request.body
    assert b"Delegates returned" in request.body


async def test_template_writes_title_and_text(patient: ChannelBuilder) -> None:
    template = Template(subject="Hear", text="{{ alert.source }}")
    async with HookServer() as server:
        built = patient.build(target(at(server), template=template))
        await built.deliver(delivery(), NOW)
        await built.close()
    assert b'"Hear"' in server.received[0].body
    assert b"Example World" in server.received[0].body


@pytest.mark.parametrize("status", [302, 400, 410, 429, 500])
async def test_failure_is_tried_later_and_no_redirect_is_followed(
    status: int, patient: ChannelBuilder
) -> None:
    async with HookServer() as server:
        elsewhere = {"Location": server.url} if status == 302 else {}
        server.reply(Reply(status=status, headers=elsewhere))
        outcome = await patient.build(target(at(server))).deliver(delivery(), NOW)
    assert isinstance(outcome, RetryLater)
    assert outcome.reason is DeliveryReason.SERVER_ERROR
    assert len(server.received) == 1


async def test_service_that_hangs_is_given_up_and_holds_no_other(
    patient: ChannelBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(import_module, "apprise")  # which takes its time
    monkeypatch.setattr("monitor.channels.apprise.SECONDS", 2)
    async with HookServer() as hanging, HookServer() as server:
        hanging.reply(Reply(delay=30))
        slow, quick = (patient.build(target(at(each))) for each in (hanging, server))
        async with asyncio.TaskGroup() as group:
            first = group.create_task(slow.deliver(delivery(), NOW))
            second = group.create_task(quick.deliver(delivery(), NOW))
    assert isinstance(second.result(), Delivered)
    late = first.result()
    assert isinstance(late, RetryLater)
    assert late.reason is DeliveryReason.TIMEOUT


def test_our_bounds_replace_those_of_an_address() -> None:
    said = bounded("json://host/path?redirect=yes&rto=900&:name=value")
    assert said == "json://host/path?%3Aname=value&redirect=no&cto=5.0&rto=10.0"


async def test_address_that_apprise_does_not_know_is_refused_without_being_shown(
    patient: ChannelBuilder,
) -> None:
    outcome = await patient.build(target("nonsense://secret")).deliver(delivery(), NOW)
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.target) == (DeliveryReason.ADDRESS_REFUSED, True)
    assert "secret" not in repr(outcome)


def test_apprise_that_is_not_installed_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.channels.apprise.find_spec", lambda _name: None)
    with pytest.raises(ValueError, match="pip install"):
        ChannelBuilder(user_agent="monitor/test").build(target("json://host"))


def test_threads_that_were_never_used_are_closed() -> None:
    AppriseThreads().close()
