"""Mails a second through the channel, on four pooled connections, beside `send_message` one by one.

python -m tests.benchmarks.bench_email [--alerts 15] [--recipients 40]

The relay is aiosmtpd in a process of its own. The peer builds an `EmailMessage` for each recipient and sends it with
aiosmtplib's `send_message` on one connection that it keeps, which is what a program does that does nothing about speed.
"""

import argparse
import asyncio
import multiprocessing
import sys
from collections.abc import Awaitable, Callable, Sequence
from email.message import EmailMessage
from email.policy import SMTP as MAIL
from multiprocessing.connection import Connection

import uvloop
from aiosmtpd import smtp as relay_server
from aiosmtplib import SMTP

from monitor.channels.email import EmailChannel
from monitor.channels.mailpress import MailPress
from monitor.channels.smtp import SmtpPool
from monitor.core.links import Linker
from monitor.core.model import Delivery
from monitor.core.outcome import Delivered
from monitor.core.render import html, message, subject, text
from monitor.core.render.template import Composer
from monitor.core.secret import Secret
from monitor.core.targets import EmailTarget, SmtpRelay
from tests.factories import alert, article, delivery

LINKER = Linker("https://monitor.example", Secret("a key for tests, of 32 characters"))
TARGET_RATIO = 3.0


class _Sink:
    async def handle_DATA(self, *_: object) -> str:  # noqa: N802 - aiosmtpd's name for it
        return "250 queued"


def serve(say: Connection) -> None:
    """Run a relay that takes everything, and say its port."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: relay_server.SMTP(_Sink(), hostname="relay.example"), "127.0.0.1", 0
        )
        say.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(run())


def mails(alerts: int, recipients: int) -> list[tuple[EmailTarget, Delivery]]:
    """Return every alert for every recipient, alert by alert, as the deliverer has them."""
    made = []
    for number in range(alerts):
        told = alert(
            article=article(id=f"a{number}", title=f"Talks resume in Geneva, day {number}")
        )
        for who in range(recipients):
            relay = SmtpRelay(host="127.0.0.1", port=0, security="none")
            target = EmailTarget(
                id=f"desk{who}/email",
                subscriber=f"desk{who}",
                to=f"reader{who}@paper.example",
                sender="monitor@paper.example",
                smtp=relay,
            )
            sent = delivery(id=f"d{number}-{who}", target_id=target.id, alert=told)
            made.append((target, sent))
    return made


async def by_channel(port: int, work: Sequence[tuple[EmailTarget, Delivery]]) -> None:
    """Send as the product does: one press, one pool, as many at once as the deliverer would."""
    relay = SmtpRelay(host="127.0.0.1", port=port, security="none")
    pool, press = SmtpPool(relay), MailPress()
    targets = {target.id: target for target, _ in work}.values()
    channels = {t.id: EmailChannel(t, pool, Composer(t, LINKER), press) for t in targets}
    waiting = iter(work)

    async def worker() -> None:
        for target, sent in waiting:
            outcome = await channels[target.id].deliver(sent, sent.created_at)
            if not isinstance(outcome, Delivered):
                raise TypeError(outcome)

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(worker())
    await pool.close()


async def one_by_one(port: int, work: Sequence[tuple[EmailTarget, Delivery]]) -> None:
    """Send the same mails with `send_message`."""
    smtp = SMTP(hostname="127.0.0.1", port=port, local_hostname="localhost")
    await smtp.connect()
    for target, sent in work:
        told = message(sent, LINKER.links(sent))
        mail = EmailMessage(policy=MAIL)
        mail["From"], mail["To"] = target.sender, target.to
        mail["Subject"] = subject(told)
        mail["Message-ID"] = f"<{sent.id}@paper.example>"
        mail["List-Unsubscribe"] = f"<{told.links.unsubscribe}>"
        mail.set_content(text(told))
        mail.add_alternative(html(told), subtype="html")
        await smtp.send_message(mail)
    await smtp.quit()


async def rate(send: Callable[[], Awaitable[None]], count: int) -> float:
    """Return mails a second."""
    clock = asyncio.get_running_loop().time
    started_at = clock()
    await send()
    return count / (clock() - started_at)


async def compare(port: int, alerts: int, recipients: int) -> tuple[float, float]:
    """Take turns, so that the noise of the machine meets both; return the best of each."""
    work = mails(alerts, recipients)
    ours = peer = 0.0
    few = work[:recipients]
    for _ in range(3):
        ours = max(ours, await rate(lambda: by_channel(port, work), len(work)))
        peer = max(peer, await rate(lambda: one_by_one(port, few), len(few)))
    return ours, peer


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both rates and their ratio; 1 when it misses the target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--alerts", type=int, default=15)
    parser.add_argument("--recipients", type=int, default=40)
    asked = parser.parse_args(arguments)
    hear, say = multiprocessing.Pipe(duplex=False)
    relay = multiprocessing.get_context("spawn").Process(target=serve, args=(say,), daemon=True)
    relay.start()
    ours, peer = uvloop.run(compare(hear.recv(), asked.alerts, asked.recipients))
    relay.terminate()
    count = asked.alerts * asked.recipients
    print(f"{count} mails, {asked.alerts} alerts to {asked.recipients} recipients each")
    print(f"  channel, four connections:      {ours:7.0f} mails/s")
    print(f"  send_message, one connection:   {peer:7.0f} mails/s")
    print(f"  ratio {ours / peer:.1f} (at least {TARGET_RATIO:g})")
    return 0 if ours / peer >= TARGET_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
