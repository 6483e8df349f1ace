import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage

import aiohttp
import aiosmtplib
import pytest
from standardwebhooks.webhooks import Webhook

from monitor.demo.receivers import (
    Addresses,
    Receipt,
    SlackReceiver,
    WebhookReceiver,
    open_receivers,
    read_letter,
)

SITE = "http://127.0.0.1:4000"
LINK = f"{SITE}/gazette/one?utm_source=x"
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@dataclass
class Desk:
    addresses: Addresses
    receipts: list[Receipt] = field(default_factory=list)
    letters: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def open_desk(outage: int = 0) -> AsyncIterator[Desk]:
    receipts: list[Receipt] = []
    letters: list[bytes] = []
    webhook = WebhookReceiver("crisis-desk", SITE, SECRET, outage, receipts.append)
    slack = SlackReceiver("press-office", SITE, receipts.append)
    async with open_receivers(webhook, slack, letters.append) as addresses:
        yield Desk(addresses, receipts, letters)


async def post_signed(url: str, name: str, body: str, secret: str = SECRET) -> int:
    now = datetime.now(UTC)
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(name, now, body),
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=headers) as response,
    ):
        return response.status


async def test_a_signed_alert_is_taken_and_its_article_known() -> None:
    async with open_desk() as desk:
        status = await post_signed(desk.addresses.webhook, "msg_1", f'{{"url": "{LINK}"}}')
    assert status == 204
    assert desk.receipts == [Receipt(subscriber="crisis-desk", path="/gazette/one")]


async def test_an_alert_signed_with_another_secret_is_refused() -> None:
    async with open_desk() as desk:
        other = "whsec_" + "QUFB" * 11
        status = await post_signed(desk.addresses.webhook, "msg_1", LINK, other)
    assert status == 401
    assert [each.refused for each in desk.receipts] == ["signature refused"]


@pytest.mark.parametrize("stamp", ["", "soon", "1000000000"])
async def test_an_alert_without_a_fresh_timestamp_is_refused(stamp: str) -> None:
    async with open_desk() as desk, aiohttp.ClientSession() as session:
        headers = {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": "v1,x"}
        async with session.post(desk.addresses.webhook, data=b"{}", headers=headers) as response:
            assert response.status == 401


async def test_a_planned_outage_counts_the_tries_of_each_delivery() -> None:
    async with open_desk(outage=2) as desk:
        url = desk.addresses.webhook
        statuses = [await post_signed(url, "msg_1", LINK) for _ in range(3)]
    assert statuses == [503, 503, 204]
    assert [(each.tries, each.refused) for each in desk.receipts] == [
        (1, "503"),
        (2, "503"),
        (3, ""),
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [(f'{{"text": "<{LINK}|One>"}}', 200), ('{"text": ""}', 400), ("[]", 400), ("text=a", 400)],
)
async def test_the_slack_receiver_takes_what_slack_takes(body: str, status: int) -> None:
    async with open_desk() as desk, aiohttp.ClientSession() as session:
        async with session.post(desk.addresses.slack, data=body) as response:
            assert response.status == status
        expected = ("/gazette/one", "") if status == 200 else ("", "invalid_payload")
        assert [(each.path, each.refused) for each in desk.receipts] == [expected]


async def test_a_digest_is_a_receipt_for_each_of_its_articles() -> None:
    text = f"<{LINK}|One> and <{SITE}/gazette/two|Two>, once more <{SITE}/gazette/one>"
    async with open_desk() as desk, aiohttp.ClientSession() as session:
        body = json.dumps({"text": text})
        async with session.post(desk.addresses.slack, data=body) as response:
            assert response.status == 200
    assert [each.path for each in desk.receipts] == ["/gazette/one", "/gazette/two"]


async def test_a_letter_arrives_whole_with_its_dots() -> None:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "m@demo.invalid", "a@demo.invalid", "Syria"
    letter.set_content(f"One.\n.\n..two\nsee {LINK}\n")
    async with open_desk() as desk:
        host, port = desk.addresses.smtp_host, desk.addresses.smtp_port
        await aiosmtplib.send(letter, hostname=host, port=port, start_tls=False)
    [receipt] = read_letter(desk.letters[0], "analyst", SITE)
    assert receipt == Receipt(subscriber="analyst", path="/gazette/one")
    assert b"\r\n.\r\n..two\r\n" in desk.letters[0]


async def test_the_mailbox_survives_nonsense_and_a_visitor_who_leaves() -> None:
    async with open_desk() as desk:
        host, port = desk.addresses.smtp_host, desk.addresses.smtp_port
        reader, writer = await asyncio.open_connection(host, port)
        await reader.readline()
        writer.write(b"\r\nNONSENSE now\r\n")
        assert (await reader.readline()).startswith(b"502")
        assert (await reader.readline()).startswith(b"502")
        writer.write(b"DATA\r\nhalf a lett")
        assert (await reader.readline()).startswith(b"354")
        writer.close()
        await writer.wait_closed()
        letter = EmailMessage()
        letter["From"], letter["To"] = "m@demo.invalid", "a@demo.invalid"
        letter.set_content(LINK)
        await aiosmtplib.send(letter, hostname=host, port=port, start_tls=False)
    assert len(desk.letters) == 1
