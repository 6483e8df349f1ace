"""Factiva and Lexis: operators in any case, positions counted from word to word, so that `n` is one more than ours.

Sources: Factiva Developer's Kit "Search statement operators" and the Factiva "Search builder" help; Lexis help
"Connector order and priority", "Terms & connectors reference".
"""

import re

from monitor.core.query.dialects.grammar import (
    PLAIN_WORD,
    Dialect,
    Field,
    Meaning,
    Measure,
    Role,
    Sign,
    sign,
    word_sign,
)
from monitor.core.query.expression import Attribute, Quantity, Scope
from monitor.core.query.lexer import HEBREW_SIGN, QUOTES

_SUBJECT = "what an article is indexed under is not known here: left out"

FACTIVA = Dialect(
    name="Factiva",
    levels=(
        frozenset({Role.OR}),
        frozenset({Role.AND}),
        frozenset({Role.AND_NOT}),
        frozenset({Role.NEAR, Role.ONEAR, Role.PARAGRAPH}),
        frozenset({Role.ADJACENT}),
    ),
    operand=3,
    implicit=Role.ADJACENT,
    signs=(
        word_sign(Role.NEAR, r"near(\d+)", shift=-1),
        Sign(Role.NEAR, re.compile(r"(?i)/n(\d+)/"), shift=-1),
        sign(Role.FIRST, r"(?i)/f(\d+)/"),
        word_sign(Role.ONEAR, r"adj ?(\d+)|w/(\d+)", shift=-1),
        word_sign(Role.ADJACENT, "adj"),
        word_sign(Role.PARAGRAPH, "same"),
        word_sign(Role.AT_LEAST, r"atleast ?(\d+)"),
        word_sign(Role.AND, "and"),
        word_sign(Role.OR, "or"),
        word_sign(Role.AND_NOT, "(?:and )?not"),
    ),
    brackets="()[]",
    word=re.compile(rf"(?:(?!/[NnFf]\d+/)(?:[^\s()\[\]{QUOTES}]|{HEBREW_SIGN}))+"),
    measures=(
        Measure(re.compile(r"(?i:wc)\s*(?P<sign>[<>]=?)\s*(?P<number>\d+)"), Quantity.WORDS),
    ),
    dropped=(
        (
            re.compile(
                r"(?i)date\s+(?:after|before|on)\s+[^\s()]+|date\s+from\s+[^\s()]+\s+to\s+[^\s()]+"
            ),
            "'{}': a rule looks at articles as they come: left out",
        ),
    ),
    field_name=re.compile(r"([A-Za-z]{2,4})=\s*"),
    fields={
        "hd": Field(Scope.TITLE),
        "hl": Field(Scope.TITLE),
        "hlp": Field(Meaning.LEAD),
        "lp": Field(
            Meaning.LEAD, changed="the lead becomes LEAD, which takes in the title as well"
        ),
        "td": Field(Scope.BODY),
        "tx": Field(Scope.BODY),
        "by": Field(Scope.AUTHOR),
        "la": Field(Attribute.LANG),
        "ns": Field(Meaning.NOTHING, lost=_SUBJECT),
    },
    wildcards=(
        (re.compile(r"\$\d?"), "*", "'$' becomes '*', which stands for any number of letters"),
    ),
)

LEXIS = Dialect(
    name="Lexis",
    levels=(
        frozenset({Role.AND_NOT}),
        frozenset({Role.AND}),
        frozenset({Role.PARAGRAPH}),
        frozenset({Role.SENTENCE}),
        frozenset({Role.NEAR, Role.ONEAR, Role.NOT_NEAR}),
        frozenset({Role.OR}),
        frozenset({Role.ADJACENT}),
    ),
    implicit=Role.ADJACENT,
    closest_first=True,
    signs=(
        word_sign(Role.NOT_NEAR, r"not (?:w/|near/|/)(\d+)", shift=-1),
        word_sign(Role.ONEAR, r"(?:pre/|onear/|\+)(\d+)", shift=-1),
        word_sign(Role.NEAR, r"(?:w/|near/|/)(\d+)", shift=-1),
        word_sign(Role.SENTENCE, r"w/s(?:ent)?|/s"),
        word_sign(Role.PARAGRAPH, r"w/p(?:ara)?|/p"),
        word_sign(Role.AND_NOT, r"and ?not|but ?not|not"),
        word_sign(Role.AND, "and|&"),
        word_sign(Role.OR, "or"),
    ),
    word=PLAIN_WORD,
    measures=(
        Measure(
            re.compile(r"(?i:length)\s*\(?\s*(?P<sign>[<>]=?)\s*(?P<number>\d+)\)?"), Quantity.WORDS
        ),
    ),
    dropped=(
        (
            re.compile(
                r"(?i)date(?:\s*\([^()]{0,50}\)|(?:\s*[<>=]+\s*|\s+(?:is|aft|bef)\s+)[^\s()]*)"
            ),
            "'{}': a rule looks at articles as they come: left out",
        ),
    ),
    field_name=re.compile(r"(?i)([a-z]+)(\d+)?(?=\()"),
    fields={
        "headline": Field(Scope.TITLE),
        "title": Field(Scope.TITLE),
        "hlead": Field(Meaning.LEAD),
        "lead": Field(Meaning.LEAD, changed="the lead becomes LEAD, which takes in the title too"),
        "body": Field(Scope.BODY),
        "text": Field(Scope.BODY),
        "byline": Field(Scope.AUTHOR),
        "author": Field(Scope.AUTHOR),
        "language": Field(Attribute.LANG),
        "atleast": Field(Meaning.AT_LEAST),
        "allcaps": Field(Meaning.UPPER),
        "caps": Field(Meaning.NOTHING, lost="'caps' is left out: write =Word for one spelling"),
        "nocaps": Field(Meaning.NOTHING, lost="'nocaps' is left out: write =word for one spelling"),
        "singular": Field(Meaning.NOTHING, changed="a word stands for itself here, no other form"),
        "plural": Field(Meaning.NOTHING, changed="a word stands for itself here, no other form"),
    },
    wildcards=((re.compile("!"), "*", ""),),
)
