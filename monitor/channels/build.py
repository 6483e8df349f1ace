"""From a target to the channel that reaches it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from ssl import SSLContext
from types import TracebackType
from typing import Self, TextIO, assert_never

from monitor.channels import discord, mattermost, ntfy, slack, teams, telegram
from monitor.channels.apprise import AppriseChannel, AppriseThreads
from monitor.channels.console import ConsoleChannel
from monitor.channels.email import EmailChannel
from monitor.channels.greeting import greet_relay, look_up
from monitor.channels.handshake import AskingChannel
from monitor.channels.mailpress import MailPress
from monitor.channels.memory import Memory, ProcessMemory
from monitor.channels.post import Json, PostChannel, Receiver
from monitor.channels.slackbot import SlackBotChannel, Thread
from monitor.channels.smtp import SmtpPool
from monitor.channels.unready import UnreadyChannel
from monitor.channels.webhook import WebhookChannel
from monitor.channels.wire import TimeLimits, Wire
from monitor.core.consent import Consent
from monitor.core.links import Linker
from monitor.core.outcome import Delivered, DeliveryReason, Outcome, RetryLater
from monitor.core.render import Message, blocks, text_only
from monitor.core.render.discord import discord as discord_embed
from monitor.core.render.discord import discord_plain
from monitor.core.render.mattermost import mattermost as mattermost_post
from monitor.core.render.mattermost import mattermost_plain
from monitor.core.render.ntfy import ntfy as ntfy_message
from monitor.core.render.ntfy import ntfy_plain
from monitor.core.render.teams import teams as teams_card
from monitor.core.render.teams import teams_plain
from monitor.core.render.telegram import telegram as telegram_message
from monitor.core.render.telegram import telegram_plain
from monitor.core.render.template import Composer
from monitor.core.targets import (
    AppriseTarget,
    ConsoleTarget,
    DiscordTarget,
    EmailTarget,
    MattermostTarget,
    NtfyTarget,
    SlackBotTarget,
    SlackTarget,
    SmtpRelay,
    Target,
    TeamsTarget,
    TelegramTarget,
    UnreadyTarget,
    WebhookTarget,
)
from monitor.net import AddressGuard
from monitor.ports import Channel

# No attempt of any channel takes longer; a lease on a delivery must.
LONGEST_ATTEMPT = timedelta(seconds=45)
USUAL_LIMITS = TimeLimits()


class ChannelBuilder:
    """Builds channels and holds the connections that they share. Use it with `async with`."""

    def __init__(
        self,
        *,
        allow: Sequence[IPv4Network | IPv6Network] = (),
        user_agent: str,
        allow_http: bool = False,
        console: TextIO | None = None,
        limits: TimeLimits = USUAL_LIMITS,
        tls: SSLContext | None = None,
        linker: Linker | None = None,
        threads: Memory[Thread] | None = None,
        consents: Memory[Consent] | None = None,
    ) -> None:
        """Take the networks that may be reached although they are not public.

        Plain http is spoken with addresses in them only, unless `allow_http`; https with every public one too.
        `tls` replaces the trust in the usual certificate authorities. Without a `linker` messages have no links to act
        on; without `threads` and `consents` those are forgotten when the process ends.
        """
        self._linker = linker
        self._threads: Memory[Thread] = threads or ProcessMemory()
        self._consents: Memory[Consent] = consents or ProcessMemory()
        self._press = MailPress()
        self._apprise = AppriseThreads()
        self._console = console
        self._guard = AddressGuard(allow)
        self._plain_guard = AddressGuard(allow, listed_only=not allow_http)
        guards = {"https": self._guard, "http": self._plain_guard}
        self._wire = Wire(guards, user_agent=user_agent, limits=limits, tls=tls)
        self._pools: dict[SmtpRelay, SmtpPool] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._wire.close()
        for pool in self._pools.values():
            await pool.close()
        self._apprise.close()

    def build(self, target: Target) -> Channel:  # noqa: PLR0911 - one for each kind
        """Return the channel for a target.

        Raise `ValueError` for a secret, an address or a template that cannot be used.
        """
        if isinstance(target, UnreadyTarget):
            return UnreadyChannel(target.why)
        composer = Composer(target, self._linker)
        match target:
            case ConsoleTarget():
                return ConsoleChannel(self._console, composer=composer)
            case EmailTarget():
                return EmailChannel(target, self._pool(target.smtp), composer, self._press)
            case WebhookTarget():
                channel = WebhookChannel(target, self._wire, composer)
                asks = bool(target.origin)
                return (
                    AskingChannel(channel, target, self._wire, self._consents) if asks else channel
                )
            case SlackBotTarget():
                return SlackBotChannel(target, self._wire, composer, self._threads)
            case AppriseTarget():
                return AppriseChannel(target, composer, self._apprise)
            case _:
                receiver, full, plain = _posted(target)
                return PostChannel(self._wire, receiver, composer, full, plain)

    async def greet(self, target: Target, now: datetime) -> Outcome:
        """Find out whether a target can be reached, and send nothing that anybody would see.

        A relay is logged in to, the token of a bot is tried; of any other address the name is looked up.
        """
        match target:
            case EmailTarget():
                return await greet_relay(self._pool(target.smtp))
            case SlackBotTarget():
                channel = SlackBotChannel(target, self._wire, Composer(target), self._threads)
                return await channel.greet(now)
            case ConsoleTarget() | AppriseTarget():
                return Delivered()
            case UnreadyTarget():
                return RetryLater(reason=DeliveryReason.NOT_READY, detail=target.why)
            case WebhookTarget():
                return await look_up(target.url, self._guard_of(target.url))
            case _:
                url = _posted(target)[0].url
                return await look_up(url, self._guard_of(url))

    def _guard_of(self, url: str) -> AddressGuard:
        return self._guard if url.lower().startswith("https:") else self._plain_guard

    def _pool(self, relay: SmtpRelay) -> SmtpPool:
        return self._pools.setdefault(relay, SmtpPool(relay))


Posted = SlackTarget | TeamsTarget | DiscordTarget | MattermostTarget | TelegramTarget | NtfyTarget
Rendering = Callable[[Message], Json]


def _posted(target: Posted) -> tuple[Receiver, Rendering, Rendering]:
    """Return where the messages of a target go, and how they are written, in full and in plain text."""
    match target:
        case SlackTarget():
            return slack.receiver(target), blocks, text_only
        case TeamsTarget():
            return teams.receiver(target), teams_card, teams_plain
        case DiscordTarget():
            return discord.receiver(target), discord_embed, discord_plain
        case MattermostTarget():
            return mattermost.receiver(target), mattermost_post, mattermost_plain
        case TelegramTarget():
            return telegram.receiver(target), telegram_message, telegram_plain
        case NtfyTarget():
            return ntfy.receiver(target), ntfy_message, ntfy_plain
        case _:
            assert_never(target)
