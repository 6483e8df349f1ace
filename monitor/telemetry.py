"""Logging set-up, context binding, and every metric the product exposes."""

import json
import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import msgspec
import structlog
from ahocorasick_rs import AhoCorasick
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from structlog.typing import EventDict

LogFormat = Literal["auto", "json", "console"]

_HIDDEN = "***"
_SHORTEST_SECRET = 6  # shorter ones would blank out ordinary words
_LATENCY_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 21600, 86400)
_SHARES = (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)


class Redactor:
    """A last structlog processor, after rendering, that blanks out known secrets wherever they stand in a line.

    Secrets have a type that hides them; this is the second line, for a secret inside somebody else's error text.
    """

    def __init__(self) -> None:
        """Start with nothing to hide."""
        self.hide(())

    def hide(self, secrets: Iterable[str]) -> None:
        """Hide these from now on, as they are and as JSON writes them, instead of those given before."""
        known = {_encodable(secret) for secret in secrets if len(secret) >= _SHORTEST_SECRET}
        self._secrets = AhoCorasick(
            known | {msgspec.json.encode(one).decode()[1:-1] for one in known}
        )

    def __call__(self, _logger: object, _method: str, line: Any) -> str:
        """Blank out in the rendered line."""
        return self.clean(str(line))

    def clean(self, text: str) -> str:
        """Return `text` without secrets; of those that overlap nothing is left."""
        text = _encodable(text)
        found = self._secrets.find_matches_as_indexes(text, overlapping=True)
        if not found:
            return text
        kept, shown_to = [], 0
        for start, end in _stretches(found):
            kept += [text[shown_to:start], _HIDDEN]
            shown_to = end
        return "".join([*kept, text[shown_to:]])


def _encodable(text: str) -> str:
    """Return `text` with lone surrogates, which cannot be searched for, written as escapes."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _stretches(found: Iterable[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Join matches (number, start, end) where they overlap, and return starts and ends in order."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted((start, end) for _, start, end in found):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def configure_logging(
    level: str = "info", style: LogFormat = "auto", stream: TextIO | None = None
) -> Redactor:
    """Send structlog and the standard library's log to `stream` (stderr), as JSON or for a terminal.

    `auto` is a terminal's form on a terminal and JSON elsewhere.
    """
    out = stream or sys.stderr
    pretty = style == "console" or (style == "auto" and out.isatty())
    redactor = Redactor()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False) if pretty else _stamped,
    ]
    if pretty:
        final: list[structlog.typing.Processor] = [
            structlog.dev.ConsoleRenderer(
                colors=out.isatty(),
                pad_event_to=20,
                sort_keys=False,
                exception_formatter=structlog.dev.plain_traceback,
            ),
            redactor,
        ]
    else:
        final = [
            structlog.processors.format_exc_info,  # no local variables: they may hold secrets
            structlog.processors.JSONRenderer(serializer=_as_json),
            redactor,
        ]
    numeric = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, *final],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(numeric, logging.WARNING))
    return redactor


def _stamped(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Say when, as RFC 3339 has it; structlog's own takes six times as long."""
    event["timestamp"] = msgspec.to_builtins(datetime.now(UTC))
    return event


def _as_json(event: EventDict, **_: object) -> str:
    """Write a line as JSON, what JSON does not know by its `repr`.

    A line costs 1 µs so, and 8 by the standard library, which writes what is no Unicode too.
    """
    try:
        return msgspec.json.encode(event, enc_hook=repr).decode()
    except (UnicodeEncodeError, TypeError, RecursionError):
        return json.dumps(event, default=repr, skipkeys=True)


class Metrics:
    """Every metric, in a registry of its own, so that two programs in one process do not share counts."""

    def __init__(self) -> None:
        """Define them all; `docs/reference/metrics.md` says what each means."""
        self.registry = CollectorRegistry()
        counter, gauge, histogram = self._counter, self._gauge, self._histogram
        self.polls = counter("polls", "Polls that ended, by what came of them.", "result")
        self.articles = counter("articles", "Articles taken in, by kind.", "kind")
        self.full_text = counter(
            "full_text", "Pages of articles that were to be read, by what came of them.", "outcome"
        )
        self.overlap = Histogram(
            "monitor_feed_overlap_ratio",
            "The part of a document that was known, at each poll.",
            registry=self.registry,
            buckets=_SHARES,
        )
        self.windows_missed = counter(
            "feed_windows_missed", "Polls that knew nothing they found: articles may be missing."
        )
        self.feed_notices = counter(
            "feed_notices", "What operators were told of feeds, by what it was.", "what"
        )
        self.rule_bursts = counter(
            "rule_bursts", "Notices that a rule found far more than it usually does."
        )
        self.hub_pushes = counter("hub_pushes", "Documents that hubs pushed, by result.", "result")
        self.matches = counter("matches", "Matches found, by severity.", "severity")
        self.suppressed = counter("suppressed", "What alerted nobody, by reason.", "reason")
        self.held = counter("held", "Alerts kept back to be told with others, by reason.", "reason")
        self.attempts = counter(
            "delivery_attempts",
            "Attempts at deliveries, by what came of them.",
            "channel",
            "verdict",
            "reason",
        )
        self.target_turns = counter(
            "target_turns", "Times that targets changed their status.", "channel", "status"
        )
        self.failures = counter("service_failures", "Turns of a service that failed.", "service")
        self.poll_seconds = histogram("poll_seconds", "A poll from request to record.")
        self.published_to_seen = histogram(
            "published_to_seen_seconds",
            "From the time a feed states to our poll, where it states one.",
        )
        self.canary = histogram(
            "canary_seconds",
            "From the publication of an article of our own to where subscribers would be told.",
        )
        self.seen_to_matched = histogram("seen_to_matched_seconds", "From the poll to the match.")
        self.seen_to_delivered = histogram(
            "seen_to_delivered_seconds", "From the poll to a delivery."
        )
        self.log_entries = gauge("log_entries", "Entries waiting in an internal log.", "log")
        self.log_pending = gauge("log_pending_entries", "Entries handed out and unfinished.", "log")
        self.log_oldest = gauge("log_oldest_seconds", "Age of the oldest entry of a log.", "log")
        self.deliveries = gauge("deliveries", "Deliveries kept, by state.", "state")
        self.oldest_undelivered = gauge(
            "oldest_undelivered_seconds", "Age of the oldest delivery that is under way."
        )
        self.dead_entries = gauge("dead_entries", "Entries buried for a person to look at.")
        self.feeds = gauge("feeds", "Feeds scheduled.")
        self.feeds_due = gauge("feeds_due", "Feeds that are due and not being polled.")
        self.archive_missed = gauge(
            "archive_missed_records", "Records that came while too many waited for the archive."
        )
        self.archive_articles = gauge("archive_articles", "Articles in the archive.")
        self.archive_bytes = gauge("archive_bytes", "Disk that the archive takes.")
        self.store_bytes = gauge("store_memory_bytes", "Memory the server uses for data.")
        self.store_limit = gauge(
            "store_memory_limit_bytes", "Memory the server may use; 0 is no limit."
        )
        self.log_lost = gauge(
            "log_lost_lines",
            "Lines of this process's log that nobody took: a full disk, a pipe unread.",
        )
        self.reload_ok = gauge(
            "config_last_reload_successful", "1 when the newest configuration is in force."
        )
        self.reload_ok.set(1)

    def exposition(self) -> bytes:
        """Return the text that Prometheus scrapes."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"monitor_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"monitor_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(
            f"monitor_{name}", text, labels, registry=self.registry, buckets=_LATENCY_BUCKETS
        )
