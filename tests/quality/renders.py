"""Fuzzed stories through every renderer: no invalid block, header or way out of a message.

python -m tests.quality.renders --stories 10000
"""

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import Any

from monitor.channels.email import EmailChannel
from monitor.channels.mailpress import Draft, MailPress
from monitor.channels.smtp import SmtpPool
from monitor.core.links import NO_LINKS, Linker
from monitor.core.model import Alert, Article, ArticleKind, Delivery, Match, Severity, Span
from monitor.core.outcome import HoldReason
from monitor.core.render import Message, blocks, html, message, payload, subject, text, text_only
from monitor.core.render.discord import discord
from monitor.core.render.mattermost import POST_LIMIT, mattermost
from monitor.core.render.ntfy import MESSAGE_BYTES, ntfy
from monitor.core.render.teams import REQUEST_BYTES, teams
from monitor.core.render.telegram import telegram
from monitor.core.render.template import Composer
from monitor.core.secret import Secret
from monitor.core.targets import EmailTarget, SmtpRelay
from tests.servers.slack import refuse

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
LINKER = Linker("https://monitor.example", Secret("a key for tests, of 32 characters"))
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "table", "tr", "td", "a", "mark", "div"),
    *("span", "br", "b", "ins", "del", "bdi"),
}
HEADERS = {
    *("from", "to", "message-id", "list-unsubscribe", "list-unsubscribe-post", "subject", "date"),
    *("in-reply-to", "references", "list-id", "auto-submitted", "x-auto-response-suppress"),
    *("mime-version", "content-type"),
}
PIECES = (
    *("talks", "Syria", "Совет", "安理会", "محادثات", "Résolution", "😀", "\u200d", "e\u0301", "字" * 90),
    *("<script>", "</td>", "</style>", "&amp;", "&", '"><img src=x onerror=y>', "]]>", "<!--", "{{ x }}"),
    *("<!channel>", "<@U1>", "<https://evil.example|x>", "@everyone", "@here", "*", "_", "`", "~", "|"),
    *(">", "[x](https://evil.example)", "](", "\\", "%s", "{0}", "\r\n", "\nBcc: a@b.example", "\r\n\r\n"),
    *("\x00", "\x010\x02", "\x1b[31m", "\x85", "\u2028", "\u202e", "\ud800", "\ufeff", "\U000e0041"),
    *("=?utf-8?q?x?=", "=0D=0A", "." * 40, "x" * 900, "&" * 300, "word " * 60, "-- \n", "From x", "\n.\n"),
)  # fmt: skip
URLS = (
    "https://news.example/{}",
    "http://{}/",
    "javascript:{}",
    "https://user:pw@news.example/{}",
    "{}",
    "https://news.example/?q={}&x=(y)",
)


def stories(seed: int) -> Iterator[Delivery]:
    """Yield deliveries of one to forty fuzzed alerts, the same for the same seed."""
    dice = random.Random(seed)  # noqa: S311 - to make texts
    while True:
        many = dice.choice((1, 1, 1, 1, 2, 3, 12, 40))
        yield Delivery(
            id=f"d{dice.random()}",
            target_id=_text(dice, 2),
            alerts=tuple(_alert(dice) for _ in range(many)),
            created_at=NOW,
            due_at=NOW,
            because=dice.choice((None, *HoldReason)),
            because_of=_text(dice, 2),
            seq=dice.randrange(100),
        )


def problems(told: Message) -> list[str]:
    """Return what is wrong with the renderings of a message: the name of each that a receiver would not take."""
    checks: Mapping[str, Callable[[Message], bool]] = {
        "slack": lambda m: refuse(blocks(m, 3)) is None,
        "slack text": lambda m: refuse(text_only(m)) is None,
        "html": lambda m: _tags(html(m)) <= TAGS,
        "subject": lambda m: len(subject(m).splitlines()) == 1 and len(subject(m)) <= 200,
        "text": lambda m: text(m).isprintable() or not set(text(m)) & _CONTROLS,
        "discord": lambda m: _fits_discord(discord(m)),
        "teams": lambda m: len(_json(teams(m))) <= REQUEST_BYTES,
        "telegram": lambda m: 1 <= len(str(telegram(m)["text"])) <= 4096,
        "ntfy": lambda m: 1 <= len(str(ntfy(m)["message"]).encode()) <= MESSAGE_BYTES,
        "mattermost": lambda m: _longest(mattermost(m)) <= POST_LIMIT,
    }
    return [name for name, check in checks.items() if not check(told)]


