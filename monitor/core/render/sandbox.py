"""Jinja2 for templates of operators: without what reads, loops without end, or makes much out of little."""

import json
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from enum import StrEnum
from html import escape as escape_html
from typing import Any, NoReturn

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from monitor.core.localtime import zone_of
from monitor.core.render.markdown import escape as escape_markdown
from monitor.core.render.slack import escape as escape_slack

LONGEST_TEXT = 100_000  # of any one value on the way
_STEPS = 20_000  # rounds of loops and calls of macros
_WORK = 4_000_000  # characters that filters and prints may go through, together
_LONGEST_RANGE = 1000
_LARGEST = 10**12  # of a number
_DIGITS = 9


class Format(StrEnum):
    """What a template writes, which decides how the texts in it are escaped."""

    LINE = "line"
    TEXT = "text"
    HTML = "html"
    JSON = "json"
    SLACK = "slack"
    MARKDOWN = "markdown"


@dataclass(slots=True)
class Purse:
    """What is left to spend on one rendering."""

    steps: int = _STEPS
    work: int = _WORK

    def step(self) -> None:
        """Pay for a round of a loop or a call of a macro."""
        self.steps -= 1
        if self.steps < 0:
            raise SecurityError(f"the template loops more than {_STEPS:,} times")

    def pay(self, value: object) -> None:
        """Pay for a value that was made or read."""
        size = len(value) if isinstance(value, str | list | tuple | dict) else 1
        if size > LONGEST_TEXT:
            raise SecurityError(f"a text or list on the way is longer than {LONGEST_TEXT:,}")
        if isinstance(value, int | float) and abs(value) > _LARGEST:
            raise SecurityError("a number on the way is too large")
        self.work -= size
        if self.work < 0:
            raise SecurityError("the template does too much")


purse: ContextVar[Purse] = ContextVar("purse")


class Sandbox(SandboxedEnvironment):
    """An environment for templates that write one format."""

    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))

    def __init__(self, form: Format) -> None:
        """Escape what is printed as `form` wants it; a text that was escaped is not escaped again."""
        super().__init__(
            undefined=Absent,
            autoescape=True,
            finalize=_finalizer(form),
            optimized=False,  # what is constant is reckoned while rendering, where it is paid for
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=0,
        )
        escaped = _escaper(form)
        ours = {"date": date, "escape": escaped, "e": escaped, "join": _joiner(form)}
        ours |= {"replace": _replaced, "round": _rounded, "tojson": _as_json}
        borrowed = {name: FILTERS[name] for name in _BORROWED}
        self.filters = {name: _paid(each) for name, each in (borrowed | ours).items()}
        self.globals = {"range": _range}
        self.count_step = _step
        self.join_texts = _concatenation(form)
        self._ours = (_step, _range, self.join_texts)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002 - the library's
        """Let a template see what a loop says of itself; variables are mappings, and need no attributes."""
        return isinstance(obj, LoopContext) and not attr.startswith("_")

    def is_safe_callable(self, obj: Any) -> bool:
        """Let a template call its own macros and what we give it; no method of any value."""
        own = isinstance(obj, Macro | LoopContext)
        return own or isinstance(getattr(obj, "__self__", None), LoopContext) or obj in self._ours

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Reckon with numbers, within bounds."""
        if operator == "**" or not all(isinstance(each, int | float) for each in (left, right)):
            raise SecurityError(f"'{operator}' is for numbers here; join texts with '~'")
        result = super().call_binop(context, operator, left, right)
        purse.get().pay(result)
        return result

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for node in tree.find_all(_READING):
            kind = type(node).__name__.lower()
            raise TemplateSyntaxError(f"'{kind}' is not available here", node.lineno)
        _count_rounds(tree)
        _count_joins(tree)
        tree.set_environment(self)
        return tree


class Absent(StrictUndefined):
    """A name that is not there, with what was probably meant."""

    __slots__ = ()

    def _fail_with_undefined_error(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        owner = self._undefined_obj
        known = owner if isinstance(owner, Mapping) else VARIABLES
        found = get_close_matches(str(self._undefined_name), [str(each) for each in known], n=1)
        hint = f" (did you mean '{found[0]}'?)" if found else ""
        raise UndefinedError(f"there is no '{self._undefined_name}'{hint}")

    __iter__ = __str__ = __len__ = _fail_with_undefined_error
    __eq__ = __ne__ = __bool__ = __hash__ = _fail_with_undefined_error
    __contains__ = _fail_with_undefined_error


VARIABLES = (
    *("alert", "stories", "count", "left_out", "because", "is_digest", "severity", "heading"),
    *("target", "subscriber", "id", "number", "links", "range", "loop"),
)
_BORROWED = (
    *(
        "abs",
        "capitalize",
        "default",
        "dictsort",
        "first",
        "float",
        "groupby",
        "int",
        "last",
        "length",
    ),
    *(
        "list",
        "lower",
        "map",
        "max",
        "min",
        "reject",
        "rejectattr",
        "reverse",
        "select",
        "selectattr",
    ),
    *(
        "sort",
        "string",
        "striptags",
        "sum",
        "title",
        "trim",
        "truncate",
        "unique",
        "upper",
        "urlencode",
    ),
    "wordcount",
)
_READING = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block)


def _count_rounds(tree: nodes.Template) -> None:
    """Make every round of a loop and every call of a macro cost a step."""
    for node in tree.find_all((nodes.For, nodes.Macro, nodes.CallBlock)):
        call = nodes.Call(nodes.EnvironmentAttribute("count_step"), [], [], None, None)
        step = nodes.Output([call])
        step.set_lineno(node.lineno, override=True)
        body: list[nodes.Node] = getattr(node, "body")  # noqa: B009 - each of the three has one
        body.insert(0, step)


def _count_joins(tree: nodes.Node) -> None:
    """Join texts by a function of ours, which pays."""
    for field, value in tree.iter_fields():
        if isinstance(value, nodes.Node):
            setattr(tree, field, _without_tildes(value))
        elif isinstance(value, list):
            value[:] = [_without_tildes(v) if isinstance(v, nodes.Node) else v for v in value]


def _without_tildes(node: nodes.Node) -> nodes.Node:
    _count_joins(node)
    if not isinstance(node, nodes.Concat):
        return node
    call = nodes.Call(nodes.EnvironmentAttribute("join_texts"), node.nodes, [], None, None)
    return call.set_lineno(node.lineno, override=True)


def _step() -> Markup:
    purse.get().step()
    return Markup("")


def _range(*bounds: int) -> range:
    counted = range(*bounds)
    if len(counted) > _LONGEST_RANGE:
        raise SecurityError(f"a range has at most {_LONGEST_RANGE:,} numbers")
    return counted


# --- what a format asks of a text ---


def _inner_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


_ESCAPES: Mapping[Format, Callable[[str], str]] = {
    Format.LINE: str,
    Format.TEXT: str,
    Format.HTML: escape_html,
    Format.JSON: _inner_json,
    Format.SLACK: escape_slack,
    Format.MARKDOWN: escape_markdown,
}


def _escaper(form: Format) -> Callable[[Any], Markup]:
    def escape(value: Any) -> Markup:
        if isinstance(value, Markup):
            return value
        return Markup(_ESCAPES[form](_said(value, form)))  # noqa: S704 - escaped in this line

    return escape


def _said(value: Any, form: Format) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if form is Format.JSON and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, default=str)
    return "" if value is None else str(value)


def _finalizer(form: Format) -> Callable[[Context, Any], Markup]:
    escape = _escaper(form)

    @pass_context  # so that nothing is finished before it is rendered
    def finalize(_context: Context, value: Any) -> Markup:
        if isinstance(value, Absent):
            str(value)
        # What is no text is JSON already, quotes and all.
        raw = form is Format.JSON and not isinstance(value, str | datetime)
        text = Markup(_said(value, form)) if raw else escape(value)  # noqa: S704 - JSON of ours
        purse.get().pay(text)
        return text

    return finalize


# --- filters ---


def _paid(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that pays for what it reads and for what it makes."""

    def paid(*args: Any, **kwargs: Any) -> Any:
        mine = purse.get()
        for each in args:
            mine.pay(each)
        result = function(*args, **kwargs)
        mine.pay(result)
        return result

    # How the library learns that a filter wants the environment or the context.
    paid.__dict__.update(getattr(function, "__dict__", {}))
    return paid


