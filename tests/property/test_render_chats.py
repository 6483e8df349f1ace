"""No text of a feed breaks out of a chat message, or makes it larger than its service takes."""

import json
import re
from html.parser import HTMLParser
from typing import Any

from hypothesis import HealthCheck, given, settings

from monitor.core.render import Message
from monitor.core.render.discord import discord, discord_plain
from monitor.core.render.mattermost import mattermost, mattermost_plain
from monitor.core.render.ntfy import ntfy, ntfy_plain
from monitor.core.render.teams import teams, teams_plain
from monitor.core.render.telegram import telegram, telegram_plain
from tests.property.test_render import MESSAGE, STEERING
from tests.quality.renders import problems

SOME = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)


@SOME
@given(MESSAGE)
def test_every_message_is_within_the_limits_of_its_service(told: Message) -> None:
    assert problems(told) == []


@SOME
@given(MESSAGE)
def test_nothing_steers_a_chat_program(told: Message) -> None:
    for render in (discord, mattermost, ntfy, teams, telegram):
        said = json.dumps(render(told), ensure_ascii=False)
        assert not STEERING.search(said)


@SOME
@given(MESSAGE)
def test_plain_message_is_one_short_text(told: Message) -> None:
    for render in (discord_plain, mattermost_plain, ntfy_plain, teams_plain, telegram_plain):
        assert len(json.dumps(render(told), ensure_ascii=False)) < 9000


class _Tags(HTMLParser):
    def __init__(self, said: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.balanced = True
        self.seen: set[str] = set()
        self.feed(said)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen |= {tag, *(name for name, _ in attrs)}
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.balanced &= bool(self.open) and self.open.pop() == tag


@SOME
@given(MESSAGE)
def test_html_of_telegram_has_our_tags_only_and_each_is_closed(told: Message) -> None:
    found = _Tags(str(telegram(told)["text"]))
    assert found.seen <= {"b", "i", "s", "u", "a", "href"}
    assert found.balanced
    assert found.open == []


@SOME
@given(MESSAGE)
def test_markdown_links_lead_where_we_say(told: Message) -> None:
    allowed = {shown.url.replace("(", "%28").replace(")", "%29") for shown in told.stories}
    embed: Any = discord(told)["embeds"]
    post: Any = mattermost(told)["attachments"]
    for said in (embed[0]["description"], post[0]["text"], post[0]["fallback"]):
        bare = re.sub(r"\\.", "", said)
        for url in re.findall(r"\]\(([^)]*)\)", bare):
            assert url in allowed or url.startswith("https://monitor.example/l/")
        assert not re.search(r"@(everyone|here|channel|all)", bare)
