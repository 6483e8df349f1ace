"""What can be made by the API beside what stands in files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta, Struct

from monitor.core.access import Scope
from monitor.core.made import Made, Origin
from monitor.core.model import Severity
from monitor.web.api.operation import ApiProblem, Asked, Nothing, Operation
from monitor.web.api.operations import Operations, QueryText
from monitor.web.api.shapes import FeedShape, RuleShape, SubscriberShape

_NAME = {"name": "The name of a subscriber."}
_SHORT = Meta(min_length=1, max_length=1000)
_LONG = Meta(min_length=1, max_length=100_000)
ShortText = Annotated[str, _SHORT]
LongText = Annotated[str, _LONG]


class ExampleBody(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An article to try a rule on; a text alone is a title."""

    title: ShortText | None = None
    summary: LongText | None = None
    body: LongText | None = None
    lang: ShortText | None = None
    feed: ShortText | None = None
    country: ShortText | None = None
    category: ShortText | None = None


Examples = Annotated[list[ShortText | ExampleBody], Meta(max_length=1000)]


class ExamplesBody(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Articles that the rule must and must not find."""

    match: Examples = []
    no_match: Examples = []


class RuleBody(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A rule, in the words of `rules.yaml`. `expires` is a date or an instant with its zone."""

    query: QueryText
    name: ShortText | None = None
    owner: ShortText | None = None
    severity: Severity = Severity.INFO
    labels: Annotated[dict[str, ShortText], Meta(max_length=100)] = {}
    expires: ShortText | None = None
    shadow: bool = False
    examples: ExamplesBody | None = None


class FeedBody(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A feed, in the words of `feeds.yaml`; `url` may be that of a page that links to one feed."""

    url: ShortText
    name: ShortText | None = None
    every: ShortText | None = None
    hints: ShortText | None = None
    limits: ShortText | None = None
    full_text: ShortText | None = None
    since: ShortText | None = None
    lang: ShortText | None = None
    country: ShortText | None = None
    category: ShortText | None = None
    labels: Annotated[dict[str, ShortText], Meta(max_length=100)] = {}


class SubscriberBody(Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A subscriber, in the words of `subscribers.yaml`, with the route that leads to it.

    Of this machine it can name secrets that were laid out for it: files as `secrets/NAME`, and variables that begin
    with `MONITOR_SECRET_`.
    """

    route: Annotated[
        dict[str, Any],
        Meta(description="Which matches it is told of, as a route has it; `{}` is all of them."),
    ]
    targets: Annotated[list[dict[str, Any]], Meta(max_length=100)] = []
    enabled: bool = True
    timezone: ShortText | None = None
    schedule: ShortText | None = None
    quiet_hours: Any = None
    break_through: ShortText | None = None
    budget: int | None = None


class RuleDesk(Protocol):
    """Makes, changes and removes rules, or raises `RefusedError` or `QueryError` and changes nothing."""

    async def get(self, rule_id: str) -> Made | None:
        """Return the rule that was made under this id."""
        ...

    async def put(self, rule_id: str, made: Made) -> None:
        """Write a rule, new or instead of the one there is. It is in force when this returns."""
        ...

    async def remove(self, rule_id: str) -> None:
        """Remove a rule."""
        ...


class FeedDesk(Protocol):
    """Adds, changes and removes feeds, or raises `RefusedError` and changes nothing.

    `values` are the texts of `feeds.yaml` by their keys, labels as `label:NAME`.
    """

    async def add(self, values: Mapping[str, str]) -> str:
        """Add the feed at `values["url"]` with one request; return its id."""
        ...

    async def put(self, feed_id: str, values: Mapping[str, str]) -> None:
        """Add the feed of this id, or change the one that was added. It is known when this returns."""
        ...

    async def remove(self, feed_id: str) -> None:
        """Poll a feed no more."""
        ...


class SubscriberDesk(Protocol):
    """Adds, changes and removes subscribers, or raises `RefusedError` and changes nothing."""

    async def get(self, name: str) -> Made | None:
        """Return the subscriber that was added under this name."""
        ...

    async def text(self, name: str) -> str:
        """Return what `write` would take for the subscriber as it is; nothing where there is none."""
        ...

    async def put(self, name: str, made: Made) -> None:
        """Write a subscriber, new or instead of the one there is. It is told from when this returns."""
        ...

    async def write(self, name: str, text: str) -> None:
        """Do as `put`, with settings as a file has them."""
        ...

    async def remove(self, name: str) -> None:
        """Tell a subscriber nothing more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """Everything that can be made, over these desks."""

    operations: Operations
    rules: RuleDesk
    feeds: FeedDesk
    subscribers: SubscriberDesk

    def all(self) -> tuple[Operation, ...]:
        """Return every operation, for the router and for the document."""
        read, write, admin = Scope
        return (
            Operation(
                method="GET",
                path="/api/rules/{id}",
                name="showRule",
                summary="One rule; with its settings if it was made by the API or on the page.",
                scope=read,
                answer=RuleShape,
                errors=(404,),
                handle=self.show_rule,
            ),
            Operation(
                method="PUT",
                path="/api/rules/{id}",
                name="putRule",
                summary="Make a rule, or replace one that was made; those of files are not touched.",
                scope=write,
                body=RuleBody,
                answer=RuleShape,
                errors=(409,),
                handle=self.put_rule,
            ),
            Operation(
                method="DELETE",
                path="/api/rules/{id}",
                name="removeRule",
                summary="Remove a rule that was made.",
                scope=write,
                status=204,
                errors=(404, 409),
                handle=self.remove_rule,
            ),
            Operation(
                method="PUT",
                path="/api/feeds/{id}",
                name="putFeed",
                summary="Add a feed, or change one that was added; those of files are not touched.",
                scope=write,
                body=FeedBody,
                answer=FeedShape,
                errors=(409,),
                handle=self.put_feed,
            ),
            Operation(
                method="DELETE",
                path="/api/feeds/{id}",
                name="removeFeed",
                summary="Poll a feed no more that was added.",
                scope=write,
                status=204,
                errors=(404, 409),
                handle=self.remove_feed,
            ),
            Operation(
                method="GET",
                path="/api/subscribers/{name}",
                name="showSubscriber",
                summary="One subscriber; with its settings if it was added by the API or on the page.",
                scope=read,
                answer=SubscriberShape,
                errors=(404,),
                path_texts=_NAME,
                handle=self.show_subscriber,
            ),
            Operation(
                method="PUT",
                path="/api/subscribers/{name}",
                name="putSubscriber",
                summary="Add a subscriber, or change one that was added; those of files are not touched.",
                scope=admin,
                body=SubscriberBody,
                answer=SubscriberShape,
                errors=(409,),
                path_texts=_NAME,
                handle=self.put_subscriber,
            ),
            Operation(
                method="DELETE",
                path="/api/subscribers/{name}",
                name="removeSubscriber",
                summary="Tell a subscriber nothing more that was added.",
                scope=admin,
                status=204,
                errors=(404, 409),
                path_texts=_NAME,
                handle=self.remove_subscriber,
            ),
        )

    async def show_rule(self, asked: Asked) -> RuleShape:
        """See `showRule`."""
        wanted = asked.path["id"]
        shape = self.operations.rule(wanted)
        if shape is None:
            raise ApiProblem(404, f"no rule {wanted!r}; `GET /api/rules` lists them")
        made = await self.rules.get(wanted) if shape.origin is Origin.STORE else None
        return msgspec.structs.replace(shape, settings=made.settings if made else None)

    async def put_rule(self, asked: Asked) -> RuleShape:
        """See `putRule`."""
        await self.rules.put(asked.path["id"], Made(settings=_settings(asked.body)))
        return await self.show_rule(asked)

    async def remove_rule(self, asked: Asked) -> Nothing:
        """See `removeRule`."""
        await self.rules.remove(asked.path["id"])
        return Nothing()

    async def put_feed(self, asked: Asked) -> FeedShape:
        """See `putFeed`."""
        await self.feeds.put(asked.path["id"], _texts(asked.body))
        return await self.operations.show_feed(asked)

    async def remove_feed(self, asked: Asked) -> Nothing:
        """See `removeFeed`."""
        await self.feeds.remove(asked.path["id"])
        return Nothing()

    async def show_subscriber(self, asked: Asked) -> SubscriberShape:
        """See `showSubscriber`."""
        wanted = asked.path["name"]
        shape = await self.operations.subscriber(wanted)
        if shape is None:
            raise ApiProblem(404, f"no subscriber {wanted!r}; `GET /api/subscribers` lists them")
        made = await self.subscribers.get(wanted) if shape.origin is Origin.STORE else None
        return msgspec.structs.replace(shape, settings=made.settings if made else None)

    async def put_subscriber(self, asked: Asked) -> SubscriberShape:
        """See `putSubscriber`."""
        await self.subscribers.put(asked.path["name"], Made(settings=_settings(asked.body)))
        return await self.show_subscriber(asked)

    async def remove_subscriber(self, asked: Asked) -> Nothing:
        """See `removeSubscriber`."""
        await self.subscribers.remove(asked.path["name"])
        return Nothing()


def _texts(body: Struct) -> Mapping[str, str]:
    settings = dict(_settings(body))
    labels = settings.pop("labels", {})
    return settings | {f"label:{name}": text for name, text in labels.items()}


def _settings(body: Struct) -> Mapping[str, Any]:
    """Return what was given, in the words of a file; what was not is left to its default."""
    settings: Mapping[str, Any] = msgspec.to_builtins(body)
    return settings
