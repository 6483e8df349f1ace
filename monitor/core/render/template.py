"""What an operator's template makes of a message, or what is wrong with it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError

from monitor.core.links import NO_LINKS, Linker, Links
from monitor.core.model import Delivery
from monitor.core.render.clean import line, whole
from monitor.core.render.message import Message, Parts, message
from monitor.core.render.sandbox import Format, Purse, Sandbox, purse
from monitor.core.render.view import AlertView, Piece
from monitor.core.targets import (
    AppriseTarget,
    ConsoleTarget,
    DiscordTarget,
    EmailTarget,
    MattermostTarget,
    NtfyTarget,
    SlackBotTarget,
    SlackTarget,
    Target,
    TeamsTarget,
    TelegramTarget,
    Template,
    WebhookTarget,
)

LONGEST_SOURCE = 100_000
_SUBJECT_LIMIT = 200
# What a template of an operator may do wrong while it runs; anything else is a defect of ours.
_FAILURES = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Part:
    """What a part of a template writes, and how long that may be."""

    format: Format
    limit: int = 100_000


_SLACK = {"subject": Part(Format.LINE), "text": Part(Format.SLACK, 3000), "body": Part(Format.JSON)}
_CARD = {"subject": Part(Format.LINE), "text": Part(Format.TEXT, 8000), "body": Part(Format.JSON)}
PARTS: Mapping[type[Target], Mapping[str, Part]] = {
    ConsoleTarget: {"text": Part(Format.TEXT)},
    SlackTarget: _SLACK,
    SlackBotTarget: _SLACK,
    EmailTarget: {
        "subject": Part(Format.LINE),
        "text": Part(Format.TEXT),
        "body": Part(Format.HTML),
    },
    WebhookTarget: {"body": Part(Format.JSON)},
    TeamsTarget: _CARD,
    DiscordTarget: {
        "subject": Part(Format.LINE),
        "text": Part(Format.MARKDOWN, 4096),
        "body": Part(Format.JSON),
    },
    TelegramTarget: {"text": Part(Format.HTML, 4096)},
    NtfyTarget: {"subject": Part(Format.LINE), "text": Part(Format.TEXT, 4000)},
    MattermostTarget: {"text": Part(Format.MARKDOWN, 12_000), "body": Part(Format.JSON)},
    AppriseTarget: {"subject": Part(Format.LINE), "text": Part(Format.TEXT, 8000)},
}
"""Which parts a template can have for each kind of target."""


class TemplateProblemError(ValueError):
    """What is wrong with a template, and in which line of it, from 1; 0: nowhere in particular."""

    def __init__(self, message: str, line_number: int = 0) -> None:
        self.message = message
        self.line = line_number
        super().__init__(f"line {line_number}: {message}" if line_number else message)


class CompiledPart:
    """One part of a template, ready to be rendered."""

    def __init__(self, source: str, part: Part) -> None:
        """Compile; raise `TemplateProblemError` for what is no template."""
        self._part = part
        if len(source) > LONGEST_SOURCE:
            raise TemplateProblemError(f"the template has more than {LONGEST_SOURCE:,} characters")
        try:
            self._template = Sandbox(part.format).from_string(source)
        except TemplateSyntaxError as error:
            raise TemplateProblemError(error.message or "not a template", error.lineno) from error
        except (TemplateError, RecursionError, SyntaxError, ValueError) as error:
            raise TemplateProblemError(f"not a template: {type(error).__name__}") from error

    def render(self, told: Message) -> str:
        """Return what the template makes of a message, or raise `TemplateProblemError`."""
        token = purse.set(Purse())
        try:
            text = self._written(told)
        except _FAILURES as error:
            raise TemplateProblemError(_words(error), _line_of(error)) from error
        finally:
            purse.reset(token)
        if len(text) > self._part.limit:
            limit = f"{self._part.limit:,}"
            raise TemplateProblemError(f"it writes more than the {limit} characters that fit")
        return self._checked(whole(text))

    def _written(self, told: Message) -> str:
        """Write until the end, or until it is too much."""
        text: list[str] = []
        room = self._part.limit
        for chunk in self._template.generate(variables(told)):
            text.append(chunk)
            room -= len(chunk)
            if room < 0:
                break
        return "".join(text)

    def _checked(self, text: str) -> str:
        if self._part.format is Format.LINE:
            text = line(text, _SUBJECT_LIMIT)
        if not text.strip():
            raise TemplateProblemError("it writes nothing")
        if self._part.format is Format.JSON:
            try:
                value = json.loads(text)
            except (ValueError, RecursionError) as error:
                where = getattr(error, "lineno", 0)
                said = f"what it writes is no JSON: {getattr(error, 'msg', 'nested too deep')}"
                raise TemplateProblemError(f"{said} in line {where} of the result") from error
            if not isinstance(value, dict):
                raise TemplateProblemError("what it writes is no JSON object")
        return text


class Composer:
    """Puts deliveries for one target into words: ours, or where there is a template the operator's."""

    def __init__(self, target: Target, linker: Linker | None = None) -> None:
        """Compile the template; raise `TemplateProblemError`, a `ValueError`, for one that is wrong."""
        self._linker = linker
        self._zone = target.zone
        self._parts = dict(compiled(target.template, PARTS[type(target)]))

    @property
    def has_template(self) -> bool:
        """Whether any part is the operator's."""
        return bool(self._parts)

    def links(self, delivery: Delivery) -> Links:
        """Return the links of the message, without the rest of it."""
        return self._linker.links(delivery) if self._linker else NO_LINKS

    def compose(self, delivery: Delivery) -> Message:
        """Return the message; a template that fails costs its own part, and `failed` says so."""
        told = message(delivery, self.links(delivery), self._zone)
        if not self._parts:
            return told
        said: dict[str, str] = {}
        failed: list[str] = []
        for name, part in self._parts.items():
            try:
                said[name] = part.render(told)
            except TemplateProblemError as error:
                failed.append(f"{name}: {error}")
        return replace(told, parts=Parts(**said), failed="; ".join(failed))


