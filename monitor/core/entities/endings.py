"""Endings of names in the Slavic languages: tables for the declension of people, other nouns and adjectives.

A row gives genitive, dative, accusative, instrumental and locative in place of the ending: `a/b` are alternatives, `-`
is nothing, `X` is the ending without its last vowel. `*` is any other consonant.
"""

# ruff: noqa: RUF001 - letters of other alphabets are what this file is about

from collections.abc import Mapping
from types import MappingProxyType

_RUSSIAN = {
    "joins": "и — – -",
    "vowels": "аеёиоуыэюя",
    "never": "ние тие",
    "people": """
ский: ского скому ского ским ском
цкий: цкого цкому цкого цким цком
ый: ого ому ого ым ом
ой: ого ому ого ым/им ом
ская: ской ской скую ской ской
цкая: цкой цкой цкую цкой цкой
ная: ной ной ную ной ной
ова ева ёва: Xой Xой Xу Xой Xой
ина: ины/иной ине/иной ину иной ине/иной
ов ев ёв: Xа Xу Xа Xым Xе
ин: ина ину ина иным/ином ине
ын: ына ыну ына ыным ыне
ий: ия ию ия ием ии
й: я ю я ем е
ь: я ю я ем/ём е
ия: ии ии ию ией ии
я: и е ю ей/ёй е
ка га ха: Xи Xе Xу Xой Xе
жа ша ча ща: Xи Xе Xу Xей/Xой Xе
ца: цы це цу цей це
а: ы е у ой е
ец: ца/еца цу/ецу ца/еца цом/цем/ецом це/еце
ж ч ш щ: Xа Xу Xа Xем/Xом Xе
*: а у а ом е
""",
    "places": """
ия: ии ии ию ией ии
я: и е ю ей е
ка га ха: Xи Xе Xу Xой Xе
жа ша ча ща: Xи Xе Xу Xей Xе
ца: цы це цу цей це
а: ы е у ой е
ий: ия ию ий ием ии
й: я ю й ем е
ь: я/и ю/и ь ем/ью е/и
ство: ства ству ство ством стве
ние: ния нию ние нием нии
острова: островов островам острова островами островах
Острова: Островов Островам Острова Островами Островах
ы: ов/- ам ы ами ах
*: а у - ом е
""",
    "adjectives": """
ая: ой ой ую ой ой
яя: ей ей юю ей ей
ый: ого ому ый ым ом
ий: ого/его ому/ему ий им ом/ем
ое: ого ому ое ым/им ом
ее: его ему ее им ем
ые: ых ым ые ыми ых
ие: их им ие ими их
""",
}

_UKRAINIAN = {
    "joins": "і й та — – -",
    "vowels": "аеєиіїоуюя",
    "people": """
ський: ського ському ського ським ському/ськім
цький: цького цькому цького цьким цькому/цькім
ий: ого ому/ію/ієві ого им ому/ім
ська: ської ській ську ською ській
цька: цької цькій цьку цькою цькій
ова ева єва іна: Xої Xій Xу Xою Xій
ов ев єв: Xа Xу/Xові Xа Xим Xі/Xові/Xу
ін їн: Xа Xу/Xові Xа Xим/Xом Xі/Xові/Xу
ко: ка ку/кові ка ком ку/кові
ро: ра ру/рові ра ром рі/рові
ло: ла лу/лові ла лом лі/лові
ій: ія ію/ієві ія ієм ії/ієві
й: я ю/єві я єм ї/єві
ь: я ю/еві я ем і/еві/ю
ія: ії ії ію ією ії
я: і/ї і/ї ю ею/єю і/ї
ка: ки ці ку кою ці
га: ги зі гу гою зі
ха: хи сі ху хою сі
а: и і у ою і
*: а у/ові а ом/ем і/ові/у
""",
    "places": """
ія: ії ії ію ією ії
ея: еї еї ею еєю еї
я: і і ю ею і
ка: ки ці ку кою ці
га: ги зі гу гою зі
ха: хи сі ху хою сі
ша ча жа: Xі Xі Xу Xею Xі
а: и і у ою і
ай ей ой уй ій: Xя/Xю Xю/Xєві Xй Xєм Xї/Xю
усь: усі усі усь уссю усі
ь: я/ю/і ю/еві/і ь ем/лю і/еві/ю
ство: ства ству ство ством стві
ння: ння нню ння нням нні
дім: дому дому/домові дім домом домі
острови: островів островам острови островами островах
Острови: Островів Островам Острови Островами Островах
и: ів/- ам и ами ах
*: а/у у/ові - ом і/у/ові
""",
    "adjectives": """
ська: ської ській ську ською ській
цька: цької цькій цьку цькою цькій
зька: зької зькій зьку зькою зькій
лика: ликої ликій лику ликою ликій
на: ної ній ну ною ній
ова: ової овій ову овою овій
ня: ньої ній ню ньою ній
ий: ого ому ий им ому/ім
ій: ього ьому ій ім ьому
е: ого ому е им ому/ім
ські: ських ським ські ськими ських
ні: них ним ні ними них
ані: аних аним ані аними аних
""",
}

