"""What a reader does from a message: a page that says what a link would do, and the button that does it.

Programs that look at links for safety get pages and change nothing: only POST acts. The address is the permission: it
is signed, ends, and says for whom it acts; no cookie is involved, so no other site can act in a reader's name.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from monitor.core.links import PATH, BadLinkError, Link, LinkAction, Linker
from monitor.core.localtime import written, zone_name
from monitor.core.pace import Choice
from monitor.core.render import message
from monitor.core.silences import Silence, expired, snooze
from monitor.errors import CodecError
from monitor.ports import Clock, DeliveryLedger, Draft, RecordKind, Registry
from monitor.registry import CHOICES, SILENCES
from monitor.web.linkpage import STYLE, Form, Page, page

ROUTE = f"{PATH}{{token}}"
_SNOOZES = {
    "1h": ("1 hour", timedelta(hours=1)),
    "24h": ("24 hours", timedelta(hours=24)),
    "3d": ("3 days", timedelta(days=3)),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
}
_USUAL_SNOOZE = "24h"
_SCHEDULES = {"hourly": "each hour", "daily at 08:00": "each day at 08:00 {zone}"}
_KEPT_AFTER = timedelta(days=7)  # a snooze that is over, for whoever asks what became of an alert
# What a form has that asks for something; the long one is that of a mail program (RFC 8058).
_FIELDS = {
    LinkAction.OPEN: frozenset[str](),
    LinkAction.SNOOZE_STORY: frozenset(("for", "undo")),
    LinkAction.SNOOZE_RULE: frozenset(("for", "undo")),
    LinkAction.DIGEST: frozenset(("schedule", "undo")),
    LinkAction.UNSUBSCRIBE: frozenset(("do", "undo", "List-Unsubscribe")),
}
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",  # the address is the permission
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LinkPages:
    """The pages behind the links of messages. `zone_of` says where the clocks of whoever reads at a target are."""

    linker: Linker
    registry: Registry
    ledger: DeliveryLedger
    clock: Clock
    zone_of: Callable[[str], tzinfo]

    def add_to(self, app: web.Application) -> None:
        """Serve the pages in an application."""
        app.router.add_get(ROUTE, self.show)
        app.router.add_post(ROUTE, self.act)

    async def show(self, request: web.Request) -> web.Response:
        """Say what the link is for and how things stand."""
        try:
            link = self.linker.read(request.match_info["token"], self.clock.now())
        except BadLinkError as error:
            return _answer(Page(title="This link does not work", text=str(error)), 404)
        return _answer(await self._page(link))

    async def act(self, request: web.Request) -> web.Response:
        """Do it, or undo it. Doing it twice is doing it once."""
        now = self.clock.now()
        try:
            link = self.linker.read(request.match_info["token"], now)
        except BadLinkError as error:
            return _answer(Page(title="This link does not work", text=str(error)), 404)
        form = await _form(request)
        if not form.keys() & _FIELDS[link.action]:
            text = "Open it and press the button." if link.action is not LinkAction.OPEN else ""
            return _answer(Page(title="This link was not asked for what it does", text=text), 400)
        await self._do(link, form, now)
        log.info(
            "link_used",
            action=link.action,
            undone="undo" in form,
            subscriber=link.subscriber,
            target=link.target_id,
            subject=link.subject or None,
        )
        return _answer(await self._page(link))

    async def _do(self, link: Link, form: Mapping[str, str], now: datetime) -> None:
        if link.action in _SNOOZED:
            await self._snooze(link, form, now)
            return
        choice = await self._choice(link)
        undo = "undo" in form
        if link.action is LinkAction.UNSUBSCRIBE:
            schedule, gone = choice.schedule, not undo
        else:
            asked = form.get("schedule", "hourly")
            known = asked if asked in _SCHEDULES else "hourly"
            schedule, gone = "" if undo else known, choice.unsubscribed
        chosen = Choice(
            subscriber=link.subscriber,
            target_id=link.target_id,
            schedule=schedule,
            unsubscribed=gone,
            chosen_at=now,
        )
        if (schedule, gone) != (choice.schedule, choice.unsubscribed):
            draft = Draft(id=link.target_id, value=CHOICES.encode(chosen))
            await self.registry.put(RecordKind.CHOICE, draft, now)

    async def _snooze(self, link: Link, form: Mapping[str, str], now: datetime) -> None:
        if "undo" in form:
            before = await self._silence(link)
            if before is None:
                return
            silence = expired(before, now)
        else:
            _, lasting = _SNOOZES.get(form.get("for", ""), _SNOOZES[_USUAL_SNOOZE])
            silence = _snoozed(link, now, lasting)
        draft = Draft(
            id=silence.id, value=SILENCES.encode(silence), expires_at=silence.ends_at + _KEPT_AFTER
        )
        await self.registry.put(RecordKind.SILENCE, draft, now)

    async def _page(self, link: Link) -> Page:
        match link.action:
            case LinkAction.OPEN:
                return await self._opened(link)
            case LinkAction.SNOOZE_STORY | LinkAction.SNOOZE_RULE:
                return await self._snooze_page(link)
            case LinkAction.DIGEST:
                return _digest_page(link, await self._choice(link), self.zone_of(link.target_id))
            case LinkAction.UNSUBSCRIBE:
                return _unsubscribe_page(link, await self._choice(link))

    async def _opened(self, link: Link) -> Page:
        delivery = await self.ledger.get(link.delivery_id)
        if delivery is None:
            return Page(
                title="This alert is no longer kept",
                text="Its delivery is past the time for which deliveries are kept.",
            )
        links = self.linker.links(delivery)
        told = message(delivery, links, zone=self.zone_of(delivery.target_id))
        title = told.heading if told.is_digest else "Why you got this alert"
        return Page(title=title, message=told, links=links)

    async def _snooze_page(self, link: Link) -> Page:
        what = _SNOOZED[link.action]
        silence = await self._silence(link)
        if silence is not None and silence.status(self.clock.now()) == "active":
            until = silence.ends_at.astimezone(self.zone_of(link.target_id))
            return Page(
                title=f"The {what} is snoozed until {written(until)}",
                name=link.name,
                text=f"{link.subscriber} hears nothing of it until then, on no target.",
                forms=(Form(button="End the snooze", field="undo", value="yes"),),
            )
        choices = tuple((key, label) for key, (label, _) in _SNOOZES.items())
        form = Form(
            button="Snooze", field="for", options=choices, value=_USUAL_SNOOZE, label="For how long"
        )
        return Page(
            title=f"Snooze this {what}?",
            name=link.name,
            text=f"{link.subscriber} will hear nothing of it, on no target.",
            forms=(form,),
        )

    async def _silence(self, link: Link) -> Silence | None:
        now = self.clock.now()
        record = await self.registry.get(RecordKind.SILENCE, _snoozed(link, now, timedelta()).id)
        try:
            return SILENCES.decode(record.value) if record else None
        except CodecError:
            return None

    async def _choice(self, link: Link) -> Choice:
        record = await self.registry.get(RecordKind.CHOICE, link.target_id)
        try:
            if record:
                return CHOICES.decode(record.value)
        except CodecError:
            log.warning("choice_not_read", target=link.target_id)
        return Choice(subscriber=link.subscriber, target_id=link.target_id)


_SNOOZED = {LinkAction.SNOOZE_STORY: "story", LinkAction.SNOOZE_RULE: "rule"}


async def _form(request: web.Request) -> Mapping[str, str]:
    """Read a form; one that cannot be read is empty."""
    try:
        return {name: str(value) for name, value in (await request.post()).items()}
    except (ValueError, LookupError, AssertionError, HttpProcessingError):
        return {}


def _snoozed(link: Link, now: datetime, lasting: timedelta) -> Silence:
    author = f"a link to {link.target_id}"
    return snooze(_SNOOZED[link.action], link.subject, link.subscriber, now, lasting, author)


def _digest_page(link: Link, choice: Choice, zone: tzinfo) -> Page:
    schedules = {each: said.format(zone=zone_name(zone)) for each, said in _SCHEDULES.items()}
    if choice.schedule:
        return Page(
            title=f"{link.target_id} gets a digest {schedules.get(choice.schedule, choice.schedule)}",
            text="What is critical may still come at once.",
            forms=(Form(button="Back to each alert at once", field="undo", value="yes"),),
        )
    form = Form(
        button="Change to a digest",
        field="schedule",
        options=tuple(schedules.items()),
        value="hourly",
        label="How often",
    )
    return Page(
        title=f"One digest for {link.target_id} instead of each alert?",
        text="Alerts are gathered and told in one message. What is critical may still come at once.",
        forms=(form,),
    )


def _unsubscribe_page(link: Link, choice: Choice) -> Page:
    if choice.unsubscribed:
        return Page(
            title=f"{link.target_id} is unsubscribed",
            text="Nothing more is sent there.",
            forms=(Form(button="Subscribe again", field="undo", value="yes"),),
        )
    return Page(
        title=f"Unsubscribe {link.target_id}?",
        text=f"Nothing more will be sent there. Other targets of {link.subscriber} go on.",
        forms=(Form(button="Unsubscribe", field="do", value="yes"),),
    )


def _answer(shown: Page, status: int = 200) -> web.Response:
    return web.Response(text=page(shown), status=status, content_type="text/html", headers=_HEADERS)
