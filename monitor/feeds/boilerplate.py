"""What stands on pages beside their articles and passes for text: buttons, counters, leads given twice."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

_NO_LETTER = re.compile(r"[\W\d_]*")
_SHARED_WORDS = 8  # a longer line is a sentence, whatever its words are
_LEAD = 40  # characters; a shorter line may well be said twice
_NEAR = 3  # lines between a lead and its repetition
_WORD = re.compile(r"\w+")
# Lines that are made of nothing else are buttons.
_BUTTON_WORDS = frozenset(
    {
        *("share", "shares", "tweet", "email", "print", "pin", "pinterest", "facebook", "twitter", "x"),
        *("whatsapp", "telegram", "linkedin", "reddit", "messenger", "vk", "viber", "threads"),
        *("bluesky", "mastodon", "flipboard", "copy", "link", "url", "copied", "save", "bookmark"),
        *("like", "likes", "comments", "comment", "on", "via", "this", "article", "story", "follow"),
        *("us", "to", "by", "the", "with", "your", "friends", "instagram", "teilen", "drucken", "mail"),
        *("e", "merken", "kopieren", "auf", "artikel", "kommentare", "twittern", "partager", "imprimer"),
        *("envoyer", "par", "sur", "compartir", "imprimir", "enviar", "por", "en", "correo"),
        *("condividi", "stampa", "su", "compartilhar", "compartilhe", "deel", "delen", "dela"),
        *("udostępnij", "поделиться", "поделись", "в", "вконтакте", "одноклассники", "скопировать"),
        *("ссылку", "печать", "поширити", "поділитися", "копіювати", "посилання", "paylaş", "مشاركة"),
        *("شارك", "分享", "シェア"),
    }
)  # fmt: skip
# One of these makes a line of such words a button; `the story` alone may be a headline.
_BUTTON_SIGNS = frozenset(
    {
        *("share", "shares", "tweet", "print", "pinterest", "facebook", "twitter", "whatsapp"),
        *("telegram", "linkedin", "reddit", "messenger", "vk", "viber", "flipboard", "copy", "copied"),
        *("bookmark", "like", "likes", "instagram", "comments", "teilen", "drucken", "merken"),
        *("kopieren", "twittern", "kommentare", "partager", "imprimer", "envoyer", "compartir"),
        *("imprimir", "condividi", "stampa", "compartilhar", "compartilhe", "deel", "delen", "dela"),
        *("udostępnij", "поделиться", "поделись", "вконтакте", "одноклассники", "скопировать", "печать"),
        *("поширити", "поділитися", "копіювати", "paylaş", "مشاركة", "شارك", "分享", "シェア"),
    }
)  # fmt: skip
_FURNITURE = frozenset(
    {
        *("newsfeed", "news feed", "follow us", "loader", "loading", "chats", "chat", "menu", "search", "log in"),
        *("login", "log out", "sign in", "sign up", "register", "subscribe", "subscribe now"),
        *("advertisement", "advertising", "close", "read more", "read also", "see also", "related"),
        *("related articles", "more on this story", "skip to content", "back to top", "accept"),
        *("accept all", "cookies", "newsletter", "privacy policy", "terms of use", "ad", "anzeige"),
        *("anmelden", "registrieren", "mehr lesen", "lesen sie auch", "schließen", "suche"),
        *("zur startseite", "publicité", "se connecter", "s'abonner", "lire aussi", "fermer"),
        *("à lire aussi", "publicidad", "leer más", "iniciar sesión", "suscríbete", "cerrar"),
        *("lea también", "pubblicità", "accedi", "abbonati", "leggi anche", "реклама", "войти", "вход"),
        *("регистрация", "подписаться", "читайте также", "закрыть", "поиск", "лента новостей"),
        *("реєстрація", "увійти", "підписатися", "читайте також", "закрити", "пошук", "إعلان"),
        *("تسجيل الدخول", "اقرأ أيضا", "广告", "登录", "注册", "订阅", "広告"),
        *("ログイン", "関連記事", "광고", "로그인"),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """A text, and how many lines were left out of it, by why."""

    text: str
    left_out: Mapping[str, int] = field(default_factory=dict)


def clean(text: str, title: str = "") -> Cleaned:
    """Return `text`, a paragraph a line, without the lines that are none of the article's."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    lines = [line for line in lines if line]
    kept: list[str] = []
    seen: set[str] = set()
    left_out: Counter[str] = Counter()
    for place, line in enumerate(lines):
        plain = line.casefold().strip(" .:…»«|-\u2013\u2014")
        why = _furniture(plain)
        if not why and not kept and plain == title.casefold().strip():
            why = "title"
        if not why and (plain in seen or _is_begun_again(line, lines[place + 1 : place + _NEAR])):
            why = "repeated"
        if why:
            left_out[why] += 1
        else:
            kept.append(line)
            seen |= {plain} if len(plain) >= _LEAD else set()
    return Cleaned(text="\n\n".join(kept), left_out=dict(left_out))


def _furniture(plain: str) -> str:
    if _NO_LETTER.fullmatch(plain):
        return "number"
    if plain in _FURNITURE:
        return "furniture"
    words = _WORD.findall(plain)
    words = [word for word in words if not word.isdigit()]
    if (
        len(words) <= _SHARED_WORDS
        and _BUTTON_WORDS.issuperset(words)
        and not _BUTTON_SIGNS.isdisjoint(words)
    ):
        return "button"
    return ""


def _is_begun_again(line: str, following: list[str]) -> bool:
    """Tell whether one of the next lines says all of this one, and may go on."""
    begun = line.rstrip(" .…").casefold()
    return len(begun) >= _LEAD and any(after.casefold().startswith(begun) for after in following)
