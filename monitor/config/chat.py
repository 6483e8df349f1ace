"""Settings of the targets that are one request to a chat program or a push service, and of every target's template."""

from typing import ClassVar

from pydantic import model_validator

from monitor.config.section import Section
from monitor.config.types import ChatId, FilePath, HttpUrl, LongText, Variable
from monitor.config.values import WrongValueError


class TeamsSettings(Section):
    """A workflow of Microsoft Teams: "Post to a channel when a webhook request is received"."""

    SECRETS: ClassVar = {"webhook_url": "required"}

    webhook_url_file: FilePath | None = None
    """A file with the address of the workflow; relative to this directory."""
    webhook_url_env: Variable | None = None
    """An environment variable with the address of the workflow."""


class DiscordSettings(Section):
    """A webhook of a Discord channel."""

    SECRETS: ClassVar = {"webhook_url": "required"}

    webhook_url_file: FilePath | None = None
    """A file with the address of the webhook; relative to this directory."""
    webhook_url_env: Variable | None = None
    """An environment variable with the address of the webhook."""


class MattermostSettings(Section):
    """An incoming webhook of Mattermost."""

    SECRETS: ClassVar = {"webhook_url": "required"}

    webhook_url_file: FilePath | None = None
    """A file with the address of the webhook; relative to this directory."""
    webhook_url_env: Variable | None = None
    """An environment variable with the address of the webhook."""


class TelegramSettings(Section):
    """A chat of Telegram, by a bot that is in it."""

    SECRETS: ClassVar = {"token": "required"}

    chat: ChatId
    """The number of the chat, or `@name` of a public channel."""
    token_file: FilePath | None = None
    """A file with the token of the bot; relative to this directory."""
    token_env: Variable | None = None
    """An environment variable with the token of the bot."""
    api: HttpUrl = "https://api.telegram.org"
    """Where the Bot API is, for a server of your own."""


class NtfySettings(Section):
    """A topic of ntfy."""

    SECRETS: ClassVar = {"topic": "required", "token": "optional"}

    url: HttpUrl = "https://ntfy.sh"
    """The server."""
    topic_file: FilePath | None = None
    """A file with the name of the topic, which is like a password; relative to this directory."""
    topic_env: Variable | None = None
    """An environment variable with the name of the topic."""
    token_file: FilePath | None = None
    """A file with the access token, where the topic needs one."""
    token_env: Variable | None = None
    """An environment variable with the access token."""


class AppriseSettings(Section):
    """Any of the services that Apprise knows, best effort. Needs `pip install 'monitor[apprise]'`."""

    SECRETS: ClassVar = {"url": "required"}

    url_file: FilePath | None = None
    """A file with the address, as Apprise writes it; relative to this directory."""
    url_env: Variable | None = None
    """An environment variable with the address."""


class TemplateSettings(Section):
    """Jinja2 templates for the messages of a target; docs/how-to/templates.md has the variables."""

    subject: LongText | None = None
    """The subject of a mail; the title of a chat message."""
    subject_file: FilePath | None = None
    """A file with that; relative to this directory."""
    text: LongText | None = None
    """The text of a message; the plain part of a mail."""
    text_file: FilePath | None = None
    """A file with that; relative to this directory."""
    body: LongText | None = None
    """The HTML part of a mail; the JSON body of a webhook or a chat message."""
    body_file: FilePath | None = None
    """A file with that; relative to this directory."""

    @model_validator(mode="after")
    def _one_source_for_each_part(self) -> "TemplateSettings":
        for part in ("subject", "text", "body"):
            if getattr(self, part) and getattr(self, f"{part}_file"):
                raise WrongValueError(
                    f"both {part} and {part}_file are given", "keep one", f"{part}_file"
                )
        return self