_POLISH = {
    "trailing": "yes",
    "joins": "i oraz - –",
    "vowels": "aąeęioóuy",
    "people": """
ski cki dzki: Xiego Xiemu Xiego Xim Xim
ska: skiej skiej ską ską skiej
cka: ckiej ckiej cką cką ckiej
owa: owej owej ową ową owej
ia: ii/i ii/i ię ią ii/i
ja: ji/i ji/i ję ją ji/i
ka: ki ce kę ką ce
ga: gi dze gę gą dze
ra: ry rze rę rą rze
ta: ty cie tę tą cie
da: dy dzie dę dą dzie
ła: ły le łę łą le
la: li li lę lą li
cha: chy sze chę chą sze
a: y ie ę ą ie
ij: ija ijowi ija ijem iju
k g: Xa Xowi Xa Xiem Xu
ch h: Xa Xowi Xa Xem Xu
l j c: Xa Xowi Xa Xem Xu
cz sz rz ż: Xa Xowi Xa Xem Xu
t: ta towi ta tem cie
st: sta stowi sta stem ście
d: da dowi da dem dzie
r: ra rowi ra rem rze
er: era/ra erowi/rowi era/ra erem/rem erze/rze
ł: ła łowi ła łem le
ń: nia niowi nia niem niu
ś: sia siowi sia siem siu
y: ego emu ego ym ym
*: a owi a em ie
""",
    "places": """
ia: ii/i ii/i ię ią ii/i
ja: ji/i ji/i ję ją ji/i
ea: ei ei eę eą ei
ka: ki ce kę ką ce
ga: gi dze gę gą dze
ra: ry rze rę rą rze
ta: ty cie tę tą cie
da: dy dzie dę dą dzie
ła: ły le łę łą le
la: li li lę lą li
cja: cji cji cję cją cji
ca cza sza ża: Xy Xy Xę Xą Xy
a: y ie ę ą ie
uś: usi usi uś usią usi
ń: ni/nia ni/niowi ń nią/niem ni/niu
ość: ości ości ość ością ości
ko: ka ku ko kiem ku
owo: owa owu owo owem owie
stwo: stwa stwu stwo stwem stwie
nie: nia niu nie niem niu
k g: Xu/Xa Xowi X Xiem Xu
ch l j c cz sz ż: Xu/Xa Xowi X Xem Xu
st: stu/sta stowi st stem ście
t: tu/ta towi t tem cie
d: du/da dowi d dem dzie
r: ru/ra rowi r rem rze
ł: łu/ła łowi ł łem le
y: -/ów om y ami ach
wyspy: wysp wyspom wyspy wyspami wyspach
Wyspy: Wysp Wyspom Wyspy Wyspami Wyspach
*: u/a owi - em ie
""",
    "adjectives": """
ska: skiej skiej ską ską skiej
cka: ckiej ckiej cką cką ckiej
dzka: dzkiej dzkiej dzką dzką dzkiej
zka lka: Xiej Xiej Xą Xą Xiej
ły: łego łemu ły łym łym
ólne: ólnego ólnemu ólne ólnym ólnym
owa: owej owej ową ową owej
na: nej nej ną ną nej
czna: cznej cznej czną czną cznej
ski cki dzki zki: Xiego Xiemu Xi Xim Xim
owy: owego owemu owy owym owym
ny: nego nemu ny nym nym
one: onych onym one onymi onych
skie: skich/skiego skim/skiemu skie skimi/skim skich/skim
ckie: ckich ckim ckie ckimi ckich
kie: kich kim kie kimi kich
owe: owych/owego owym/owemu owe owymi/owym owych/owym
""",
    "never": "ina Stany",
}

