"""Queries as the help pages of Google write them, and what they are here."""

CARRIED_OVER = [
    ("climate", "climate"),
    ("climate change", "climate AND change"),
    ('"climate change"', '"climate change"'),
    ("climate OR warming", "climate OR warming"),
    ("climate | warming", "climate OR warming"),
    ("climate OR warming policy", "(climate OR warming) AND policy"),
    ("policy climate OR warming", "policy AND (climate OR warming)"),
    ("climate AND policy", "climate AND policy"),
    ("climate -politics", "climate AND NOT politics"),
    ('climate -"global warming"', 'climate AND NOT "global warming"'),
    ("climate -(politics OR policy)", "climate AND NOT (politics OR policy)"),
    ("+climate policy", "climate AND policy"),
    ("intitle:climate", "title:climate"),
    ('intitle:"climate change" policy', 'title:"climate change" AND policy'),
    ("allintitle: climate change", "title:(climate AND change)"),
    ("allintitle:climate -politics", "title:(climate AND NOT politics)"),
    ("intext:climate", "body:climate"),
    ("inurl:opinion climate", "url:opinion AND climate"),
    ("climate site:bbc.co.uk", "climate AND site:bbc.co.uk"),
    ("climate -site:bbc.co.uk", "climate AND NOT site:bbc.co.uk"),
    ("climate site:bbc.co.uk OR site:cnn.com", "climate AND (site:bbc.co.uk OR site:cnn.com)"),
    ("climate site:bbc.co.uk/news", "climate AND site:bbc.co.uk AND url:news"),
    ("climate AROUND(3) policy", "climate NEAR/3 policy"),
    ('"climate change" AROUND(5) policy', '"climate change" NEAR/5 policy'),
    ("(climate OR warming) AROUND(2) policy", "(climate OR warming) NEAR/2 policy"),
    ('"to be * not"', '"to be" ONEAR/4 not'),
    ("climate when:7d", "climate AND age<=1w"),
    ("climate when:12h", "climate AND age<=12h"),
    ("(climate OR warming) (policy OR law)", "(climate OR warming) AND (policy OR law)"),
    ("“climate change” OR warming", '"climate change" OR warming'),
]

# Theirs, ours, and what of theirs was lost.
WITH_LOSS = [
    ("climate site:gov", "climate", "gov"),
    ("climate * policy", "climate AND policy", "*"),
    ("climate after:2026-01-01", "climate", "after:2026-01-01"),
    ("climate filetype:pdf", "climate", "filetype:pdf"),
]
