"""How things end: the closed lists of reasons, and the values a channel answers with."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Verdict(StrEnum):
    """What one attempt came to."""

    DELIVERED = "delivered"
    RETRY_LATER = "retry_later"
    REJECTED = "rejected"


class DeliveryReason(StrEnum):
    """Why an attempt failed or a delivery was given up. A metric label, stored on every attempt."""

    TIMEOUT = "timeout"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    RESET = "reset"
    REFUSED_ADDRESS = "refused_address"
    BAD_RESPONSE = "bad_response"
    REDIRECT = "redirect"
    RATE_LIMITED = "rate_limited"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not_found"
    GONE = "gone"
    PAYLOAD_REFUSED = "payload_refused"
    ADDRESS_REFUSED = "address_refused"
    CONTENT_REFUSED = "content_refused"
    NO_CONSENT = "no_consent"  # the receiver was asked, and does not want what we send
    CLIENT_ERROR = "client_error"
    SERVER_ERROR = "server_error"
    GAVE_UP = "gave_up"
    NOT_READY = "not_ready"  # what the target needs of this machine, such as a secret, is not there
    TARGET_REMOVED = "target_removed"
    EXPIRED = "expired"  # news for too long ago to be told by itself
    SILENCED = "silenced"  # a silence came into force while it waited
    UNSUBSCRIBED = "unsubscribed"
    CRASHED = "crashed"


class HoldReason(StrEnum):
    """Why an alert is not told at once but with others, later."""

    GROUP = "group"  # the route gathers what belongs together
    DIGEST = "digest"  # the subscriber wants a digest each hour or day
    QUIET_HOURS = "quiet_hours"
    ALLOWANCE = "allowance"  # the subscriber has had its fill for this hour
    CATCH_UP = "catch_up"  # too much had gathered for the target to be told one by one


class Suppression(StrEnum):
    """Why something that was seen alerted nobody. A metric label; nothing is dropped without one."""

    BASELINE = "baseline"  # stood in the first document of a feed
    LATE = "late"  # older than everything known, slid back into the window of a feed
    NO_RULE = "no_rule"  # no rule matched
    SHADOW = "shadow"  # the rule is tried: it matches, and tells nobody
    NO_ROUTE = "no_route"  # matched, but no route leads anywhere
    SILENCED = "silenced"  # a silence, which somebody made, keeps it back
    INHIBITED = "inhibited"  # another match, not long ago, said more
    MUTED = "muted"  # the route tells nobody at this time
    UNSUBSCRIBED = "unsubscribed"  # the reader of this target wants no more
    NO_TARGET = "no_target"  # routed to a subscriber none of whose targets is switched on
    ALREADY_TOLD = "already_told"  # this target was told of this article for this rule
    OLD_EDIT = "old_edit"  # an edit of an article older than the memory of what was told


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The receiver has it. With a `pace` it takes one in that time from now on, on average; 0: any number."""

    status: int | None = None
    response: str = ""
    pace: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryLater:
    """Not now; `after` is what the receiver asked for, if it did.

    `lane` says that the wait concerns everything for this target and not only this delivery (429, 503).
    """

    reason: DeliveryReason
    detail: str = ""
    after: timedelta | None = None
    lane: bool = False
    status: int | None = None
    response: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Never: trying again cannot help until someone changes something.

    `target` says that this concerns the target and not the message: nothing will ever arrive there.
    """

    reason: DeliveryReason
    detail: str = ""
    target: bool = False
    status: int | None = None
    response: str = ""


Outcome = Delivered | RetryLater | Rejected
