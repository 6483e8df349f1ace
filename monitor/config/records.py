"""Turns checked settings into the records of the core. Nothing here can fail but the fetching of a secret."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, timedelta
from hashlib import blake2b
from zoneinfo import ZoneInfo

from monitor.config.chatrecords import chat_target
from monitor.config.schema import (
    ExampleSettings,
    FeedSettings,
    PollSettings,
    RuleSettings,
)
from monitor.config.secrets import SecretSource, check_signing_key
from monitor.config.subscriberschema import (
    EmailSettings,
    SmtpSettings,
    SubscriberSettings,
    TargetSettings,
    WebhookSettings,
)
from monitor.config.values import header
from monitor.core.model import Article, Feed, Rule
from monitor.core.targets import (
    ConsoleTarget,
    EmailTarget,
    SmtpRelay,
    Target,
    WebhookTarget,
)

_SMTP_PORTS = {"none": 25, "starttls": 587, "implicit": 465}


def feed(settings: FeedSettings, poll: PollSettings | None = None) -> Feed:
    """Make the record of a feed; `poll` bounds the interval that is learned."""
    poll = poll or PollSettings()
    return Feed(
        id=settings.id,
        url=settings.url,
        name=settings.name or settings.id,
        every=settings.every if isinstance(settings.every, timedelta) else None,
        shortest=poll.auto_min,
        longest=poll.auto_max,
        obey_hints=settings.hints == "obey",
        limit_scope=settings.limits,
        full_text=settings.full_text,
        since=settings.since,
        lang=settings.lang,
        country=settings.country,
        category=settings.category,
        labels=settings.labels,
    )


def rule(settings: RuleSettings) -> Rule:
    """Make the record of a rule; its version is a digest of the query."""
    return Rule(
        id=settings.id,
        query=settings.query,
        name=settings.name or settings.id,
        version=blake2b(settings.query.encode(), digest_size=6).hexdigest(),
        owner=settings.owner or "",
        severity=settings.severity,
        labels=settings.labels,
        expires_at=settings.expires,
        shadow=settings.shadow,
    )


def example(settings: ExampleSettings, name: str) -> Article:
    """Make the article of an example."""
    return Article(
        id=name,
        title=settings.title or "",
        summary=settings.summary or "",
        body=settings.body or "",
        lang=settings.lang,
        feed_id=settings.feed or "",
        country=settings.country,
        category=settings.category,
    )


def target_id(subscriber: str, settings: TargetSettings) -> str:
    """Return the id of a target, which stands in deliveries, metrics and logs."""
    return f"{subscriber}/{settings.name or settings.kind}"


def target(
    subscriber: SubscriberSettings, settings: TargetSettings, secrets: SecretSource
) -> Target:
    """Make a target with its secrets; raise `WrongValueError` for one that cannot be had or used."""
    made = _made(target_id(subscriber.name, settings), subscriber.name, settings, secrets)
    is_program = settings.webhook is not None
    zone = UTC if is_program or subscriber.timezone == "UTC" else ZoneInfo(subscriber.timezone)
    return replace(made, gap=settings.rate, zone=zone)


def _made(where: str, subscriber: str, settings: TargetSettings, secrets: SecretSource) -> Target:
    if settings.email:
        return _email(where, subscriber, settings.email, secrets)
    if settings.webhook:
        return _webhook(where, subscriber, settings.webhook, secrets)
    chat = chat_target(where, subscriber, settings, secrets)
    return chat or ConsoleTarget(id=where, subscriber=subscriber)


def _email(
    where: str, subscriber: str, settings: EmailSettings, secrets: SecretSource
) -> EmailTarget:
    return EmailTarget(
        id=where,
        subscriber=subscriber,
        to=settings.to,
        sender=settings.sender,
        sender_name=settings.from_name or "",
        smtp=_relay(settings.smtp, secrets),
    )


def _relay(settings: SmtpSettings, secrets: SecretSource) -> SmtpRelay:
    return SmtpRelay(
        host=settings.host,
        port=settings.port or _SMTP_PORTS[settings.tls],
        security=settings.tls,
        username=settings.username,
        password=secrets.get(settings, "password"),
        verify=settings.verify,
    )


def _webhook(
    where: str, subscriber: str, settings: WebhookSettings, secrets: SecretSource
) -> WebhookTarget:
    keys = (
        secrets.get(settings, name, check_signing_key) for name in ("secret", "previous_secret")
    )
    authorization = secrets.get(settings, "authorization", header)
    return WebhookTarget(
        id=where,
        subscriber=subscriber,
        url=settings.url,
        secrets=tuple(key for key in keys if key),
        headers=_headers(settings.headers, authorization.reveal() if authorization else ""),
        ordered=settings.ordered,
        origin=settings.origin or "",
    )


def _headers(plain: Mapping[str, str], authorization: str) -> Mapping[str, str]:
    return {**plain, "authorization": authorization} if authorization else plain
