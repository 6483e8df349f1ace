"""Queries as the help page of EMM writes them, and what they are here."""

# ruff: noqa: E501 - a definition stands on one line

CARRIED_OVER = [
    ("influenza 10", "influenza"),
    ("yellow+fever 10", '"yellow fever"'),
    ("influenza% 10", "influenza*"),
    ("wom_n 10", "wom?n"),
    ("influenza 10, cholera 10", "influenza OR cholera"),
    ("influenza 10, cholera 5", "influenza OR cholera"),
    ("words threshold 30 influenza 30, cholera 40", "influenza OR cholera"),
    ("words threshold 10 define patterns avian+flu 10 end patterns", '"avian flu"'),
    (
        "define alert Flu words threshold 30 define patterns influenza 30, H5N1 30 end patterns end alert",
        "influenza OR h5n1",
    ),
    ("define alert Flu define patterns influenza 30 end patterns end alert", "influenza"),
    ("define combination begin or flu end or end combination", "flu"),
    ("define combination begin or flu, cholera end or end combination", "flu OR cholera"),
    (
        "define combination begin or flu end or begin or death, outbreak% end or end combination",
        "flu AND (death OR outbreak*)",
    ),
    (
        "define combination begin or flu end or begin not sport end not end combination",
        "flu AND NOT sport",
    ),
    (
        "define combination begin or flu end or begin not sport, stock+market end not end combination",
        'flu AND NOT (sport OR "stock market")',
    ),
    (
        "define combination proximity 5 begin or flu end or begin or death end or end combination",
        "flu NEAR/4 death",
    ),
    (
        "define combination proximity 1 begin or flu end or begin or death end or end combination",
        "flu NEAR/0 death",
    ),
    (
        "define combination proximity 5 begin or flu, cholera end or begin or death, outbreak end or end combination",
        "(flu OR cholera) NEAR/4 (death OR outbreak)",
    ),
    (
        "define combination proximity 5 begin or flu end or begin or death end or begin or hospital end or end combination",
        "(flu NEAR/4 death) NEAR/4 hospital",
    ),
    (
        "define combination proximity 5 begin or flu end or begin not sport end not end combination",
        "flu AND NOT sport",
    ),
    (
        "define combination proximity 5 begin or flu end or begin or death end or begin not sport end not end combination",
        "flu NEAR/4 death AND NOT sport",
    ),
    (
        "define combination begin or flu end or end combination define combination begin or cholera end or end combination",
        "flu OR cholera",
    ),
    (
        "define alert X words threshold 10 define patterns ebola 10 end patterns define combination begin or flu end or begin or death end or end combination end alert",
        "ebola OR (flu AND death)",
    ),
    ("DEFINE ALERT X define patterns грипп 5 end patterns END ALERT", "грипп"),
]

# Theirs, ours, and what of theirs was lost.
WITH_LOSS = [
    (
        "words threshold 30 influenza 20, cholera 10, sport -20",
        "SCORE(influenza:20, cholera:10, sport:-20) >= 30",
        "influenza 20, cholera 10, sport -20",
    ),
    (
        "define combination proximity 200 begin or flu end or begin or death end or end combination",
        "flu NEAR/100 death",
        "flu end or begin or death",
    ),
    (
        "words threshold 20 define patterns flu% 10, yellow+fever 10, dengue+fever 15 end patterns",
        'SCORE(flu*:10, "yellow fever":10, "dengue fever":15) >= 20',
        "define patterns flu% 10, yellow+fever 10, dengue+fever 15 end patterns",
    ),
]
