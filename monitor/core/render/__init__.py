"""Messages as text, HTML, Slack messages and JSON. Pure: the same delivery always renders the same."""

from monitor.core.localtime import written
from monitor.core.render.html import html
from monitor.core.render.message import Message, message
from monitor.core.render.slack import blocks, text_only
from monitor.core.render.text import short_text, subject, text
from monitor.core.render.view import AlertView, Piece, RuleView, view
from monitor.core.render.webhook import message_id, payload

__all__ = [
    "AlertView",
    "Message",
    "Piece",
    "RuleView",
    "blocks",
    "html",
    "message",
    "message_id",
    "payload",
    "short_text",
    "subject",
    "text",
    "text_only",
    "view",
    "written",
]
