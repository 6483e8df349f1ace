"""What a query may ask of an article besides its text."""

from datetime import timedelta
from typing import Any

import pytest

from monitor.core.compiled import Native
from monitor.core.engine import compile_rules
from tests.factories import NOW, article, rule


@pytest.mark.parametrize(
    ("query", "fields", "met"),
    [
        ("lang:en", {"lang": "en"}, True),
        ("lang:en", {"lang": "en_GB"}, True),
        ("lang:pt", {"lang": "pt-BR"}, True),
        ("lang:pt-br", {"lang": "pt"}, False),
        ("lang:en", {"lang": "eng"}, False),
        ("lang:en", {"lang": None}, False),
        ("feed:bbc-world", {"feed_id": "BBC-World"}, True),
        ("feed:bbc", {"feed_id": "bbc-world"}, False),
        ("site:bbc.co.uk", {"url": "https://www.BBC.co.uk/news"}, True),
        ("site:bbc.co.uk", {"url": "https://bbc.co.uk:8080/"}, True),
        ("site:bbc.co.uk", {"url": "https://notbbc.co.uk/"}, False),
        ("site:bbc.co.uk", {"url": "https://evil.example/bbc.co.uk"}, False),
        ("site:bbc.co.uk", {"url": "http://[bad"}, False),
        ("site:bbc.co.uk", {"url": ""}, False),
        ("country:gb", {"country": "GB"}, True),
        ("country:gb", {"country": None}, False),
        ('category:"world news"', {"category": "World  News"}, True),
        ("category:world", {"category": None}, False),
        ("talks words>3", {"title": "talks", "body": "one two three four"}, True),
        ("talks words>3", {"title": "talks", "body": "one two three", "summary": "a b c d"}, False),
        ("talks words<=2", {"title": "talks", "body": "", "summary": "one two"}, True),
        ("talks words>=3", {"title": "talks a b c", "body": "", "summary": "one two"}, False),
        ("talks age<6h", {"published_at": NOW - timedelta(hours=5)}, True),
        ("talks age<6h", {"published_at": NOW - timedelta(hours=6)}, False),
        ("talks age<6h", {"published_at": NOW + timedelta(days=9)}, True),
        ("talks age>1d", {"published_at": NOW - timedelta(days=2)}, True),
        ("talks age<6h", {"published_at": None, "seen_at": NOW - timedelta(hours=7)}, False),
        ("talks age<6h", {"published_at": None, "seen_at": None}, True),
    ],
)
def test_condition(query: str, fields: dict[str, Any], met: bool, native: Native | None) -> None:
    compiled = compile_rules([rule(query=query)], native=native)
    assert bool(compiled.rules.match(article(**fields), NOW)) == met


def test_condition_has_no_place(native: Native | None) -> None:
    (match,) = compile_rules([rule(query="lang:en talks")], native=native).rules.match(
        article(), NOW
    )
    assert [span.part for span in match.spans] == ["talks"]
