"""Queries as the help pages of Factiva write them, and what they are here."""

CARRIED_OVER = [
    ("nokia and emerging markets", 'nokia AND "emerging markets"'),
    ("bill clinton", '"bill clinton"'),
    ("bill clinton or gore and george bush", '"bill clinton" OR (gore AND "george bush")'),
    ("merger or acquisition", "merger OR acquisition"),
    ("not software and merger", "NOT software AND merger"),
    ("wireless not cellular", "wireless AND NOT cellular"),
    ("x1 and y1 not z1", "x1 AND y1 AND NOT z1"),
    ("online banking and (retail or consumer)", '"online banking" AND (retail OR consumer)'),
    ("releases and [university or courses]", "releases AND (university OR courses)"),
    ('"peas and carrots"', '"peas and carrots"'),
    (
        "select releases and (university or instruction)",
        '"select releases" AND (university OR instruction)',
    ),
    ("World Cup adj5 rugby", '"world cup" ONEAR/4 rugby'),
    ("cup adj rugby", '"cup rugby"'),
    ("cup adj1 rugby", "cup ONEAR/0 rugby"),
    ("president w/2 bush", "president ONEAR/1 bush"),
    ("rugby adj5 world cup", 'rugby ONEAR/4 "world cup"'),
    ("carrefour near5 retail sales", 'carrefour NEAR/4 "retail sales"'),
    ("carrefour near1 sales", "carrefour NEAR/0 sales"),
    ("boeing 747/N30/british airways", '"boeing 747" NEAR/29 "british airways"'),
    ("toyota/F50/", "FIRST/50(toyota)"),
    ("vodafone same telecommunications", "PARA(vodafone AND telecommunications)"),
    ("atleast5 microsoft", "ATLEAST/5(microsoft)"),
    (
        "atleast10 olympics and atleast10 winter games",
        'ATLEAST/10(olympics) AND ATLEAST/10("winter games")',
    ),
    ("atleast3 (oil or gas)", "ATLEAST/3(oil OR gas)"),
    ("hd=merger", "title:merger"),
    ("hd=world cup", 'title:"world cup"'),
    ("hd=(merger or deal) and oil", "title:(merger OR deal) AND oil"),
    ("hlp=syria", "LEAD(syria)"),
    ("by=smith and oil", "author:smith AND oil"),
    ("la=en and oil", "lang:en AND oil"),
    ("wc>1000 and general electric", 'words>1000 AND "general electric"'),
    ("oil and wc<3000", "oil AND words<3000"),
    ("chariot*", "chariot*"),
    ("wom?n", "wom?n"),
    ("MERGER AND OIL", "merger AND oil"),
]

# Theirs, ours, and what of theirs was lost.
WITH_LOSS = [
    ("engineer$3", "engineer*", "engineer$3"),
    ("oil near600 gas", "oil NEAR/100 gas", "gas"),
    ("co=ibm and oil", "oil", "co=ibm"),
    ("oil and date after 01/01/2026", "oil", "date after 01/01/2026"),
]
