"""What came of a poll by hand, in words."""

from collections.abc import Iterator

from monitor.app.feeds import Polled
from monitor.core.outcome import Suppression
from monitor.core.render.clean import line
from monitor.core.standing import ahead
from monitor.ports import PollRecorded

_TITLES_SHOWN = 20
_LONGEST = 100


def poll_in_words(done: Polled, *, quiet: bool = False) -> Iterator[str]:
    """Yield lines: what was new, or what went wrong, then when the next poll is. A `quiet` one counts no nothing."""
    decision, state = done.decision, done.decision.state
    if done.recorded is not PollRecorded.DONE:
        why = (
            "the article log is full" if done.recorded is PollRecorded.FULL else "polled elsewhere"
        )
        yield f"not recorded: {why}; it will be polled again"
    elif state.reason:
        yield f"{state.reason}: {state.detail}"
    else:
        for article in decision.articles[-_TITLES_SHOWN:]:
            yield f"{article.kind:7} {line(article.title, _LONGEST)}"
        kept_back = "".join(
            f", {count} {_kept_back(reason)}" for reason, count in decision.suppressed.items()
        )
        new = f"{len(decision.articles)} new or edited"
        nothing = quiet and kept_back and not decision.articles
        yield kept_back.removeprefix(", ") if nothing else f"{new}{kept_back}"
    next_at = decision.next.at
    yield f"next poll {ahead(next_at, state.polled_at or next_at)}: {decision.next.because}"


def _kept_back(reason: Suppression) -> str:
    """Say why entries alert nobody."""
    words = {
        Suppression.BASELINE: "of its backlog, which alerts nobody",
        Suppression.LATE: "old ones that came back",
    }
    return words.get(reason, str(reason))