def date(value: datetime | None, style: str = "") -> str:
    """Write an instant by the letters of `strftime`, or as the messages do; nothing when there is none."""
    if value is None:
        return ""
    return value.strftime(style[:100]) if style else f"{value:%Y-%m-%d %H:%M} {zone_of(value)}"


def _as_json(value: Any) -> Markup:
    return Markup(json.dumps(value, ensure_ascii=False, default=lambda v: _said(v, Format.TEXT)))  # noqa: S704


def _rounded(value: float, digits: int = 0) -> float:
    return round(value, max(0, min(int(digits), _DIGITS)))


def _replaced(text: str, old: str, new: str) -> str:
    grown = text.count(old) * len(new)
    if grown > LONGEST_TEXT:
        raise SecurityError(f"'replace' would make more than {LONGEST_TEXT:,} characters")
    return text.replace(old, new)


def _joiner(form: Format) -> Callable[..., str]:
    join = _concatenation(form)

    def joined(values: Iterable[Any], between: str = "", attribute: str = "") -> str:
        items = [value[attribute] if attribute else value for value in values]
        with_gaps = [each for item in items for each in (between, item)][1:]
        return join(*with_gaps)

    return joined


def _concatenation(form: Format) -> Callable[..., str]:
    escape = _escaper(form)

    def join(*values: Any) -> str:
        mine = purse.get()
        marked = any(isinstance(value, Markup) for value in values)
        texts: list[str] = []
        size = 0
        for value in values:
            text = escape(value) if marked else _said(value, Format.TEXT)
            size += len(text)
            if size > LONGEST_TEXT:
                raise SecurityError(f"a text is longer than {LONGEST_TEXT:,} characters")
            mine.pay(text)
            texts.append(str(text))
        whole = "".join(texts)
        return Markup(whole) if marked else whole  # noqa: S704 - every part is escaped

    return join