_CZECH = {
    "joins": "a – -",
    "vowels": "aáeéěiíoóuúůyý",
    "people": """
ová: ové ové ovou ovou ové
ská: ské ské skou skou ské
ký: kého kému kého kým kém
ný: ného nému ného ným ném
ij: ije iji/ijovi ije ijem iji/ijovi
skyj: ského skému ského ským ském
ka: ky kovi/ce ku kou kovi/ce
a: y ovi/ě/e u ou ovi/ě/e
ek: ka/eka kovi/ekovi ka/eka kem/ekem kovi/ekovi
š č ž ř j c: Xe Xi/Xovi Xe Xem Xi/Xovi
*: a ovi/u a em ovi/u
""",
    "places": """
ie: ie ii ii ií ii
ka: ky ce ku kou ce
ha ga: Xy Xze Xu Xou Xze
ra: ry ře ru rou ře
a: y ě/e u ou ě/e
ko: ka ku ko kem ku
vo: va vu vo vem vu/vě
ctví ství: Xí Xí Xí Xím Xí
ní: ní ní ní ním ní
el: elu/ele elu/eli el elem elu/eli
š č ž ř j c: Xe Xi X Xem Xi
ost: osti osti ost ostí osti
ace: ace aci aci ací aci
e: e i i í i
y: ů/- ům y y/ami ech/ách
ostrovy: ostrovů ostrovům ostrovy ostrovy ostrovech
*: u/a u - em u/ě/e
""",
    "adjectives": """
á: é é ou ou é
ý: ého ému ý ým ém
é: ých/ého ým/ému é ými/ým ých/ém
í: ího/ích ímu/ím í ím/ími ím/ích
""",
}

_SLOVAK = {
    "joins": "a – -",
    "vowels": "aáäeéiíoóôuúyý",
    "people": """
ová: ovej ovej ovú ovou ovej
ská: skej skej skú skou skej
ký: kého kému kého kým kom
ij: ija ijovi ija ijom ijovi
a: u/y ovi/e u om/ou ovi/e
*: a ovi a om ovi
""",
    "places": """
ia: ie ii iu iou ii
ka: ky ke ku kou ke
a: y e u ou e
ko: ka ku ko kom ku
vo: va vu vo vom ve
y: -/ov am/om y ami ach/och
*: u/a u - om e/u/i
""",
    "adjectives": """
ska: skej skej sku skou skej
á: ej ej ú ou ej
ý: ého ému ý ým om
é: ých/ého ým/ému é ými/ým ých/om
""",
}

_SLOVENE = {
    "joins": "in – -",
    "vowels": "aeiou",
    "people": """
ski: skega skemu skega skim skem
a: e/a i/u o/a o/om i/u
j c č š ž: Xa Xu Xa Xem Xu
*: a u a om/em u
""",
    "places": """
a: e i o o i
ska ška čka: Xe Xi Xo Xo Xi
j c č š ž: Xa Xu X Xem Xu
e: - am e ami ah
*: a u - om u
""",
    "adjectives": """
a: e i o o i
i: ega emu i im em
e: ih im e imi ih
""",
    "never": "ija ika ba ca",
}

_CROATIAN = {
    "joins": "i – -",
    "vowels": "aeiou",
    "people": """
ski: skog/skoga skom/skomu skog/skoga skim skom
ka: ke ki/ci ku kom ki/ci
a: e i u om i
j c č ć š ž đ: Xa Xu Xa Xem/Xom Xu
*: a u a om u
""",
    "places": """
ska ška čka ćka: Xe Xoj Xu Xom Xoj
ka: ke ci/ki ku kom ci/ki
ga: ge zi/gi gu gom zi/gi
a: e i u om i
o: a u o om u
j c č ć š ž đ: Xa Xu X Xem Xu
*: a u - om u
""",
    "adjectives": """
ska čka ška na: Xe Xoj Xu Xom Xoj
eća: eće ećoj eću ećom ećoj
ski: skog/skoga skom/skome ski skim skom
ni: nog/noga nom/nome ni nim nom
ne: nih nim/nima ne nim/nima nim/nima
ke: kih kim/kima ke kim/kima kim/kima
""",
}

_TO_CYRILLIC = (
    ("lj", "љ"), ("nj", "њ"), ("dž", "џ"),
    *zip("abvgdđežzijklmnoprstćufhcčš", "абвгдђежзијклмнопрстћуфхцчш", strict=True),
)  # fmt: skip


def _in_cyrillic(language: Mapping[str, str]) -> Mapping[str, str]:
    written = dict(language)
    for latin, cyrillic in _TO_CYRILLIC:
        written = {key: text.replace(latin, cyrillic) for key, text in written.items()}
    return written


TABLES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "ru": _RUSSIAN,
        "uk": _UKRAINIAN,
        "pl": _POLISH,
        "cs": _CZECH,
        "sk": _SLOVAK,
        "sl": _SLOVENE,
        "hr": _CROATIAN,
        "bs": _CROATIAN,
        "sr": _in_cyrillic(_CROATIAN),
        "sr-Latn": _CROATIAN,
    }
)
