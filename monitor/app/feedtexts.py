"""Feeds between what lists and people write of them, and the records that are polled."""

from collections.abc import Mapping

from pydantic import ValidationError

from monitor.config import records
from monitor.config.problems import in_words
from monitor.config.schema import FeedSettings, PollSettings
from monitor.config.values import WrongValueError, code
from monitor.core.model import Feed
from monitor.core.notice import FEED as OUR_OWN
from monitor.core.render.clean import line
from monitor.core.wording import format_duration
from monitor.errors import HeldError, RefusedError
from monitor.feeds.feedcsv import LABEL
from monitor.feeds.lines import FeedLine
from monitor.feeds.opml import FOLDER_LABEL


class FeedRefusedError(RefusedError):
    """A feed that cannot be added, and why."""


class FeedHeldError(FeedRefusedError, HeldError):
    """A feed whose id or address another has."""


def make_feed(values: Mapping[str, str], poll: PollSettings) -> Feed:
    """Make the record of a feed from texts, by the rules of `feeds.yaml`; raise `FeedRefusedError`.

    `values` has an id and a url, and perhaps the rest of what a list may say.
    """
    plain = {key: text for key, text in values.items() if not key.startswith(LABEL)}
    labels = {
        key.removeprefix(LABEL): text for key, text in values.items() if key.startswith(LABEL)
    }
    try:
        feed = records.feed(FeedSettings.model_validate({**plain, "labels": labels}), poll)
    except ValidationError as error:
        raise FeedRefusedError(*in_words(error)) from error
    if feed.id == OUR_OWN:
        raise FeedRefusedError(f"the id '{OUR_OWN}' is the monitor's own: choose another")
    if feed.every is not None and feed.every < poll.min_interval:
        raise FeedRefusedError(
            f"every {format_duration(feed.every)} is more often than poll.min_interval allows"
            f" ({format_duration(poll.min_interval)})"
        )
    return feed


def values_of(read: FeedLine) -> dict[str, str]:
    """Return what a line says; its folder becomes the category, where it can be one, and the label `folder` if not.

    A path of several folders is kept as the label too, and its outermost is the category.
    """
    values = {key: " ".join(text.split()) for key, text in read.values.items()}
    if "name" in values:
        values["name"] = line(values["name"], 1000)
    if not read.folder:
        return values
    folder = [" ".join(name.split()) for name in read.folder]
    is_code = _is_code(folder[0])
    if is_code:
        values.setdefault("category", folder[0])
    if len(folder) > 1 or not is_code:
        values.setdefault(f"{LABEL}{FOLDER_LABEL}", "/".join(folder)[:1000])
    return values


def _is_code(name: str) -> bool:
    try:
        code(name)
    except WrongValueError:
        return False
    return True


def texts_of(feed: Feed) -> dict[str, str]:
    """Return what a list says of a feed beside its name, address and folder, in the words that `make_feed` reads."""
    texts = {
        "id": feed.id,
        "every": "" if feed.every is None else format_duration(feed.every),
        "since": "" if feed.since is None else format_duration(feed.since),
        "lang": feed.lang or "",
        "country": feed.country or "",
    }
    texts |= {f"{LABEL}{name}": text for name, text in feed.labels.items()}
    return {key: text for key, text in texts.items() if text}
