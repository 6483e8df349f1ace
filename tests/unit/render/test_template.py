"""Templates of operators: what they see, how it is escaped, and that none of them runs away."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.core.render import Message, blocks, message, short_text
from monitor.core.render.message import Parts
from monitor.core.render.sandbox import Format
from monitor.core.render.template import (
    PARTS,
    CompiledPart,
    Composer,
    Part,
    TemplateProblemError,
    variables,
)
from monitor.core.secret import Secret
from monitor.core.targets import NO_TEMPLATE, EmailTarget, SmtpRelay, Template, WebhookTarget
from tests.factories import delivery
from tests.unit.render.cases import CASES
from tests.unit.render.golden import LINKER


def told(case: str = "simple") -> Message:
    return message(CASES[case](), LINKER.links(CASES[case]()))


def render(source: str, form: Format = Format.TEXT, case: str = "simple") -> str:
    return CompiledPart(source, Part(form)).render(told(case))


def test_template_sees_the_alert() -> None:
    source = "{{ alert.title }} | {{ alert.source }} | {{ alert.published_at | date('%d.%m. %H:%M') }} | {{ count }}"
    assert render(source) == "Talks resume in Geneva | Example World | 15.01. 11:57 | 1"


def test_template_loops_over_rules_and_marks_words() -> None:
    source = (
        "{% for rule in alert.rules %}{{ loop.index }} {{ rule.name }}: {{ rule.words | join(', ') }}"
        "{% endfor %} {% for p in alert.title_pieces %}{{ '**' if p.found }}{{ p.text }}{% endfor %}"
    )
    assert render(source) == "1 Talks: Talks, table **Talks resume in Geneva"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (Format.TEXT, 'a<b>&"*'),
        (Format.HTML, "a&lt;b&gt;&amp;&quot;*"),
        (Format.SLACK, 'a&lt;b&gt;&amp;"*'),
        (Format.MARKDOWN, 'a\\<b\\>&"\\*'),
    ],
)
def test_what_is_printed_is_escaped_for_where_it_stands(form: Format, expected: str) -> None:
    strange = replace(told(), target='a<b>&"*')
    for source in (
        "{{ target }}",
        "{% set x %}{{ target }}{% endset %}{{ x }}",
        "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(target) }}",
        "{{ target ~ '' }}",
        "{{ [target] | join }}",
        "{{ target | escape }}",
        "{% filter trim %}{{ target }}{% endfilter %}",
    ):
        assert CompiledPart(source, Part(form)).render(strange) == expected, source


def test_json_template_cannot_be_broken_by_a_text() -> None:
    source = """{"title": "{{ alert.title }}", "rules": {{ alert.rules | tojson }}, "n": {{ count }},
        "edited": {{ alert.edited }}, "at": "{{ alert.seen_at }}", "all": {{ alert.also }}}"""
    for case in CASES:
        said = json.loads(render(source, Format.JSON, case))
        assert said["title"] == told(case).first.heading
        assert said["edited"] is told(case).first.edited


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("one\n{{ alert.tilte }}", 2, "there is no 'tilte' (did you mean 'title'?)"),
        ("{{ alrt.title }}", 1, "there is no 'alrt' (did you mean 'alert'?)"),
        ("{% for x in stories %}\n{{ x", 2, "unexpected"),
        ("\n\n{% if %}", 3, "Expected an expression"),
        ("{{ alert.title | upper_case }}", 1, "No filter named 'upper_case'"),
        ("a\n{% include 'secrets' %}", 2, "'include' is not available here"),
        ("{% extends 'x' %}", 1, "'extends' is not available here"),
        ("{% import 'x' as y %}", 1, "'import' is not available here"),
        ("{{ 1 / 0 }}", 1, "division by zero"),
        ("{{ alert.title.upper() }}", 1, ""),
        ("{{ alert.title.__class__ }}", 1, ""),
        ("{{ ''.__class__.__mro__ }}", 1, ""),
        ("{{ range.__globals__ }}", 1, ""),
        ("{{ self.__init__ }}", 1, ""),
        ("   \n ", 0, "it writes nothing"),
    ],
)
def test_mistake_is_explained_with_its_line(source: str, line: int, words: str) -> None:
    with pytest.raises(TemplateProblemError) as caught:
        render(source)
    assert caught.value.line == line
    assert words in caught.value.message


RUNAWAYS = (
    "{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}",
    "{% for a in range(10000000) %}{% endfor %}",
    "{{ 'x' * 100000000 }}",
    "{{ 10 ** 1000000000 }}",
    "{{ 'x' ~ 'y' * 9 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ [1] * 100000000 }}",
    "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 60 + "{{ a }}",
    "{% set a %}xxxxxxxxxx{% endset %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 60 + "{{ a }}",
    "{% set a = 999999 %}" + "{% set a = a * a %}" * 60 + "{{ a }}",
    "{% set a = [1, 2] %}" + "{% set a = [a, a] | sum(start=[]) %}" * 60 + "{{ a }}",
    "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a | replace('a', a) %}" * 9 + "{{ a }}",
    "{% set a = 'aaaaaaaaaa' %}" + "{% set a = [a, a, a] | join %}" * 60 + "{{ a }}",
    "{{ 1.5 | round(1000000000, 'ceil') }}",
    "{{ alert.title | center(1000000000) }}",
    "{{ lipsum(1000) }}",
    "{{ cycler }}",
    "{{ '" + "x" * 99_000 + "' }}" + "{{ alert.title }}" * 60,
    "{% for a in range(900) %}{{ '" + "x" * 9_000 + "' }}{% endfor %}",
    "{% for a in range(900) %}{% set b %}{{ '" + "x" * 9_000 + "' }}{% endset %}{% endfor %}",
    "{{ 999999999999 * 99 }}",
    "{{ alert | tojson }}",
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("source", RUNAWAYS, ids=lambda source: source[:40])
def test_template_that_runs_away_is_stopped(source: str) -> None:
    with contextlib.suppress(TemplateProblemError):
        assert len(render(source)) <= 100_000


def test_template_too_long_for_its_channel_is_a_mistake() -> None:
    with pytest.raises(TemplateProblemError, match="more than the 10 characters"):
        CompiledPart("{{ alert.title }}", Part(Format.TEXT, 10)).render(told())
    with pytest.raises(TemplateProblemError, match="100,000 characters"):
        CompiledPart("x" * 100_001, Part(Format.TEXT))


@pytest.mark.parametrize("source", ["nothing", "[1]", '{"a": "b"', "[" * 5000])
def test_body_that_is_no_json_object_is_a_mistake(source: str) -> None:
    with pytest.raises(TemplateProblemError, match="JSON"):
        render(source, Format.JSON)


def mailbox(template: Template) -> EmailTarget:
    relay = SmtpRelay(host="127.0.0.1", port=25)
    return EmailTarget(
        id="e",
        subscriber="s",
        to="a@b.example",
        sender="m@b.example",
        smtp=relay,
        template=template,
    )


def test_part_that_fails_costs_itself_alone() -> None:
    template = Template(subject="Alert: {{ alert.title }}", text="{{ alert.rules[7].name }}")
    said = Composer(mailbox(template)).compose(delivery())
    assert said.parts.subject == "Alert: Talks resume in Geneva"
    assert said.parts.text == ""
    assert said.failed.startswith("text: line 1: there is no '7'")


def test_subject_is_one_line() -> None:
    said = Composer(mailbox(Template(subject="a\r\nBcc: {{ alert.title }}\n"))).compose(delivery())
    assert said.parts.subject == "a Bcc: Talks resume in Geneva"


def test_target_without_a_template_has_our_words() -> None:
    target = WebhookTarget(id="w", subscriber="s", url="https://x.example/", secrets=(Secret("x"),))
    assert target.template == NO_TEMPLATE
    assert Composer(target).compose(delivery()).failed == ""


def test_every_variable_is_described_on_its_page() -> None:
    page = (Path(__file__).parents[3] / "docs/how-to/templates.md").read_text(encoding="utf-8")

    def names(value: object) -> set[str]:
        if isinstance(value, Mapping):
            return set(value) | {name for each in value.values() for name in names(each)}
        if isinstance(value, list):
            return {name for each in value for name in names(each)}
        return set()

    known = names(variables(told("edited"))) | names(variables(told("digest")))
    assert [name for name in sorted(known) if f"`{name}`" not in page] == []


def test_every_kind_of_target_says_which_parts_it_takes() -> None:
    assert all(set(parts) <= {"subject", "text", "body"} for parts in PARTS.values())


def test_whole_alert_can_be_said_as_json() -> None:
    said = json.loads(render('{"alert": {{ alert | tojson }}, "all": {{ alert }}}', Format.JSON))
    assert said["alert"]["published_at"] == "2026-01-15T11:57:00Z"
    assert said["alert"]["title"] == said["all"]["title"]


def test_bounds_say_which_was_met() -> None:
    for source, words in (
        (RUNAWAYS[0], "loops more than 20,000 times"),
        ("{{ 999999999999 * 99 }}", "a number on the way is too large"),
        ("{% for a in range(900) %}{% set b %}{{ '" + "x" * 9_000 + "' }}{% endset %}{% endfor %}",
         "the template does too much"),
        ("{% set a = 'aaaaaaaaaa' %}" + "{% set a = a | replace('a', a) %}" * 9, "'replace'"),
    ):  # fmt: skip
        with pytest.raises(TemplateProblemError, match=words):
            render(source)


def test_alert_with_words_of_the_operator_keeps_its_heading_and_its_links() -> None:
    own = replace(told("simple"), parts=Parts(subject="Hear", text="*all*"))
    said = blocks(own)["blocks"]
    assert isinstance(said, list)
    assert [block["type"] for block in said] == ["header", "section", "actions"]


def test_numbers_are_rounded_within_bounds() -> None:
    assert render("{{ 2.345 | round(1) }} {{ 2.5 | round(-3) }}") == "2.3 2.0"


def test_message_in_few_lines_has_every_heading_and_address() -> None:
    short = short_text(told("digest"))
    assert short.count("http") == len(told("digest").stories)
    assert short.startswith(told("digest").heading)


def test_digest_with_words_of_the_operator_keeps_its_heading() -> None:
    own = replace(told("digest"), parts=Parts(subject="Hear", text="*all*"))
    said = blocks(own)["blocks"]
    assert isinstance(said, list)
    assert [block["type"] for block in said] == ["header", "section", "actions"]
    assert said[0]["text"]["text"].endswith("Hear")
