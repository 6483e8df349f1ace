"""Every error the product raises on purpose.

    MonitorError
      ConfigError        problems, each with its place -> exit 2; on reload, keep the old
        QueryError       position inside the query text
      FeedError          one feed, one poll: a reason from a closed list, and whether it may pass by itself
        FetchError       network, time, size, address, status
          HostBusyError    not asked, because the host does not answer other requests -> asked soon
        ParseError       what came back is not a feed
      StreamError        the server cannot be used right now -> back off and carry on
        StreamFullError    out of memory -> stop taking in, let everything downstream drain
        StoreRefusedError  wrong flavour, newer version, held by another process -> exit 1
      MatchBudgetError   an article that takes too long to match -> tried again, then dead letter
      CodecError         a stream entry we cannot read -> dead letter, never a loop
      RefusedError       something that a person asked for and cannot have as it is
        HeldError        another holds the id, or needs what shall go
        UnknownError     there is nothing of that id
      ArchiveError       the archive's database cannot be used right now -> back off and carry on

Expected results are values, not exceptions: a channel returns an `Outcome`.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class MonitorError(Exception):
    """Base of every error raised on purpose."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with the configuration, and where.

    `line` and `column` count from 1; both are 0 when the problem has no place in the file.
    `excerpt` is the offending line of the file; `hint` is the next step, if one is known.
    """

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    excerpt: str = ""


class ConfigError(MonitorError):
    """The configuration cannot be used. Carries every problem found, not only the first."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Keep the problems in the order of the files."""
        self.problems = problems
        super().__init__("; ".join(f"{p.file}:{p.line}:{p.column}: {p.message}" for p in problems))


class QueryError(ConfigError):
    """A query that cannot be used, with the place in its text.

    `position` counts characters from 0 and may equal the length of the query (something is missing at its end).
    `length` is how many characters the problem covers, at least 1.
    """

    def __init__(self, message: str, position: int, length: int = 1, hint: str = "") -> None:
        """Keep the position, so that a caller can put a caret under it."""
        self.message = message
        self.position = position
        self.length = max(1, length)
        self.hint = hint
        super().__init__((Problem("query", 1, position + 1, message, hint),))


class FeedReason(StrEnum):
    """Why a poll brought nothing. The closed list is a metric label and stands in `monitor status`."""

    TIMEOUT = "timeout"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    RESET = "reset"
    REFUSED_ADDRESS = "refused_address"
    TOO_LARGE = "too_large"
    BAD_RESPONSE = "bad_response"
    REDIRECT = "redirect"
    UNAUTHORIZED = "unauthorized"
    CHALLENGE = "challenge"
    NOT_FOUND = "not_found"
    GONE = "gone"
    RATE_LIMITED = "rate_limited"
    CLIENT_ERROR = "client_error"
    SERVER_ERROR = "server_error"
    NOT_A_FEED = "not_a_feed"
    EMPTY = "empty"
    PARSER_FAILED = "parser_failed"


class FeedError(MonitorError):
    """A poll that brought nothing.

    `retry_after` is what the server asked for, already bounded; `status` is the HTTP status, if one arrived.
    """

    def __init__(
        self,
        reason: FeedReason,
        detail: str,
        *,
        status: int | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        """Keep the reason apart from the sentence, so that metrics stay a closed list."""
        self.reason = reason
        self.detail = detail
        self.status = status
        self.retry_after = retry_after
        super().__init__(f"{reason}: {detail}")


class FetchError(FeedError):
    """The document could not be fetched."""


class HostBusyError(FetchError):
    """The host was not asked, because it does not answer other requests: that says nothing of this document."""


class ParseError(FeedError):
    """The document came, but is not a feed that can be read."""


class MatchBudgetError(MonitorError):
    """Matching an article takes longer than allowed."""

    def __init__(self, article_id: str, seconds: float) -> None:
        """Name the article and the limit, in seconds."""
        super().__init__(
            f"matching article '{article_id}' takes longer than {seconds:g} s; "
            "look for rules with many wildcards or wide NEARs, or allow more time"
        )


class StreamError(MonitorError):
    """The server cannot be used right now; the caller backs off and tries again."""


class StreamFullError(StreamError):
    """The server refuses writes for lack of memory; intake stops until what is downstream has drained."""


class StoreRefusedError(StreamError):
    """The store must not be opened as asked; waiting will not help."""


class CodecError(MonitorError):
    """An entry that cannot be read: unknown version, or not what its version says."""


class ArchiveError(MonitorError):
    """The archive's database cannot be used right now; the flow goes on without it."""


class RefusedError(MonitorError):
    """What somebody asked for cannot be had as it is; `field` leads to what is wrong in it, if something is."""

    def __init__(self, message: str, field: str = "") -> None:
        """Say why, and what to do."""
        self.field = field
        super().__init__(message)


class HeldError(RefusedError):
    """Something else holds the id, or refers to what shall be removed."""


class UnknownError(RefusedError):
    """There is nothing of that id."""
