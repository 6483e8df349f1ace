"""Alerts as text, HTML, Slack messages and JSON. Pure: the same alert always renders the same."""

from monitor.core.render.html import html
from monitor.core.render.slack import blocks, text_only
from monitor.core.render.text import subject, text
from monitor.core.render.view import AlertView, Piece, RuleView, view, written
from monitor.core.render.webhook import message_id, payload

__all__ = [
    "AlertView",
    "Piece",
    "RuleView",
    "blocks",
    "html",
    "message_id",
    "payload",
    "subject",
    "text",
    "text_only",
    "view",
    "written",
]
