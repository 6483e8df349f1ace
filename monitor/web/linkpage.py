"""How the pages behind links look: small, one column, no script, for a phone, light and dark."""

from dataclasses import dataclass

from jinja2 import Environment, StrictUndefined

from monitor.core.links import NO_LINKS, Links
from monitor.core.render import Message
from monitor.core.render.text import (
    also_in,
    labels,
    late,
    left_out,
    more_stories,
    origin,
)

STYLE = """\
:root{color-scheme:light dark;--ink:#111827;--quiet:#4b5563;--page:#f3f4f6;--card:#fff;--link:#1d4ed8;--mark:#fef08a}
@media(prefers-color-scheme:dark){:root{--ink:#f3f4f6;--quiet:#9ca3af;--page:#111827;--card:#1f2937;--link:#93c5fd;
--mark:#854d0e}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:40rem;margin:0 auto;padding:1rem}
.card{background:var(--card);padding:1rem 1.25rem;border-radius:.5rem;margin:0 0 1rem}
h1{font-size:1.35rem;line-height:1.3;margin:.25rem 0 .75rem}
h2{font-size:1.1rem;line-height:1.3;margin:.25rem 0}
p{margin:.4rem 0}
.quiet{color:var(--quiet);font-size:.875rem}
a{color:var(--link)}
mark{background:var(--mark);color:inherit}
del{color:var(--quiet)}
ins{background:var(--mark);text-decoration:none}
blockquote{margin:.5rem 0;padding-left:.75rem;border-left:3px solid var(--quiet)}
form{margin:1rem 0 0;display:flex;flex-wrap:wrap;gap:.75rem;align-items:end}
label{display:block;font-size:.875rem;color:var(--quiet)}
select,button{font:inherit;min-height:2.75rem;padding:.5rem 1rem;border-radius:.375rem;border:1px solid var(--quiet)}
select{background:var(--card);color:var(--ink)}
button{background:#1d4ed8;border-color:#1d4ed8;color:#fff;font-weight:600}
nav{display:flex;flex-wrap:wrap;gap:.5rem 1.25rem}
"""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ page.title }}</title>
<style>{{ style }}</style>
</head>
<body>
<main>
<div class="card">
<h1 dir="auto">{{ page.title }}</h1>
{% if page.name %}<blockquote dir="auto">{{ page.name }}</blockquote>{% endif %}
{% if page.text %}<p>{{ page.text }}</p>{% endif %}
{% if page.message and late(page.message) %}<p class="quiet">{{ late(page.message) }}</p>{% endif %}
{% for form in page.forms %}
<form method="post">
{% if form.options %}<div><label for="{{ form.field }}">{{ form.label }}</label>
<select id="{{ form.field }}" name="{{ form.field }}">
{% for value, label in form.options %}
<option value="{{ value }}"{{ " selected" if value == form.value }}>{{ label }}</option>
{% endfor %}
</select></div>{% else %}<input type="hidden" name="{{ form.field }}" value="{{ form.value }}">{% endif %}
<button>{{ form.button }}</button>
</form>
{% endfor %}
</div>
{% if page.message %}
{% for alert in page.message.stories %}
<div class="card">
<p class="quiet">{{ labels(alert)|join(" · ") }}</p>
<h2 dir="auto">{% if alert.url %}<a href="{{ alert.url }}" rel="noreferrer">{{ marked(alert.title) }}</a>
{%- else %}{{ marked(alert.title) }}{% endif %}</h2>
<p dir="auto">{{ marked(alert.snippet) }}</p>
{% if alert.changes %}<p dir="auto">Headline: {% for change in alert.changes %}
{% if change.sign == "-" %}<del>{{ change.text }}</del>{% elif change.sign == "+" %}<ins>{{ change.text }}</ins>
{% else %}{{ change.text }}{% endif %} {% endfor %}</p>{% endif %}
{% if alert.also %}<p>{{ also_in(alert) }}</p>{% endif %}
<p class="quiet" dir="auto">{{ origin(alert)|join(" · ") }}</p>
{% for rule in alert.rules %}
<p dir="auto">Rule <b>{{ rule.name }}</b>{% if rule.words %} found
{% for word in rule.words %}<mark>{{ word }}</mark>{{ ", " if not loop.last }}{% endfor %}{% endif %}</p>
{% endfor %}
<p class="quiet">{{ left_out(alert) }}</p>
</div>
{% endfor %}
<p class="quiet">{{ more_stories(page.message) }}</p>
{% endif %}
{% if page.links.unsubscribe %}
<div class="card"><nav>
{% for label, url in (("Snooze this story", page.links.snooze_story), ("Snooze this rule", page.links.snooze_rule),
("Change to a digest", page.links.digest), ("Unsubscribe", page.links.unsubscribe)) if url %}
<a href="{{ url }}">{{ label }}</a>
{% endfor %}
</nav></div>
{% endif %}
</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One button, with a choice before it if there are `options`, pairs of value and label."""

    button: str
    field: str
    value: str
    options: tuple[tuple[str, str], ...] = ()
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page says: a question or an answer, with what it is about, and a message if one is opened."""

    title: str
    name: str = ""
    text: str = ""
    forms: tuple[Form, ...] = ()
    message: Message | None = None
    links: Links = NO_LINKS


_environment = Environment(
    autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_environment.globals.update(
    style=STYLE,
    late=late,
    labels=labels,
    origin=origin,
    also_in=also_in,
    left_out=left_out,
    more_stories=more_stories,
)
_MARKED = """{% macro marked(pieces) %}{% for piece in pieces %}\
{% if piece.found %}<mark>{{ piece.text }}</mark>{% else %}{{ piece.text }}{% endif %}{% endfor %}{% endmacro %}"""
_template = _environment.from_string(_MARKED + _PAGE)


def page(shown: Page) -> str:
    """Write a page; every text in it is escaped."""
    return _template.render(page=shown)
