"""Text of strangers in the Markdown of chat programs, where every mark of theirs would count."""

import re
from collections.abc import Iterable

from monitor.core.links import Links
from monitor.core.render.text import also_in, changed, labels, left_out, link_labels, origin
from monitor.core.render.view import AlertView, Change, Piece, RuleView

_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~:])")
# A mention begins with an @ that a name follows; a blank of no width between them ends it before it begins.
_MENTION = re.compile(r"@(?=\S)")


def escape(text: str) -> str:
    """Take every meaning but that of its letters from a text."""
    return _MENTION.sub("@\u200b", _MARKS.sub(r"\\\1", text))


def linked(label: str, url: str) -> str:
    """Write a link whose label is escaped already; without an address, the label."""
    # A parenthesis in an address would end it.
    safe = url.replace("(", "%28").replace(")", "%29")
    return f"[{label}]({safe})" if url else label


def marked(pieces: Iterable[Piece]) -> str:
    """Write pieces with what was found in bold."""
    return "".join(_piece(piece) for piece in pieces)


def change(shown: AlertView) -> str:
    """Say what an edit did to the headline, if that is known."""
    said = [Change(each.sign, escape(each.text)) for each in shown.changes]
    return "Headline: " + changed(said, {" ": "{}", "-": "~~{}~~", "+": "**{}**"}) if said else ""


def story(shown: AlertView, excerpt: int) -> list[str]:
    """Write an alert in lines: headline with its link, excerpt, edit, origin, rules."""
    lines = [
        " ".join((*map(escape, labels(shown)), f"**{linked(escape(shown.heading), shown.url)}**")),
        marked(shown.snippet)
        if len(shown.excerpt) <= excerpt
        else escape(shown.excerpt[:excerpt]) + "…",
        change(shown),
        escape(" · ".join(origin(shown))),
        escape(also_in(shown)),
        *(rule(each) for each in shown.rules),
        escape(left_out(shown)),
    ]
    return [each for each in lines if each]


def rule(shown: RuleView) -> str:
    """Say which rule matched and what it found."""
    found = ", ".join(f"**{escape(word)}**" for word in shown.words)
    return f"Rule {escape(shown.name)}" + (f" found {found}" if found else "")


def footer(links: Links) -> str:
    """Write the links of a message in one line."""
    return " · ".join(linked(label, url) for label, url in link_labels(links) if url)


def fitted(lines: Iterable[str], limit: int) -> str:
    """Join as many whole lines as fit, so that no mark is left open."""
    said = ""
    for each in lines:
        if len(said) + 1 + len(each) > limit:
            break
        said = f"{said}\n{each}" if said else each
    return said


def _piece(piece: Piece) -> str:
    text = escape(piece.text)
    plain = piece.text.strip() == piece.text
    return f"**{text}**" if piece.found and plain else text
