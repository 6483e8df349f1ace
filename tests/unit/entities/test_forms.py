"""The case forms of names."""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

import pytest

from monitor.core.entities import forms

PEOPLE = [
    ("ru", "Лавров", "Лаврова Лаврову Лавровым Лаврове"),
    ("ru", "Зеленский", "Зеленского Зеленскому Зеленским Зеленском"),
    ("uk", "Порошенко", "Порошенка Порошенку Порошенкові Порошенком"),
    ("pl", "Ławrow", "Ławrowa Ławrowowi Ławrowem Ławrowie"),
    ("cs", "Lavrov", "Lavrova Lavrovovi Lavrovu Lavrovem"),
    ("hr", "Lavrov", "Lavrova Lavrovu Lavrovom"),
    ("sr", "Лавров", "Лаврова Лаврову Лавровом"),
    ("de", "Lawrow", "Lawrows"),
    ("tr", "Putin", "Putin'in Putin'e Putin'i Putin'le Putin'den"),
]
OTHERS = [
    ("ru", "Северная Корея", "Северной Кореи|Северной Корее|Северную Корею|Северной Кореей"),
    ("ru", "Босния и Герцеговина", "Боснии и Герцеговины|Боснию и Герцеговину"),
    ("ru", "Лига арабских государств", "Лиги арабских государств|Лигу арабских государств"),
    ("pl", "Korea Południowa", "Korei Południowej|Koreę Południową|Koreą Południową"),
    ("pl", "Stany Zjednoczone", "Stanów Zjednoczonych|Stanami Zjednoczonymi"),
    ("cs", "Spojené státy", "Spojených států|Spojeným státům|Spojenými státy"),
    ("de", "Vereinte Nationen", "Vereinten Nationen"),
    ("tr", "Güvenlik Konseyi", "Güvenlik Konseyi'nin|Güvenlik Konseyi'nde|Güvenlik Konseyi'ne"),
    ("tr", "ABD", "ABD'nin|ABD'ye|ABD'de"),
]


@pytest.mark.parametrize(("lang", "name", "wanted"), PEOPLE)
def test_surname_is_declined(lang: str, name: str, wanted: str) -> None:
    assert set(wanted.split()) <= set(forms(name, lang, person=True))


@pytest.mark.parametrize(("lang", "name", "wanted"), OTHERS)
def test_noun_and_its_adjectives_are_declined_and_the_rest_stays(
    lang: str, name: str, wanted: str
) -> None:
    assert set(wanted.split("|")) <= set(forms(name, lang))


@pytest.mark.parametrize(("lang", "name"), [("ru", "НАТО"), ("ru", "Чад"), ("ru", "Марокко")])
def test_abbreviation_short_name_and_indeclinable_stay(lang: str, name: str) -> None:
    assert forms(name, lang) == (name,)


@pytest.mark.parametrize(
    "lang",
    [
        "ru",
        "uk",
        "pl",
        "cs",
        "sk",
        "sl",
        "hr",
        "sr",
        "de",
        "tr",
        "fi",
        "et",
        "hu",
        "el",
        "lv",
        "lt",
        "ro",
        "bg",
    ],
)
def test_number_of_forms_is_bounded(lang: str) -> None:
    name = " ".join(["Новая Корея и Ия ostrovy Rosja é"] * 200)
    assert len(forms(name, lang)) <= 41


@pytest.mark.parametrize(
    ("lang", "name", "wanted"),
    [
        ("fi", "Lavrov", ["Lavrovin", "Lavrovia", "Lavroville", "Lavroviin"]),
        ("fi", "Syyria", ["Syyrian", "Syyriaa", "Syyriassa", "Syyriaan"]),
        ("fi", "Turkki", ["Turkin", "Turkissa", "Turkkiin", "Turkkia"]),
        ("fi", "Englanti", ["Englannin", "Englantiin"]),
        ("fi", "Virtanen", ["Virtasen", "Virtasta", "Virtaselle"]),
        ("fi", "Venäjä", ["Venäjällä", "Venäjää"]),
        ("et", "Lavrov", ["Lavrovi", "Lavroviga"]),
        ("et", "Süüria", ["Süürias", "Süüriasse"]),
        ("et", "Iraak", ["Iraagi", "Iraagist"]),
        ("et", "Egiptus", ["Egiptuse", "Egiptuses"]),
        ("hu", "Putyin", ["Putyinnak", "Putyinnal", "Putyint"]),
        ("hu", "Szíria", ["Szíriában", "Szíriával", "Szírián"]),
        ("hu", "Egyesült Államok", ["Egyesült Államokat", "Egyesült Államokkal"]),
        ("hu", "Merz", ["Merznek", "Merzet"]),
        ("hu", "Orbán Viktor", ["Orbán Viktornak", "Orbán Viktorral"]),
        ("hu", "Sándor Nagy", ["Sándor Nagyot", "Sándor Naggyal"]),
        ("hu", "Tömör", ["Tömörhöz", "Tömört"]),
        ("bg", "Съвет за сигурност", ["Съветът за сигурност", "Съвета за сигурност"]),
        ("mk", "Совет за безбедност", ["Советот за безбедност"]),
        ("el", "Συρία", ["Συρίας"]),
        ("el", "Ηνωμένες Πολιτείες", ["Ηνωμένων Πολιτείων"]),
        ("el", "Ευρωπαϊκή Ένωση", ["Ευρωπαϊκής Ένωσης"]),
        ("lv", "Drošības padome", ["Drošības padomes", "Drošības padomē"]),
        ("lv", "Apvienotās Nācijas", ["Apvienoto Nāciju", "Apvienotajām Nācijām"]),
        ("lt", "Jungtinės Tautos", ["Jungtinių Tautų", "Jungtinėse Tautose"]),
        ("lt", "Saugumo Taryba", ["Saugumo Tarybos"]),
        ("ro", "Uniunea Europeană", ["Uniunii Europene"]),
        ("ro", "Consiliul de Securitate", ["Consiliului de Securitate"]),
    ],
)
def test_names_take_endings_and_suffixes(lang: str, name: str, wanted: list[str]) -> None:
    made = forms(name, lang)
    assert made[0] == name
    assert len(made) == len(set(made))
    assert set(wanted) <= set(made)


@pytest.mark.parametrize(
    ("lang", "name", "wanted"),
    [
        ("lv", "Sergejs Lavrovs", "Sergejam Lavrovam"),
        ("lt", "Sergejus Lavrovas", "Sergejaus Lavrovo"),
        ("el", "Γιώργος Παπαδόπουλος", "Γιώργου Παπαδόπουλου"),
    ],
)
def test_given_names_and_surnames_change_together(lang: str, name: str, wanted: str) -> None:
    assert wanted in forms(name, lang, person=True)


@pytest.mark.parametrize(
    ("lang", "name", "person"),
    [
        ("fi", "YK", False),
        ("et", "ÜRO", False),
        ("hu", "ENSZ", False),
        ("fi", "G20", False),
        ("el", "ΟΗΕ", False),
        ("bg", "Сирия", False),
        ("ro", "Klaus Iohannis", True),
    ],
)
def test_what_does_not_change_stays_as_it_is(lang: str, name: str, person: bool) -> None:
    assert forms(name, lang, person=person) == (name,)
