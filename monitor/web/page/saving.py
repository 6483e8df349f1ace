"""Rules between the form of the editor and what `PUT /api/rules/{id}` takes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from monitor.core.model import Article, Rule
from monitor.web.api.making import RuleBody
from monitor.web.api.operation import ApiProblem
from monitor.web.page.backstage import Example

_MOST_EXAMPLES = 100
_LONGEST_EXAMPLE = 1000
_KEPT = ("owner", "labels", "expires", "shadow")


def form_of(rule: Rule, examples: Sequence[Example], *, made: bool) -> dict[str, str]:
    """Return what the editor shows of a rule; one of a file is saved under another id."""
    return {
        "rule": rule.id,
        "id": rule.id if made else "",
        "name": "" if rule.name == rule.id else rule.name,
        "severity": rule.severity,
        "query": rule.query,
        "match": _lines(examples, wanted=True),
        "no_match": _lines(examples, wanted=False),
    }


def body_of(
    form: Mapping[str, str], before: Mapping[str, Any], examples: Iterable[Example]
) -> RuleBody:
    """Return what a form says; what it has no field for is as `before`, and so are examples that are more than a title.

    Raise `ApiProblem` for texts that are too long.
    """
    settings: dict[str, Any] = {
        **{key: before[key] for key in _KEPT if key in before},
        "query": form.get("query", ""),
        "severity": form.get("severity", "info"),
        **({"name": form["name"].strip()} if form.get("name", "").strip() else {}),
    }
    longer = [each for each in examples if not _is_title(each.article)]
    given = {
        name: [
            *titles(form.get(name, "")),
            *(_example(each.article) for each in longer if each.wanted is wanted),
        ]
        for name, wanted in (("match", True), ("no_match", False))
    }
    if given["match"] or given["no_match"]:
        settings["examples"] = given
    try:
        return msgspec.convert(settings, RuleBody)
    except msgspec.ValidationError as error:
        raise ApiProblem(422, str(error)) from None


def settings_of(rule: Rule) -> dict[str, Any]:
    """Return what a rule of a file says beside its query, its names and its examples."""
    return {
        "labels": dict(rule.labels),
        "shadow": rule.shadow,
        **({"owner": rule.owner} if rule.owner else {}),
        **({"expires": rule.expires_at.isoformat()} if rule.expires_at else {}),
    }


def titles(text: str) -> list[str]:
    """Return the headlines of a field, one in each line."""
    lines = (each.strip() for each in text.splitlines())
    return [each[:_LONGEST_EXAMPLE] for each in lines if each][:_MOST_EXAMPLES]


def _lines(examples: Sequence[Example], *, wanted: bool) -> str:
    return "\n".join(
        each.article.title for each in examples if each.wanted is wanted and _is_title(each.article)
    )


def _is_title(article: Article) -> bool:
    return article == Article(id=article.id, title=article.title)


def _example(article: Article) -> dict[str, str]:
    return dict(_said(article))


def _said(article: Article) -> Iterator[tuple[str, str]]:
    for name, value in (
        ("title", article.title),
        ("summary", article.summary),
        ("body", article.body),
        ("lang", article.lang),
        ("feed", article.feed_id),
        ("country", article.country),
        ("category", article.category),
    ):
        if value:
            yield name, value
