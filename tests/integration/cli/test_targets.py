"""`monitor targets`: what a person sees and does when a receiver is in trouble."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from standardwebhooks import Webhook

from monitor.core.breaker import HEALTHY, TargetHealth, TargetStatus
from monitor.core.model import DeliveryState
from monitor.core.outcome import DeliveryReason
from monitor.core.retry import Ruling
from monitor.streams.ledger import StreamDeliveryLedger
from tests.contracts.store.test_ledger import DEAD, attempt
from tests.factories import alert, article
from tests.integration.cli.conftest import SECRET, Desk
from tests.servers.hooks import HookServer, Reply

HOOK = "desk/webhook"
NOW = datetime.now(UTC)
MINUTE = timedelta(minutes=1)


@contextmanager
def receiver(*replies: Reply) -> Iterator[HookServer]:
    """Serve in a thread of its own, as the commands run event loops of their own in this one."""
    hook, loop = HookServer(), asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(hook.__aenter__(), loop).result()
    hook.reply(*replies)
    try:
        yield hook
    finally:
        asyncio.run_coroutine_threadsafe(hook.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def two_wait_and_it_fails(ledger: StreamDeliveryLedger) -> None:
    for n in range(2):
        await ledger.enqueue(alert(article=article(id=f"a{n}")), HOOK, NOW)
    failing = TargetHealth(
        status=TargetStatus.OPEN,
        failures=7,
        failing_since=NOW - MINUTE,
        until=NOW + MINUTE,
        reason=DeliveryReason.CONNECT,
        detail="nobody listens",
        changed_at=NOW,
        version=1,
    )
    assert await ledger.set_health(HOOK, HEALTHY, failing)


def test_list_says_how_each_target_is_doing_and_what_waits(desk: Desk) -> None:
    ok = desk.monitor("targets", "list").stdout.splitlines()[1].split()
    assert ok == [HOOK, "webhook", "ok", "0", "0"]
    desk.with_ledger(two_wait_and_it_fails)
    row = desk.monitor("targets", "list").stdout.splitlines()[1]
    for words in ("left alone until", " 2 ", "connect: nobody listens"):
        assert words in row
    shown = desk.monitor("targets", "show", HOOK).stdout
    for words in (
        "7 in a row since",
        "nobody listens",
        "2, 0 in flight",
        "pending",
        "Talks resume",
    ):
        assert words in shown


def test_a_target_that_asked_to_wait_says_until_when(desk: Desk) -> None:
    async def asked(ledger: StreamDeliveryLedger) -> None:
        await ledger.enqueue(alert(), HOOK, NOW)
        [lease] = await ledger.claim(NOW, MINUTE, 1, timedelta())
        until = datetime.now(UTC) + 10 * MINUTE
        ruling = Ruling(state=DeliveryState.RETRY, due_at=until, lane_until=until)
        await ledger.record(lease, attempt(), ruling, NOW)

    desk.with_ledger(asked)
    assert "asked to wait until" in desk.monitor("targets", "list").stdout


def test_disable_keeps_alerts_waiting_and_enable_lets_them_go(desk: Desk) -> None:
    desk.with_ledger(two_wait_and_it_fails)
    off = desk.monitor("targets", "disable", HOOK, "--why", "moving house")
    assert (off.exit_code, "targets enable desk/webhook" in off.stdout) == (0, True)
    assert "moving house" in desk.monitor("targets", "list").stdout

    async def claimed(ledger: StreamDeliveryLedger) -> int:
        return len(await ledger.claim(datetime.now(UTC), MINUTE, 9, timedelta()))

    assert desk.with_ledger(claimed) == 0
    on = desk.monitor("targets", "enable", HOOK)
    assert on.stdout == f"{HOOK} is on; deliveries waiting for it: 2\n"
    assert desk.with_ledger(claimed) == 2


def test_enable_says_how_to_send_what_was_given_up(desk: Desk) -> None:
    async def one_dead(ledger: StreamDeliveryLedger) -> None:
        await ledger.enqueue(alert(), HOOK, NOW)
        [lease] = await ledger.claim(NOW, MINUTE, 1, timedelta())
        await ledger.record(lease, attempt(), DEAD, NOW)

    desk.with_ledger(one_dead)
    said = desk.monitor("targets", "enable", HOOK).stdout
    assert f"monitor deliveries replay --dead --target {HOOK}" in said


def test_a_test_alert_goes_through_the_real_channel_and_is_kept_nowhere(desk: Desk) -> None:
    with receiver(Reply(status=204), Reply(status=500, text="out of order")) as hook:
        desk.write({"webhook": {"url": hook.url, "secret_file": "key"}})
        taken = desk.monitor("targets", "test", HOOK)
        assert (taken.exit_code, "delivered 204" in taken.stdout) == (0, True)
        refused = desk.monitor("targets", "test", HOOK)
        assert refused.exit_code == 1
        assert "server_error" in refused.stdout
        assert "out of order" in refused.stdout
    first, second = hook.received
    said = json.loads(first.body)
    Webhook(SECRET).verify(first.body, dict(first.headers))
    assert said["data"]["article"]["title"] == f"Test: alerts for {HOOK} arrive here"
    assert said["data"]["matches"][0]["rule"] == "monitor.test"
    assert said["id"] != json.loads(second.body)["id"]
    assert desk.monitor("deliveries", "list").stdout == "no deliveries\n"


@pytest.mark.parametrize("command", ["show", "test", "enable", "disable", "rotate-secret"])
def test_an_unknown_target_is_refused_with_the_nearest(command: str, desk: Desk) -> None:
    refused = desk.monitor("targets", command, "desk/webhok")
    assert refused.exit_code == 1
    assert "no target 'desk/webhok'" in str(refused.exception)
    assert HOOK in str(refused.exception)


def test_a_new_secret_is_written_beside_the_old_one(desk: Desk) -> None:
    said = desk.monitor("targets", "rotate-secret", HOOK)
    assert said.exit_code == 0, said.output
    beside = desk.config / "key.new"
    assert beside.stat().st_mode & 0o777 == 0o600
    assert f"new secret: {beside.read_text().strip()}" in said.stdout
    assert "previous_secret_file: key" in said.stdout
    assert (desk.config / "key").read_text() == SECRET
    again = desk.monitor("targets", "rotate-secret", HOOK)
    assert "key.new is there already" in str(again.exception)
    with receiver() as hook:
        files = {"secret_file": "key.new", "previous_secret_file": "key"}
        desk.write({"webhook": {"url": hook.url, **files}})
        assert desk.monitor("targets", "test", HOOK).exit_code == 0
    [request] = hook.received
    for secret in (SECRET, beside.read_text().strip()):
        Webhook(secret).verify(request.body, dict(request.headers))


def test_with_files_for_both_secrets_the_new_one_takes_its_place(desk: Desk) -> None:
    (desk.config / "old").write_text("whsec_" + "QkJC" * 11)
    files = {"secret_file": "key", "previous_secret_file": "old"}
    desk.write({"webhook": {"url": "http://127.0.0.1:9/", **files}})
    said = desk.monitor("targets", "rotate-secret", HOOK)
    assert "SIGHUP" in said.stdout
    assert (desk.config / "old").read_text() == SECRET
    new = (desk.config / "key").read_text().strip()
    assert (new.startswith("whsec_"), new != SECRET) == (True, True)
    assert (desk.config / "key").stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in desk.config.iterdir() if "." not in each.name) == [
        "key",
        "old",
    ]


def test_a_secret_of_the_environment_is_told_and_not_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_KEY", SECRET)
    desk.write({"webhook": {"url": "http://127.0.0.1:9/", "secret_env": "HOOK_KEY"}})
    said = desk.monitor("targets", "rotate-secret", HOOK).stdout
    for words in ("new secret: whsec_", "HOOK_KEY_PREVIOUS=", "previous_secret_env: HOOK_KEY_PREV"):
        assert words in said
    desk.write({"webhook": {"url": "http://127.0.0.1:9/"}})
    assert "no secret yet" in desk.monitor("targets", "rotate-secret", HOOK).stdout
    desk.write({"console": {}})
    refused = desk.monitor("targets", "rotate-secret", "desk/console")
    assert "only webhooks sign" in str(refused.exception)


def test_without_targets_the_list_says_where_they_are_made(desk: Desk) -> None:
    desk.write()
    assert "subscribers.yaml" in desk.monitor("targets", "list").stdout