def compiled(template: Template, known: Mapping[str, Part]) -> Mapping[str, CompiledPart]:
    """Compile the parts that are there."""
    sources = {"subject": template.subject, "text": template.text, "body": template.body}
    return {
        name: CompiledPart(source, known[name])
        for name, source in sources.items()
        if source and name in known
    }


def variables(told: Message) -> dict[str, Any]:
    """Return what a template can use, as plain values; docs/how-to/templates.md describes each."""
    links = told.links
    return {
        "alert": _alert(told.first),
        "stories": [_alert(shown) for shown in told.stories],
        "count": told.count,
        "left_out": told.left_out,
        "because": told.because,
        "is_digest": told.is_digest,
        "severity": told.severity.value,
        "heading": told.heading,
        "target": told.target,
        "subscriber": told.subscriber,
        "id": told.id,
        "number": told.number,
        "links": {
            "open": links.open,
            "snooze_story": links.snooze_story,
            "snooze_rule": links.snooze_rule,
            "digest": links.digest,
            "unsubscribe": links.unsubscribe,
        },
    }


def _alert(shown: AlertView) -> dict[str, Any]:
    return {
        "title": shown.heading,
        "title_pieces": _pieces(shown.title),
        "excerpt": shown.excerpt,
        "excerpt_pieces": _pieces(shown.snippet),
        "url": shown.url,
        "source": shown.source,
        "feed": shown.feed,
        "lang": shown.lang,
        "published_at": shown.published_at,
        "seen_at": shown.seen_at,
        "severity": shown.severity.value,
        "edited": shown.edited,
        "changes": [{"sign": each.sign, "text": each.text} for each in shown.changes],
        "also": list(shown.also),
        "rules": [{"id": r.id, "name": r.name, "words": list(r.words)} for r in shown.rules],
        "rules_left_out": shown.rules_left_out,
    }


def _pieces(pieces: tuple[Piece, ...]) -> list[dict[str, Any]]:
    return [{"text": piece.text, "found": piece.found} for piece in pieces]


def _words(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "macros call each other without end"
    return line(str(error), 200) or type(error).__name__


def _line_of(error: BaseException) -> int:
    """Find the line of the template that was being rendered; the library writes it into the traceback."""
    found, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            found = trace.tb_lineno
        trace = trace.tb_next
    return found
