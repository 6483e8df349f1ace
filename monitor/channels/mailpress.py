"""The part of a mail that all its recipients share, made once: rendering it costs a hundred times what sending does.

The links are each recipient's own. What is kept has holes where they stand, which are filled in for each.
"""

import binascii
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cached_property
from hashlib import blake2b
from html import escape

from monitor.core.links import Links
from monitor.core.model import Delivery
from monitor.core.render import Message, html, short_text, subject, text
from monitor.core.render.clean import line
from monitor.core.render.template import Composer
from monitor.core.stories import story_of

_KEPT = 64  # messages; an alert goes to its recipients within moments
_NAME_LIMIT = 80
_LINE = 76  # characters in a line of quoted-printable (RFC 2045, section 6.7)
_NAMES = tuple(each.name for each in fields(Links))
# No text of an alert can look like this: `visible` has taken controls out of all of them.
_HOLES = {name: f"\x01{number}\x02" for number, name in enumerate(_NAMES)}
_HOLE = re.compile("\x01([0-9])\x02")

Piece = bytes | str  # bytes as they are, or the name of the link that belongs there


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What recipients share of one message: headers, then bodies with holes."""

    head: bytes
    plain: tuple[Piece, ...]
    rich: tuple[Piece, ...]
    boundary: bytes


class Draft:
    """A delivery on its way to be a mail, put into words when somebody needs them."""

    def __init__(self, delivery: Delivery, composer: Composer) -> None:
        """Take its links; they are each recipient's own."""
        self.delivery = delivery
        self.links = composer.links(delivery)
        self._composer = composer

    @property
    def is_shared(self) -> bool:
        """Whether all recipients are told the same, links apart."""
        return not self._composer.has_template

    @cached_property
    def told(self) -> Message:
        """What is said."""
        return self._composer.compose(self.delivery)


class MailPress:
    """Makes the shared part of messages, and keeps the last ones."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._sheets: OrderedDict[bytes, _Sheet] = OrderedDict()

    def printed(self, draft: Draft, domain: str) -> bytes:
        """Return the rest of a message, from its shared headers on."""
        delivery, links = draft.delivery, draft.links
        if not draft.is_shared:
            return _filled(_sheet(delivery, draft.told, domain), links)
        key = _key(delivery, links, domain)
        sheet = self._sheets.get(key)
        if sheet is None:
            blank = Links(**{name: _HOLES[name] if getattr(links, name) else "" for name in _NAMES})
            sheet = _sheet(delivery, replace(draft.told, links=blank), domain)
            self._sheets[key] = sheet
            if len(self._sheets) > _KEPT:
                self._sheets.popitem(last=False)
        else:
            self._sheets.move_to_end(key)
        return _filled(sheet, links)

    def short(self, draft: Draft, domain: str) -> bytes:
        """Return the rest of a message that is as small as it can be: plain text alone."""
        body = b"".join(_encoded(_quoted(short_text(draft.told)), {}))
        return _head(draft.delivery, draft.told, domain) + _PLAIN + body


_PLAIN = (
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
)
_RICH = (
    b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
)


def _sheet(delivery: Delivery, told: Message, domain: str) -> _Sheet:
    plain, rich = told.parts.text or text(told), told.parts.body or html(told)
    return _Sheet(
        head=_head(delivery, told, domain),
        plain=tuple(_quoted(plain)),
        rich=tuple(_quoted(rich)),
        boundary=f"=_{digest_of(plain, rich)}".encode(),
    )


def _filled(sheet: _Sheet, links: Links) -> bytes:
    urls = {name: getattr(links, name) for name in _NAMES}
    mark = b"--" + sheet.boundary
    return b"".join(
        (
            sheet.head,
            b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="',
            sheet.boundary,
            b'"\r\n\r\n',
            mark,
            b"\r\n",
            _PLAIN.partition(b"\r\n")[2],
            *_encoded(sheet.plain, urls),
            b"\r\n" + mark + b"\r\n",
            _RICH,
            *_encoded(sheet.rich, {name: escape(url) for name, url in urls.items()}),
            b"\r\n" + mark + b"--\r\n",
        )
    )


def _head(delivery: Delivery, told: Message, domain: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["Subject"] = told.parts.subject or subject(told)
    message["Date"] = format_datetime(delivery.alert.created_at)
    for name, value in _headers(delivery, domain).items():
        message[name] = value
    return message.as_bytes().removesuffix(b"\r\n")


def _headers(delivery: Delivery, domain: str) -> Mapping[str, str]:
    return {
        **_thread(delivery, domain),
        "List-Id": _list_id(delivery, domain),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }


def _thread(delivery: Delivery, domain: str) -> Mapping[str, str]:
    """Name the thread of the story. Its root was never sent, so that any message may be the first."""
    if delivery.is_digest:
        return {}
    root = f"<story-{digest_of(story_of(delivery.alert.article))}@{domain}>"
    return {"In-Reply-To": root, "References": root}


def _list_id(delivery: Delivery, domain: str) -> str:
    """Name the list after the rule, so that a mail program can sort by it (RFC 2919)."""
    rules = {alert.matches[0].rule_id if alert.matches else "alerts" for alert in delivery.alerts}
    rule = rules.pop() if len(rules) == 1 else "digests"
    label = "".join(c if c.isascii() and c.isalnum() else "-" for c in line(rule, _NAME_LIMIT))
    return f"<{label.strip('-') or digest_of(rule)}.rules.{domain}>"


def _key(delivery: Delivery, links: Links, domain: str) -> bytes:
    said = [(alert.article, alert.matches, alert.created_at) for alert in delivery.alerts]
    present = [bool(getattr(links, name)) for name in _NAMES]
    whole = repr((said, delivery.because, delivery.because_of, present, domain)).encode(
        "utf-8", errors="surrogatepass"
    )
    return blake2b(whole, digest_size=16).digest()


def digest_of(*texts: str) -> str:
    """Make an id of any text fit for a header."""
    said = "\0".join(texts).encode("utf-8", errors="replace")
    return blake2b(said, digest_size=16).hexdigest()


# --- quoted-printable with holes ---


def _quoted(said: str) -> Iterator[Piece]:
    """Encode a text between its holes. A soft line break on either side lets a hole be of any length."""
    at = 0
    for hole in _HOLE.finditer(said):
        yield _soft_end(_quoted_printable(said[at : hole.start()]))
        yield _NAMES[int(hole[1])]
        at = hole.end()
    yield _quoted_printable(said[at:])


def _encoded(pieces: Sequence[Piece] | Iterator[Piece], urls: Mapping[str, str]) -> Iterator[bytes]:
    for piece in pieces:
        yield piece if isinstance(piece, bytes) else _soft_end(_quoted_printable(urls[piece]))


def _quoted_printable(said: str) -> bytes:
    data = said.replace("\r\n", "\n").encode("utf-8", errors="replace")
    return binascii.b2a_qp(data, istext=True).replace(b"\n", b"\r\n")


def _soft_end(encoded: bytes) -> bytes:
    """End with a line break that is none of the text."""
    last = len(encoded) - (encoded.rfind(b"\n") + 1)
    if last < _LINE:
        return encoded + b"=\r\n"
    width = 3 if encoded[-3:-2] == b"=" else 1
    return encoded[:-width] + b"=\r\n" + encoded[-width:] + b"=\r\n"
