"""Meltwater and Brandwatch: capitals between words, `n` counts the words between.

Sources: help.meltwater.com "How to master Boolean search" 1-3, support.brandwatch.com "Query operators".
"""

import re

from monitor.core.query.dialects.grammar import (
    BOOLEAN_LEVELS,
    COUNTED_WORD,
    NAMED_FIELD,
    Dialect,
    Field,
    Meaning,
    Role,
    Slop,
    sign,
    word_sign,
)
from monitor.core.query.expression import Attribute, Scope

_DEFAULT_NEAR = 4

MELTWATER = Dialect(
    name="Meltwater",
    levels=BOOLEAN_LEVELS,
    implicit=Role.AND,
    signs=(
        word_sign(Role.NEAR, r"NEAR(?:/(\d+))?", without=_DEFAULT_NEAR),
        word_sign(Role.ONEAR, r"ONEAR(?:/(\d+))?", without=_DEFAULT_NEAR),
        word_sign(Role.AND, "AND"),
        word_sign(Role.OR, "OR"),
        word_sign(Role.NOT, "NOT"),
    ),
    word=COUNTED_WORD,
    field_name=NAMED_FIELD,
    fields={
        "title": Field(Scope.TITLE),
        "headline": Field(Scope.TITLE),
        "ingress": Field(
            Meaning.LEAD, changed="the ingress becomes LEAD, which takes in the title as well"
        ),
        "body": Field(Scope.BODY),
        "author": Field(Scope.AUTHOR),
        "url": Field(Scope.URL),
        "sourceurl": Field(Attribute.SITE),
        "domain": Field(Attribute.SITE),
        "sourcecountry": Field(Attribute.COUNTRY),
        "country": Field(Attribute.COUNTRY),
        "language": Field(Attribute.LANG),
    },
    slop=Slop.BETWEEN,
)

BRANDWATCH = Dialect(
    name="Brandwatch",
    levels=BOOLEAN_LEVELS,
    implicit=Role.AND,
    signs=(
        word_sign(Role.ONEAR, r"NEAR/(\d+)f", any_case=False),
        word_sign(Role.NEAR, r"NEAR/(\d+)", any_case=False),
        word_sign(Role.AND, "AND", any_case=False),
        word_sign(Role.OR, "OR", any_case=False),
        word_sign(Role.NOT, "NOT", any_case=False),
        sign(Role.MINUS, r"-(?=[^\s-])"),
    ),
    word=COUNTED_WORD,
    exact=re.compile(r"\{([^{}]+)\}"),
    silent=re.compile(r"<<<.{0,1000}?>>>", re.DOTALL),
    dropped=(
        (
            re.compile(r"[A-Za-z]\w{0,30}:\[[^\]]{0,100}\]"),
            "'{}' is a range that does not exist here: left out",
        ),
    ),
    field_name=NAMED_FIELD,
    fields={
        "title": Field(Scope.TITLE),
        "author": Field(Scope.AUTHOR),
        "url": Field(Scope.URL),
        "site": Field(Attribute.SITE),
        "country": Field(Attribute.COUNTRY),
        "language": Field(Attribute.LANG),
        "raw": Field(Meaning.EXACT, changed="punctuation does not count here, case does"),
    },
    slop=Slop.BETWEEN,
)
