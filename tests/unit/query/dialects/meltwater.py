"""Queries as the help pages of Meltwater write them, and what they are here."""

CARRIED_OVER = [
    ("apple", "apple"),
    ("apple watch", "apple AND watch"),
    ("apple AND watch", "apple AND watch"),
    ("apple OR iPhone", "apple OR iphone"),
    ('apple NOT "apple juice"', 'apple AND NOT "apple juice"'),
    ("apple and watch or phone", "(apple AND watch) OR phone"),
    (
        'apple AND (watch OR iwatch) NOT ("apple sauce" OR "apple orchard*")',
        'apple AND (watch OR iwatch) AND NOT ("apple sauce" OR "apple orchard*")',
    ),
    ("x OR y AND z", "x OR (y AND z)"),
    ("apple NEAR watch", "apple NEAR/4 watch"),
    ("apple NEAR/10 watch", "apple NEAR/10 watch"),
    ("apple ONEAR watch", "apple ONEAR/4 watch"),
    ("apple ONEAR/3 watch", "apple ONEAR/3 watch"),
    ("apple NEAR/0 watch", "apple NEAR/0 watch"),
    ("(shop OR store) NEAR/5 (center OR mall)", "(shop OR store) NEAR/5 (center OR mall)"),
    ('"security council" NEAR/6 resolution*', '"security council" NEAR/6 resolution*'),
    ("apple NEAR/3 watch AND price", "apple NEAR/3 watch AND price"),
    ("NOT juice AND apple", "NOT juice AND apple"),
    ("apple NOT (juice OR cider) NOT sauce", "apple AND NOT (juice OR cider) AND NOT sauce"),
    ("shop*", "shop*"),
    ("colo?r", "colo?r"),
    ("*burg", "*burg"),
    ('"apple orchard*"', '"apple orchard*"'),
    ("title:syria", "title:syria"),
    ("title:(syria AND iraq)", "title:(syria AND iraq)"),
    ('title:"security council"', 'title:"security council"'),
    ("ingress:syria", "LEAD(syria)"),
    ('sourceUrl:"bbc.co.uk" AND syria', "site:bbc.co.uk AND syria"),
    ("language:English AND syria", "lang:en AND syria"),
    ("country:gb AND syria", "country:gb AND syria"),
    ("author:smith AND syria", "author:smith AND syria"),
    ("apple^9 OR iphone^10", "apple OR iphone"),
    ("(watch OR ipad)^9 AND apple", "(watch OR ipad) AND apple"),
    ("“apple watch” OR «pomme»", '"apple watch" OR pomme'),
    ("apple NOT NOT juice", "apple AND juice"),
    ("((apple))", "apple"),
    ("apple,\nwatch; phone", "apple AND watch AND phone"),
]

# Theirs, ours, and what of theirs was lost.
WITH_LOSS = [
    ("apple NEAR/150 watch", "apple NEAR/100 watch", "watch"),
    ("sentiment:negative AND apple", "apple", "sentiment:negative"),
]
