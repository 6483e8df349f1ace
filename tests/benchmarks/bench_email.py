"""Mails a second through the channel, on four pooled connections, beside `send_message` one by one.

python -m tests.benchmarks.bench_email [--rounds 9] [--recipients 100]

The relay is a process of its own that does little, so that the senders are measured. The peer builds an `EmailMessage`
for each recipient and sends it with `send_message` of aiosmtplib on one connection that it keeps, as a program
does that does nothing about speed.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP as MAIL
from multiprocessing.connection import Connection
from typing import cast

import uvloop
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


class _Relay(asyncio.Protocol):
    """Takes every mail, and does no more than it must: a relay in C would be faster still."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._say = cast("asyncio.WriteTransport", transport).write
        self._heard = bytearray()
        self._in_data = False
        self._say(b"220 relay.example\r\n")

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while True:
            end = b"\r\n.\r\n" if self._in_data else b"\r\n"
            at = self._heard.find(end)
            if at < 0:
                return
            command = bytes(self._heard[:4]).upper()
            del self._heard[: at + len(end)]
            if not self._in_data and command == b"DATA":
                self._in_data = True
                self._say(b"354 go on\r\n")
            else:
                self._in_data = False
                self._say(b"221 bye\r\n" if command == b"QUIT" else b"250 fine\r\n")


def serve(say: Connection) -> None:
    """Run a relay that takes everything, and say its port."""

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(_Relay, "127.0.0.1", 0)
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


@dataclass(frozen=True)
class Figures:
    """Mails a second, and milliseconds of our CPU for each."""

    rate: float
    cpu: float


async def measure(send: Callable[[], Awaitable[None]], count: int) -> Figures:
    """Send `count` mails once."""
    clock = asyncio.get_running_loop().time
    started_at, used = clock(), time.process_time()
    await send()
    return Figures(count / (clock() - started_at), 1000 * (time.process_time() - used) / count)


async def compare(port: int, rounds: int, recipients: int) -> tuple[Figures, Figures]:
    """Take turns, two alerts each, so that the noise of the machine meets both; return the medians."""
    work = mails(2, recipients)
    ours, peer = [], []
    for _ in range(rounds):
        ours.append(await measure(lambda: by_channel(port, work), len(work)))
        peer.append(await measure(lambda: one_by_one(port, work), len(work)))
    return median(ours), median(peer)


def median(figures: Sequence[Figures]) -> Figures:
    """Return the median rate and the median CPU."""
    return Figures(
        statistics.median(each.rate for each in figures),
        statistics.median(each.cpu for each in figures),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both rates and their ratio; 1 when it misses the target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--recipients", type=int, default=100)
    asked = parser.parse_args(arguments)
    hear, say = multiprocessing.Pipe(duplex=False)
    relay = multiprocessing.get_context("spawn").Process(target=serve, args=(say,), daemon=True)
    relay.start()
    ours, peer = uvloop.run(compare(hear.recv(), asked.rounds, asked.recipients))
    relay.terminate()
    print(f"{asked.rounds} rounds of two alerts to {asked.recipients} recipients each, medians")
    for name, each in (("channel, four connections", ours), ("send_message, one by one", peer)):
        print(f"  {name}: {each.rate:7.0f} mails/s, {each.cpu:.2f} ms CPU each")
    ratio = ours.rate / peer.rate
    print(
        f"  rate {ratio:.1f} times (at least {TARGET_RATIO:g}), CPU {peer.cpu / ours.cpu:.1f} times less"
    )
    return 0 if ratio >= TARGET_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
