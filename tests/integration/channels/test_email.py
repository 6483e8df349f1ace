"""Mail through real relays, and through some that hang up."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from monitor.channels.email import EmailChannel
from monitor.channels.mailpress import Draft, MailPress
from monitor.channels.smtp import SmtpPool
from monitor.core.links import LinkAction
from monitor.core.model import Delivery
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, Rejected, RetryLater
from monitor.core.render import html, text
from monitor.core.render.template import Composer
from monitor.core.secret import Secret
from monitor.core.targets import EmailTarget, Security, SmtpRelay, Template
from tests.factories import NOW, alert, article, delivery, match
from tests.servers.hooks import raw_server
from tests.servers.smtp import MailServer, raw_relay
from tests.servers.tls import certificate
from tests.unit.render.cases import CASES
from tests.unit.render.golden import LINKER


def target(relay: SmtpRelay, **changes: Any) -> EmailTarget:
    settings: dict[str, Any] = {
        "to": "Desk <desk@paper.example>",
        "sender": "Monitor <monitor@paper.example>",
    }
    return EmailTarget(id="desk/mail", subscriber="desk", smtp=relay, **settings | changes)


@pytest.fixture
async def pools() -> AsyncIterator[list[SmtpPool]]:
    opened: list[SmtpPool] = []
    yield opened
    for pool in opened:
        await pool.close()


async def send(pools: list[SmtpPool], relay: SmtpRelay, case: str = "simple") -> Outcome:
    pools.append(SmtpPool(relay))
    channel = EmailChannel(target(relay), pools[-1])
    return await channel.deliver(CASES[case](), NOW)


def read(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def parts(message: EmailMessage) -> tuple[EmailMessage, EmailMessage]:
    plain, rich = message.iter_parts()
    assert isinstance(plain, EmailMessage)
    assert isinstance(rich, EmailMessage)
    return plain, rich


def content(part: EmailMessage) -> str:
    """Return a text with the line ends that it was written with."""
    said: str = part.get_content()
    return said.replace("\r\n", "\n")


async def test_mail_says_what_it_is_and_whose(pools: list[SmtpPool]) -> None:
    async with MailServer() as server:
        outcome = await send(pools, server.relay())
        assert outcome == Delivered(status=250, response="2.0.0 queued as 1A2B3C")
    [mail] = server.mail
    assert (mail.sender, mail.recipients) == ("monitor@paper.example", ("desk@paper.example",))
    message = read(mail.content)
    assert message["Subject"] == "[Talks] Talks resume in Geneva"
    assert message["From"] == "Monitor <monitor@paper.example>"
    assert parsedate_to_datetime(message["Date"]).astimezone(UTC) == NOW
    assert message["Message-ID"].endswith("@paper.example>")
    assert message["In-Reply-To"] == message["References"]
    assert message["References"] != message["Message-ID"]
    assert message["List-Id"] == "<talks.rules.paper.example>"
    assert (
        message["List-Unsubscribe"].strip()  # it may stand on a line of its own
        == "<mailto:monitor@paper.example?subject=unsubscribe%20desk/mail>"
    )
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    plain, rich = parts(message)
    assert plain.get_content_type() == "text/plain"
    assert rich.get_content_type() == "text/html"
    assert "Delegates returned to the *table*" in plain.get_content()
    assert "<mark" in rich.get_content()


async def test_attempts_are_the_same_bytes_and_other_deliveries_of_the_article_its_thread(
    pools: list[SmtpPool],
) -> None:
    async with MailServer() as server:
        pools.append(SmtpPool(server.relay()))
        channel = EmailChannel(target(server.relay()), pools[-1])
        await channel.deliver(delivery(attempts=1), NOW)
        await channel.deliver(delivery(attempts=2), NOW)
        await channel.deliver(delivery(id="d2"), NOW)
    first, again, other = server.mail
    assert first.content == again.content
    assert read(first.content)["Message-ID"] != read(other.content)["Message-ID"]
    assert read(first.content)["References"] == read(other.content)["References"]


@pytest.mark.parametrize("case", CASES)
async def test_any_alert_is_a_message_that_a_reader_takes_apart(
    case: str, pools: list[SmtpPool]
) -> None:
    async with MailServer() as server:
        assert isinstance(await send(pools, server.relay(), case), Delivered)
    message = read(server.mail[0].content)
    assert message.defects == []
    assert message["Bcc"] is None
    assert message["X-Injected"] is None
    assert all(len(line) <= 998 for line in server.mail[0].content.splitlines())
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


async def test_message_that_is_too_large_is_sent_once_more_in_a_few_lines(
    pools: list[SmtpPool],
) -> None:
    async with MailServer() as server:
        server.refuse("DATA", "552 5.3.4 too big")
        assert isinstance(await send(pools, server.relay(), "digest"), Delivered)
        server.refuse("DATA", "552 5.3.4 too big")
        server.refuse("DATA", "552 5.3.4 still too big")
        refused = await send(pools, server.relay(), "digest")
    assert isinstance(refused, Rejected)
    assert (refused.reason, refused.target) == (DeliveryReason.PAYLOAD_REFUSED, False)
    [mail] = server.mail
    message = read(mail.content)
    assert message.defects == []
    assert message.get_content_type() == "text/plain"
    assert content(message).startswith("6 alerts on 4 stories")
    assert "Talks resume in Geneva\nhttp://news.example/" in content(message)
    assert len(mail.content) < 3000


def linked(case: str, target_id: str = "desk/mail") -> tuple[EmailChannel, Delivery]:
    relay = SmtpRelay(host="127.0.0.1", port=25)
    mailbox = replace(target(relay, sender_name="News Desk ✉"), id=target_id)
    told = replace(CASES[case](), target_id=target_id)
    return EmailChannel(mailbox, SmtpPool(relay), Composer(mailbox, LINKER)), told


def written(case: str, target_id: str = "desk/mail", press: MailPress | None = None) -> bytes:
    channel, told = linked(case, target_id)
    channel._press = press or channel._press
    return channel.message(Draft(told, channel._composer))


def test_mail_with_links_can_be_unsubscribed_with_one_click() -> None:
    message = read(written("simple"))
    url, mailto = message["List-Unsubscribe"].split(",")
    link = LINKER.read(url.strip("<> ").rpartition("/")[2], NOW)
    assert (link.action, link.target_id) == (LinkAction.UNSUBSCRIBE, "desk/mail")
    assert "mailto:monitor@paper.example?subject=unsubscribe" in mailto
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["From"] == "News Desk ✉ <monitor@paper.example>"


@pytest.mark.parametrize("case", CASES)
def test_recipients_share_what_is_printed_and_have_links_of_their_own(case: str) -> None:
    press = MailPress()
    for target_id in ("desk/mail", "desk/other", "desk/" + "x" * 200):
        shared = written(case, target_id, press)
        assert shared == written(case, target_id)
        message = read(shared)
        assert message.defects == []
        assert all(len(line) <= 998 for line in shared.splitlines())
        body = shared.partition(b"\r\n\r\n")[2]
        assert all(len(line) <= 76 for line in body.splitlines())
        own = Composer(target(SmtpRelay(host="h", port=1)), LINKER).compose(
            replace(CASES[case](), target_id=target_id)
        )
        plain, rich = parts(message)
        assert content(plain) == text(own)
        assert content(rich) == html(own)
    assert len(press._sheets) == 1


def test_press_forgets_what_is_old() -> None:
    press = MailPress()
    channel, told = linked("simple")
    for number in range(70):
        news = replace(told, alerts=(alert(article=article(title=f"News {number}")),))
        printed = press.printed(Draft(news, channel._composer), "paper.example")
        assert f"News {number}".encode() in printed
    assert len(press._sheets) == 64


def test_mails_of_a_story_are_one_thread_whichever_feed_brings_it() -> None:
    channel, told = linked("simple")
    other = replace(
        told, id="d2", alerts=(alert(article=article(id="a9", feed_name="Second Paper")),)
    )
    roots = {
        read(channel.message(Draft(x, channel._composer)))["References"] for x in (told, other)
    }
    assert len(roots) == 1
    assert read(written("digest"))["References"] is None
    assert read(written("digest"))["List-Id"] == "<digests.rules.paper.example>"


def test_template_of_the_operator_makes_the_parts() -> None:
    relay = SmtpRelay(host="127.0.0.1", port=25)
    template = Template(
        subject="Hear: {{ alert.title }}", text="{{ alert.url }}", body="<p>{{ alert.title }}"
    )
    mailbox = target(relay, template=template)
    channel = EmailChannel(mailbox, SmtpPool(relay), Composer(mailbox))
    message = read(channel.message(Draft(delivery(), channel._composer)))
    assert message["Subject"] == "Hear: Talks resume in Geneva"
    plain, rich = parts(message)
    assert content(plain) == "http://news.example/2026/01/15/talks"
    assert content(rich) == "<p>Talks resume in Geneva"


async def test_rule_with_an_unprintable_id_still_has_a_list(pools: list[SmtpPool]) -> None:
    async with MailServer() as server:
        pools.append(SmtpPool(server.relay()))
        channel = EmailChannel(target(server.relay()), pools[-1])
        for rule_id in ("Правило", "a\r\nBcc: x", "\ud800"):
            strange = alert(article=article(id=rule_id), matches=(match(rule_id=rule_id),))
            assert isinstance(await channel.deliver(delivery(alert=strange), NOW), Delivered)
    for mail in server.mail:
        assert read(mail.content)["List-Id"].endswith(".rules.paper.example>")
        assert read(mail.content)["Bcc"] is None


@pytest.mark.parametrize("security", ["none", "starttls", "implicit"])
@pytest.mark.parametrize("login", [False, True])
async def test_relay_is_reached_with_each_kind_of_security(
    security: Security, login: bool, pools: list[SmtpPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate().path))
    async with MailServer(security=security, login=login) as server:
        outcome = await send(pools, server.relay(verify=True))
        assert isinstance(outcome, Delivered), outcome
    assert server.mail[0].encrypted == (security != "none")


@pytest.mark.parametrize("security", ["starttls", "implicit"])
async def test_certificate_that_nobody_vouches_for_stops_the_mail(
    security: Security, pools: list[SmtpPool]
) -> None:
    async with MailServer(security=security) as server:
        outcome = await send(pools, server.relay(verify=True))
        assert isinstance(outcome, RetryLater)
        assert outcome.reason is DeliveryReason.TLS
        assert isinstance(await send(pools, server.relay(verify=False)), Delivered)
    assert len(server.mail) == 1


async def test_relay_that_hides_starttls_gets_no_mail_in_clear(pools: list[SmtpPool]) -> None:
    async with MailServer(security="none") as server:
        outcome = await send(pools, server.relay(security="starttls"))
    assert isinstance(outcome, RetryLater)
    assert (outcome.reason, outcome.lane) == (DeliveryReason.TLS, True)
    assert server.mail == []


async def test_wrong_password_holds_all_mail_of_the_target(pools: list[SmtpPool]) -> None:
    async with MailServer(login=True) as server:
        outcome = await send(pools, server.relay(password=Secret("wrong")))
    assert isinstance(outcome, RetryLater)
    assert (outcome.reason, outcome.lane) == (DeliveryReason.UNAUTHORIZED, True)
    assert "wrong" not in repr(outcome)


@pytest.mark.parametrize(
    ("command", "answer", "expected"),
    [
        ("MAIL", "421 4.7.0 too fast", (RetryLater, DeliveryReason.RATE_LIMITED)),
        ("MAIL", "451 4.3.0 later", (RetryLater, DeliveryReason.SERVER_ERROR)),
        ("MAIL", "530 5.7.0 log in first", (Rejected, DeliveryReason.UNAUTHORIZED)),
        ("MAIL", "553 5.1.8 bad sender", (Rejected, DeliveryReason.CLIENT_ERROR)),
        ("RCPT", "450 4.2.0 greylisted", (RetryLater, DeliveryReason.SERVER_ERROR)),
        ("RCPT", "452 4.2.2 mailbox full", (RetryLater, DeliveryReason.SERVER_ERROR)),
        ("RCPT", "550 5.1.1 no such user", (Rejected, DeliveryReason.ADDRESS_REFUSED)),
        ("RCPT", "550 no such user", (Rejected, DeliveryReason.ADDRESS_REFUSED)),
        ("RCPT", "554 5.7.1 relay access denied", (Rejected, DeliveryReason.UNAUTHORIZED)),
        ("DATA", "451 4.7.1 try again", (RetryLater, DeliveryReason.RATE_LIMITED)),
        ("RCPT", "552 5.2.2 mailbox full", (RetryLater, DeliveryReason.SERVER_ERROR)),
        ("DATA", "554 5.7.1 looks like spam", (Rejected, DeliveryReason.CONTENT_REFUSED)),
    ],
)
async def test_refusal_is_told_apart_and_the_connection_is_kept(
    command: str, answer: str, expected: tuple[type, DeliveryReason], pools: list[SmtpPool]
) -> None:
    async with MailServer() as server:
        pools.append(SmtpPool(server.relay()))
        channel = EmailChannel(target(server.relay()), pools[-1])
        server.refuse(command, answer)
        outcome = await channel.deliver(delivery(), NOW)
        assert not isinstance(outcome, Delivered)
        assert (type(outcome), outcome.reason) == expected
        assert answer in outcome.detail
        assert outcome.status == int(answer[:3])
        assert isinstance(await channel.deliver(delivery(), NOW), Delivered)
    assert server.connections == (2 if answer.startswith("421") else 1)


@pytest.mark.parametrize(
    ("drop_at", "reason"),
    [
        ("GREETING", DeliveryReason.RESET),
        ("EHLO", DeliveryReason.RESET),
        ("MAIL", DeliveryReason.RESET),
        ("DATA", DeliveryReason.RESET),
        ("BODY", DeliveryReason.RESET),
    ],
)
async def test_relay_that_hangs_up_is_tried_later_with_the_same_message(
    drop_at: str, reason: DeliveryReason, pools: list[SmtpPool]
) -> None:
    async with raw_relay(drop_at) as relay:
        settings = SmtpRelay(host="127.0.0.1", port=relay.port, security="none")
        for _ in range(2):
            outcome = await send(pools, settings)
            assert isinstance(outcome, RetryLater)
            assert outcome.reason is reason
    if drop_at == "BODY":
        assert relay.bodies[0] == relay.bodies[1]


async def test_relay_that_greets_with_an_error_holds_the_lane(pools: list[SmtpPool]) -> None:
    async with raw_relay(answers={"GREETING": "421 4.3.2 going down"}) as relay:
        outcome = await send(pools, SmtpRelay(host="127.0.0.1", port=relay.port, security="none"))
    assert isinstance(outcome, RetryLater)
    assert (outcome.reason, outcome.lane, outcome.status) == (
        DeliveryReason.SERVER_ERROR,
        True,
        421,
    )


async def test_relay_that_is_not_there_is_tried_later(pools: list[SmtpPool]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        outcome = await send(pools, SmtpRelay(host="127.0.0.1", port=port, security="none"))
    assert isinstance(outcome, RetryLater)
    assert outcome.reason is DeliveryReason.CONNECT


async def test_relay_whose_name_is_unknown_is_tried_later(pools: list[SmtpPool]) -> None:
    outcome = await send(pools, SmtpRelay(host="no-such-host.invalid", port=25, security="none"))
    assert isinstance(outcome, RetryLater)
    assert outcome.reason is DeliveryReason.DNS


async def test_relay_that_says_nothing_is_given_up_in_time(
    pools: list[SmtpPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.channels.smtp._COMMAND_SECONDS", 0.1)

    async def talk(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw_server(talk) as address:
        port = int(address.rpartition(":")[2])
        outcome = await send(pools, SmtpRelay(host="127.0.0.1", port=port, security="none"))
    assert isinstance(outcome, RetryLater)
    assert outcome.reason is DeliveryReason.TIMEOUT


async def test_connections_are_few_and_reused(pools: list[SmtpPool]) -> None:
    async with MailServer() as server:
        pools.append(SmtpPool(server.relay()))
        channel = EmailChannel(target(server.relay()), pools[-1])
        async with asyncio.TaskGroup() as group:
            for n in range(30):
                group.create_task(channel.deliver(delivery(id=f"d{n}"), NOW))
        assert len(server.mail) == 30
        assert server.connections <= 4


async def test_connection_is_not_used_for_more_than_a_hundred_messages(
    pools: list[SmtpPool],
) -> None:
    async with MailServer() as server:
        pools.append(SmtpPool(server.relay()))
        for _ in range(101):
            await pools[-1].send("a@b.example", "c@d.example", b"Subject: x\r\n\r\nx\r\n")
        assert server.connections == 2


async def test_connection_that_lay_idle_too_long_is_replaced(
    pools: list[SmtpPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.channels.smtp._IDLE_SECONDS", 0)
    async with MailServer() as server:
        pools.append(SmtpPool(server.relay()))
        for _ in range(2):
            await pools[-1].send("a@b.example", "c@d.example", b"Subject: x\r\n\r\nx\r\n")
        assert server.connections == 2


async def test_connection_that_the_relay_closed_while_idle_is_replaced(
    pools: list[SmtpPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with raw_relay() as relay:
        settings = SmtpRelay(host="127.0.0.1", port=relay.port, security="none")
        pools.append(SmtpPool(settings))
        channel = EmailChannel(target(settings), pools[-1])
        assert isinstance(await channel.deliver(delivery(), NOW), Delivered)
        monkeypatch.setattr("monitor.channels.smtp._FRESH_SECONDS", 0)
        relay.drop_at = "NOOP"
        assert isinstance(await channel.deliver(delivery(), NOW), Delivered)
    assert len(relay.bodies) == 2


@pytest.mark.parametrize(
    "address",
    ["", "desk", "desk@", "@paper.example", "desk@paper..example", "дежурный@paper.example", "a b@paper.example",
     "desk@paper.example\r\nBcc: x@y.example", "desk\x00@paper.example", "a@b@c.example"],
)  # fmt: skip
def test_address_that_cannot_be_used_is_refused(address: str) -> None:
    relay = SmtpRelay(host="127.0.0.1", port=25)
    with pytest.raises(ValueError, match="mail address"):
        EmailChannel(target(relay, to=address), SmtpPool(relay))
