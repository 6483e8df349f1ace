"""Lucene (and what speaks like it: Elasticsearch, OpenSearch, Solr) and Google.

Sources: Lucene "Classic query parser syntax", Elasticsearch "Query string query", Google's help on search operators.
"""

import re

from monitor.core.query.dialects.grammar import (
    NAMED_FIELD,
    Dialect,
    Field,
    Meaning,
    Measure,
    Role,
    Slop,
    sign,
    word_sign,
)
from monitor.core.query.expression import Attribute, Comparison, Quantity, Scope
from monitor.core.query.lexer import HEBREW_SIGN, QUOTES

_RANGE = r"[\[{][^\]}]{0,100}\sTO\s[^\]}]{0,100}[\]}]"

LUCENE = Dialect(
    name="Lucene",
    levels=(),
    clauses=True,
    implicit=Role.OR,
    signs=(
        word_sign(Role.AND, "AND|&&", any_case=False),
        word_sign(Role.OR, r"OR|\|\|", any_case=False),
        word_sign(Role.NOT, "NOT", any_case=False),
        sign(Role.NOT, "!"),
        sign(Role.MINUS, "-"),
        sign(Role.PLUS, r"\+"),
    ),
    word=re.compile(rf"(?:\\.|[^\s(){QUOTES}\[\]{{}}^~:\\]|{HEBREW_SIGN})+", re.DOTALL),
    regex=re.compile(r"/((?:\\.|[^/\\])+)/", re.DOTALL),
    dropped=(
        (
            re.compile(rf"(?:[A-Za-z_][\w.]*:)?{_RANGE}|[A-Za-z_][\w.]*:[<>]=?[^\s()]+"),
            "'{}' is a range that does not exist here: left out",
        ),
    ),
    field_name=NAMED_FIELD,
    fields={
        **dict.fromkeys(("title", "headline"), Field(Scope.TITLE)),
        **dict.fromkeys(("summary", "description", "abstract"), Field(Scope.SUMMARY)),
        **dict.fromkeys(("body", "content"), Field(Scope.BODY)),
        **dict.fromkeys(("text", "_all"), Field(Meaning.EVERYWHERE)),
        **dict.fromkeys(("author", "byline"), Field(Scope.AUTHOR)),
        **dict.fromkeys(("tag", "tags", "keywords"), Field(Scope.TAG)),
        **dict.fromkeys(("url", "link"), Field(Scope.URL)),
        **dict.fromkeys(("lang", "language"), Field(Attribute.LANG)),
        **dict.fromkeys(("site", "domain", "host"), Field(Attribute.SITE)),
        "country": Field(Attribute.COUNTRY),
        "category": Field(Attribute.CATEGORY),
    },
    wildcards=((re.compile(r"\\(.)", re.DOTALL), r"\1", ""),),
    slop=Slop.MOVES,
)

GOOGLE = Dialect(
    name="Google",
    levels=(
        frozenset({Role.AND}),
        frozenset({Role.NEAR}),
        frozenset({Role.OR}),
    ),
    implicit=Role.AND,
    signs=(
        word_sign(Role.AND, "AND", any_case=False),
        word_sign(Role.OR, r"OR|\|", any_case=False),
        word_sign(Role.NEAR, r"AROUND ?\((\d+)\)", any_case=False),
        sign(Role.OR, r"\|"),
        sign(Role.MINUS, r"-(?=[^\s-])"),
        sign(Role.PLUS, r"\+(?=[^\s+])"),
    ),
    word=re.compile(rf"(?:[^\s()|{QUOTES}]|{HEBREW_SIGN})+"),
    measures=(
        Measure(
            re.compile(r"when:(?P<number>\d+)(?P<unit>[hdmy])\b"),
            Quantity.AGE,
            Comparison.AT_MOST,
        ),
    ),
    dropped=(
        (
            re.compile(r"(?:before|after):\S+|\d+\.\.\d+"),
            "'{}': a rule looks at articles as they come: left out",
        ),
    ),
    field_name=NAMED_FIELD,
    fields={
        "intitle": Field(Scope.TITLE),
        "allintitle": Field(Scope.TITLE, everything=True),
        "intext": Field(Scope.BODY),
        "allintext": Field(Scope.BODY, everything=True),
        "inurl": Field(Scope.URL),
        "allinurl": Field(Scope.URL, everything=True),
        "site": Field(Attribute.SITE),
    },
    gap=("*", 4),
)
