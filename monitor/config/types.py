"""The types that settings are made of: how each is checked, and how JSON Schema and the reference describe it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from monitor.config import timevalues, values
from monitor.config.values import WrongValueError
from monitor.core.intervals import Range
from monitor.core.matchers import Matcher
from monitor.core.pace import Schedule
from monitor.core.wording import format_duration

T = TypeVar("T")


def between(
    low: T, high: T, write: Callable[[T], str] = str, *, but: str | None = None
) -> AfterValidator:
    """Return a validator with bounds, both included; `but` is a word that may stand instead."""

    def check(value: Any) -> Any:
        if value == but or low <= value <= high:
            return value
        raise WrongValueError(f"must be between {write(low)} and {write(high)}, not {write(value)}")

    return AfterValidator(check)


def lasting(low: str, high: str, but: str | None = None) -> AfterValidator:
    """Return a validator with bounds on a duration, both included; `but` is a word that may stand instead."""
    return between(values.duration(low), values.duration(high), format_duration, but=but)


def _described(kind: str, **schema: object) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "x-kind": kind, **schema})


Duration = Annotated[
    timedelta,
    PlainValidator(values.duration),
    _described("duration", pattern=f"^{values.DURATION}$"),
]
Rate = Annotated[
    timedelta, PlainValidator(values.rate), _described("rate", pattern=f"^{values.RATE}$")
]
IntervalOrAuto = Annotated[
    timedelta | Literal["auto"],
    PlainValidator(values.interval_or_auto),
    _described("duration or `auto`", pattern=f"^(auto|{values.DURATION})$"),
]
Size = Annotated[
    int,
    PlainValidator(values.size),
    _described("size", pattern=f"^{values.SIZE}$"),
]
Expiry = Annotated[datetime, PlainValidator(values.expiry), _described("date or instant")]
Id = Annotated[str, PlainValidator(values.identifier), _described("id", pattern=f"^{values.ID}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=200_000)]
Query = Annotated[str, StringConstraints(max_length=200_000), _described("query")]
Code = Annotated[str, AfterValidator(values.code)]
HttpUrl = Annotated[
    str, AfterValidator(values.address("http", "https")), _described("http address")
]
StoreUrl = Annotated[
    str,
    AfterValidator(
        values.address(
            *("redis", "rediss", "unix", "redis+cluster"),
            instead="write url_file instead, or set REDIS_URL",
        )
    ),
    _described("server address"),
]
ArchiveUrl = Annotated[
    str,
    AfterValidator(values.address("postgresql", "postgres", instead="write url_file instead")),
    AfterValidator(values.database),
    _described("database address"),
]
Network = Annotated[
    IPv4Network | IPv6Network, PlainValidator(values.network), _described("network")
]
Header = Annotated[str, AfterValidator(values.header)]
HeaderName = Annotated[str, AfterValidator(values.header_name)]
Mailbox = Annotated[str, AfterValidator(values.mailbox), _described("mailbox")]
HostName = Annotated[str, PlainValidator(values.host_name), _described("host name")]
ChatId = Annotated[str, BeforeValidator(values.chat), _described("number or @name")]
Port = Annotated[int, between(1, 65535)]
FilePath = Annotated[str, StringConstraints(min_length=1, max_length=4096), _described("path")]
Variable = Annotated[
    str,
    AfterValidator(values.variable),
    _described("environment variable"),
]

Many = Annotated[tuple[T, ...], Field(strict=False)]
"""A YAML list; strict alone would refuse a list for a tuple."""


class _OrOne:
    """Tells JSON Schema that an element may stand for a list of one."""

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        many = handler(core)
        return {"anyOf": [many["items"], many]}


OneOrMany = Annotated[tuple[T, ...], Field(strict=False), BeforeValidator(values.listed), _OrOne()]
"""A YAML list, or one element instead of a list of one."""

Zone = Annotated[str, AfterValidator(timevalues.zone), _described("time zone")]
ScheduleText = Annotated[
    Schedule, PlainValidator(timevalues.schedule), _described("`immediate`, `hourly`, `daily at …`")
]
Clock = Annotated[int, PlainValidator(timevalues.clock_time), _described("time of day")]
Weekdays = Annotated[
    frozenset[int], PlainValidator(timevalues.weekdays), _described("days of the week")
]
Months = Annotated[Range, PlainValidator(timevalues.months), _described("months")]
DaysOfMonth = Annotated[
    Range, PlainValidator(timevalues.days_of_month), _described("days of the month")
]
Years = Annotated[Range, PlainValidator(timevalues.years), _described("years")]
MatcherText = Annotated[
    tuple[Matcher, ...], PlainValidator(values.matchers), _described("matchers")
]
GroupBy = Annotated[str, AfterValidator(values.common_name), _described("name")]

Names = OneOrMany[Code]
"""One name or several, compared without case."""


def text_as(key: str, section: type) -> BeforeValidator:
    """Return a validator that reads a text as a `section` with only this key."""

    def read(value: object) -> object:
        return {key: value} if isinstance(value, str) else value

    return BeforeValidator(read, json_schema_input_type=str | section)
