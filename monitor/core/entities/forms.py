"""The forms in which a name stands in a text, worked out when the gazetteer is loaded."""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

_ARABIC = ("و", "ف", "ب", "ل", "ك", "وب", "ول", "وك")
_HEBREW = (
    "ו",
    "ב",
    "ה",
    "ל",
    "כ",
    "מ",
    "ש",
    "וב",
    "וה",
    "ול",
    "וכ",
    "ומ",
    "וש",
    "שב",
    "שה",
    "של",
    "שמ",
)
# fmt: off
_KOREAN = (
    "은", "는", "이", "가", "을", "를", "의", "에", "에서", "에게", "에도", "와", "과", "도", "로", "으로", "만",
    "까지", "부터", "측", "측은", "측이",
)
# fmt: on
_ARTICLE = "ال"


def forms(name: str, lang: str) -> tuple[str, ...]:
    """Return the spellings of a name in running text, the name itself first.

    Arabic and Hebrew write one-letter words together with the next one, Korean its particles with the one before.
    """
    match lang.partition("-")[0]:
        case "ar":
            return (name, *(_with_arabic(prefix, name) for prefix in _ARABIC))
        case "he":
            return (name, *(prefix + name for prefix in _HEBREW))
        case "ko":
            return (name, *(name + particle for particle in _KOREAN))
        case _:
            return (name,)


def _with_arabic(prefix: str, name: str) -> str:
    """Put a prefix before a name; "for the" is written as one."""
    if prefix.endswith("ل") and name.startswith(_ARTICLE):
        return prefix + "ل" + name.removeprefix(_ARTICLE)
    return prefix + name
