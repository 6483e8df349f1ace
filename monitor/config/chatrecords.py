"""Makes the records of targets that are one request, with their secrets."""

from monitor.config.secrets import (
    SecretSource,
    check_apprise_address,
    check_token,
    check_topic,
    check_web_address,
)
from monitor.config.subscriberschema import SlackSettings, TargetSettings
from monitor.core.targets import (
    AppriseTarget,
    DiscordTarget,
    MattermostTarget,
    NtfyTarget,
    SlackBotTarget,
    SlackTarget,
    Target,
    TeamsTarget,
    TelegramTarget,
)

_WEBHOOKS = (
    ("teams", TeamsTarget),
    ("discord", DiscordTarget),
    ("mattermost", MattermostTarget),
)


def chat_target(
    where: str, subscriber: str, settings: TargetSettings, secrets: SecretSource
) -> Target | None:
    """Make the target with the id `where`, if it is of such a kind; raise `WrongValueError` for a bad secret."""
    for kind, record in _WEBHOOKS:
        given = getattr(settings, kind)
        if given:
            url = secrets.require(given, "webhook_url", check_web_address)
            return record(id=where, subscriber=subscriber, webhook_url=url)
    if settings.slack:
        return _slack(where, subscriber, settings.slack, secrets)
    if settings.telegram:
        token = secrets.require(settings.telegram, "token", check_token)
        chat, api = settings.telegram.chat, settings.telegram.api
        return TelegramTarget(id=where, subscriber=subscriber, token=token, chat=chat, api=api)
    if settings.ntfy:
        return NtfyTarget(
            id=where,
            subscriber=subscriber,
            topic=secrets.require(settings.ntfy, "topic", check_topic),
            url=settings.ntfy.url,
            token=secrets.get(settings.ntfy, "token", check_token),
        )
    if settings.apprise:
        url = secrets.require(settings.apprise, "url", check_apprise_address)
        return AppriseTarget(id=where, subscriber=subscriber, url=url)
    return None


def _slack(where: str, subscriber: str, settings: SlackSettings, secrets: SecretSource) -> Target:
    token = secrets.get(settings, "token", check_token)
    if token is None:
        url = secrets.require(settings, "webhook_url", check_web_address)
        return SlackTarget(id=where, subscriber=subscriber, webhook_url=url)
    channel = settings.channel or ""
    return SlackBotTarget(
        id=where, subscriber=subscriber, token=token, channel=channel, api=settings.api
    )
