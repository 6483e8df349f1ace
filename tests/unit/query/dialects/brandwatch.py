"""Queries as the help pages of Brandwatch write them, and what they are here."""

CARRIED_OVER = [
    ("apple", "apple"),
    ("apple juice", "apple AND juice"),
    ('"apple juice"', '"apple juice"'),
    ("apple AND juice", "apple AND juice"),
    ("apple OR orange", "apple OR orange"),
    ("apple NOT juice", "apple AND NOT juice"),
    ("apple AND NOT juice", "apple AND NOT juice"),
    ("apple -juice", "apple AND NOT juice"),
    ("(apple OR orange) AND (phone OR smartphone)", "(apple OR orange) AND (phone OR smartphone)"),
    ("apple and juice", "apple AND and AND juice"),
    ('"apple juice"~5', "apple NEAR/5 juice"),
    ('"big apple juice"~5', "(big NEAR/5 apple) NEAR/5 juice"),
    (
        '((cake OR "ice cream") AND (birthday OR birthdays))~5',
        '(cake OR "ice cream") NEAR/5 (birthday OR birthdays)',
    ),
    (
        "(apple OR orange) NEAR/5 (smartphone OR phone)",
        "(apple OR orange) NEAR/5 (smartphone OR phone)",
    ),
    ("logitech NEAR/2f keyboard", "logitech ONEAR/2 keyboard"),
    ("logitech NEAR/0f keyboard", "logitech ONEAR/0 keyboard"),
    ("a1 NEAR/3 b1 AND c1", "a1 NEAR/3 b1 AND c1"),
    ("raw:Google+", "=Google"),
    ("{IT} AND support", "=IT AND support"),
    ("{Apple Pie}", '="Apple Pie"'),
    ('title:"apple juice"', 'title:"apple juice"'),
    ("title:(apple OR orange)", "title:(apple OR orange)"),
    ('site:twitter.com AND "apple juice"', 'site:twitter.com AND "apple juice"'),
    ('url:msn.com/news AND "simon cowell"', 'url:"msn.com news" AND "simon cowell"'),
    ("site:bbc.co.uk/news AND apple", "site:bbc.co.uk AND url:news AND apple"),
    ("author:bedo AND apple", "author:bedo AND apple"),
    ("language:en AND apple", "lang:en AND apple"),
    ("country:gb AND apple", "country:gb AND apple"),
    ("complain*", "complain*"),
    ("colo?r", "colo?r"),
    ("apple <<< the fruit >>> OR pear", "apple OR pear"),
    ("#apple OR @apple", "apple OR apple"),
]

# Theirs, ours, and what of theirs was lost.
WITH_LOSS = [
    ("rating:[1 TO 5] AND apple", "apple", "rating:[1 TO 5]"),
    ("links:msn.com AND apple", "apple", "links:msn.com"),
]