def mail_problems(told: Delivery) -> list[str]:
    """Return what is wrong with the mail of a delivery."""
    relay = SmtpRelay(host="h", port=25)
    target = EmailTarget(
        id=told.target_id, subscriber="s", to="a@b.example", sender="m@b.example", smtp=relay
    )
    channel = EmailChannel(target, SmtpPool(relay), Composer(target, LINKER), MailPress())
    draft = Draft(told, Composer(target, LINKER))
    found: list[str] = []
    for short in (False, True):
        data = channel.message(draft, short=short)
        read = message_from_bytes(data, policy=policy.default)
        names = [name.lower() for name in read]
        if not set(names) <= HEADERS | {"content-transfer-encoding"} or len(set(names)) != len(
            names
        ):
            found.append(f"headers: {names}")
        if read.defects or any(part.defects for part in read.walk()):
            found.append("defects")
        if any(len(line) > 998 for line in data.split(b"\r\n")) or b"\n" in data.replace(
            b"\r\n", b""
        ):
            found.append("lines")
        if read["To"] != "a@b.example":
            found.append("to")
    return found


_CONTROLS = {chr(code) for code in range(32)} - {"\n"}
_EMBED = 6000


def _fits_discord(said: Mapping[str, Any]) -> bool:
    [embed] = said["embeds"]
    return (
        1 <= len(embed["title"]) <= 256
        and len(embed["description"]) <= 4096
        and _longest(embed) + len(embed["title"]) <= _EMBED
    )


def _longest(value: Any) -> int:
    if isinstance(value, Mapping):
        return max((_longest(each) for each in value.values()), default=0)
    if isinstance(value, list):
        return max((_longest(each) for each in value), default=0)
    return len(str(value))


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


class _Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        bad = {
            name for name, value in attrs if name.startswith("on") or "javascript:" in (value or "")
        }
        self.tags |= {tag, *bad}

    def handle_comment(self, data: str) -> None:
        self.tags.add(f"comment {data}")


def _tags(page: str) -> set[str]:
    return _Tags(page).tags


def _text(dice: random.Random, most: int) -> str:
    return " ".join(dice.choices(PIECES, k=dice.randrange(most + 1)))


def _alert(dice: random.Random) -> Alert:
    article = Article(
        id=f"a{dice.random()}",
        feed_id=_text(dice, 1),
        feed_name=_text(dice, 3),
        url=dice.choice(URLS).format(_text(dice, 2)),
        title=_text(dice, 6),
        was_title=dice.choice(("", _text(dice, 6))),
        summary=_text(dice, 20),
        body=_text(dice, 9),
        lang=dice.choice((None, "en", _text(dice, 1))),
        published_at=dice.choice((None, NOW - timedelta(days=dice.randrange(40000)))),
        seen_at=dice.choice((None, NOW)),
        kind=dice.choice(tuple(ArticleKind)),
    )
    matches = tuple(_match(dice, article) for _ in range(dice.randrange(8)))
    return Alert(subscriber=_text(dice, 1), article=article, matches=matches, created_at=NOW)


def _match(dice: random.Random, article: Article) -> Match:
    spans = []
    for field in ("title", "summary", "body", "nowhere"):
        start = dice.randrange(-3, 300)
        end = start + dice.randrange(-2, 30)
        spans.append(Span(field=field, start=start, end=end, text=_text(dice, 2)))
    return Match(
        rule_id=_text(dice, 1) or "rule",
        rule_name=_text(dice, 2),
        article_id=article.id,
        severity=dice.choice(tuple(Severity)),
        spans=tuple(spans),
    )


def run(count: int, seed: int) -> Counter[str]:
    """Try so many deliveries, and count what is wrong by kind."""
    found: Counter[str] = Counter()
    for number, told in enumerate(stories(seed)):
        if number == count:
            break
        links = LINKER.links(told) if number % 2 else NO_LINKS
        found.update(problems(message(told, links)))
        found.update(mail_problems(told))
        payload(replace(told, attempts=number))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was found; 1 when it was anything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--stories", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    found = run(asked.stories, asked.seed)
    said = ", ".join(f"{name}: {count}" for name, count in found.most_common()) or "nothing wrong"
    sys.stdout.write(f"{asked.stories:,} deliveries through every renderer: {said}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
