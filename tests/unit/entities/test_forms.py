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


@pytest.mark.parametrize("lang", ["ru", "uk", "pl", "cs", "sk", "sl", "hr", "sr", "de", "tr"])
def test_number_of_forms_is_bounded(lang: str) -> None:
    name = " ".join(["Новая Корея и Ия ostrovy Rosja é"] * 200)
    assert len(forms(name, lang)) <= 41
