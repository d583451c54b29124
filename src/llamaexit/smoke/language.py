"""In which language a text is, by its script and, where a script is shared, by the small words no sentence is without.

A sentence or two are needed. Of a text that gives too little to go by, nothing is said.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import get_args

from llamaexit.recipes.model import Language

_WORD = re.compile(r"[^\W\d_]+")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_LEAST_WORDS = 2
"""Different small words of a language that have to occur."""
_CLEARLY = 1.3
"""How many times more of them than of the next language."""

_SCRIPTS: tuple[tuple[str, str], ...] = (
    ("ar", r"[\u0600-\u06ff]"),
    ("el", r"[\u0370-\u03ff\u1f00-\u1fff]"),
    ("he", r"[\u0590-\u05ff]"),
    ("hi", r"[\u0900-\u097f]"),
    ("th", r"[\u0e00-\u0e7f]"),
    ("ko", r"[\u1100-\u11ff\uac00-\ud7af]"),
    ("kana", r"[\u3040-\u30ff]"),
    ("han", r"[\u3400-\u4dbf\u4e00-\u9fff]"),
    ("cyrillic", r"[\u0400-\u04ff]"),
    ("latin", r"[A-Za-z\u00c0-\u024f]"),
)
_OTHER_ARABIC = re.compile(r"[\u067e\u0686\u0698\u06af\u0679\u06d2]")
"""Letters of Persian and Urdu, which Arabic does without."""
_UKRAINIAN, _RUSSIAN = re.compile(r"[іїєґ]", re.IGNORECASE), re.compile(r"[ыэъё]", re.IGNORECASE)

_SMALL_WORDS: dict[str, frozenset[str]] = {
    code: frozenset(words.split())
    for code, words in {
        "cs": "a aby ale ani bez by být co do ho i jako je jeho jejich jen jsem jsou již k která které který může na"
        " není nebo od po pro při s se si svůj tak také tato ten to tím v ve více vše však z za ze že",
        "da/no": "af at av ble blev bli blir bliver da de den der deres det dette du efter eller en er et etter få for"
        " fra ham han har hadde havde hun hva hvad hvis hvor hvordan i ikke jeg kan kun kunne man med meg meget men mer"
        " mere mig mye når noe noen noget nogen og også om op opp over på sig seg sin skal som så til ud under uden"
        " uten ut var ved vi vil være været å",
        "de": "aber als am an auch auf aus bei bis das dass dem den der des die diese doch durch ein eine einem einen"
        " einer er es für haben hat ich ihr im in ist kann mehr mit nach nicht noch nur oder sein sich sie sind so über"
        " um und uns unter von vor war was wenn werden wie wir wird zu zum zur",
        "en": "a about all also an and are as at be been but by can do does for from had has have he her his how i if"
        " in is it its more my no not of on one or our out she so some than that the their them there these they this"
        " to up was we were what when which who will with would you your",
        "es": "a al así como con cuando de del desde donde el ella en entre era es esta está este esto estos fue ha han"
        " hasta hay la las le les lo los más me mi muy no nos o para pero por porque que qué se según ser si sí sin"
        " sobre son su sus también tiene todo un una unas y ya",
        "fi": "ei eivät että hän ja jo joka joita jos jotka kaikki kanssa koska kuin kun kuten mikä minä mitä mukaan"
        " mutta myös ne niin noin nyt oli olivat olla on ovat se sekä sen siitä sillä sitä tai tämä tämän vain voi"
        " voidaan",
        "fr": "a à au aussi aux avec avez ce ces cette comme dans de des deux donc du elle en entre est et été être eux"
        " fait il ils je la le les leur leurs lui mais même ne nous on ont ou où par pas plus pour qu que qui sa sans"
        " se ses si son sont sous sur un une vous",
        "it": "a ai al alla anche che chi ci come con cui da dai dal dalla degli dei del della delle di dopo e è ed era"
        " essere fra gli ha hanno i il in io la le lo loro ma molto nei nel nella non o ogni per perché più può quando"
        " questa questo se si sono su sua sul suo tra un una",
        "nl": "aan al als bij dan dat de deze die dit door een en er geen haar hebben heeft het hij hoe hun ik in is je"
        " kan maar meer met moet na naar niet nog nu of om onder onze ook op over te tot uit van veel voor waar was wat"
        " we wel werd wordt ze zich zijn zij zo zou u",
        "pl": "a aby ale albo bardzo bez być był było by co czy dla do gdy go i ich im ja jak jako je jego jej jest"
        " jeszcze już każdy które który którzy lub ma może można na nie nich nim o od oraz po pod przez przy się są ta"
        " tak także te tego też to tylko tym u w we więc z za że",
        "pt": "a ao aos as até com como da das de dela dele depois do dos e é ela ele eles em entre era essa esse esta"
        " está este foi há isso já lhe mais mas me mesmo muito na não nas nem no nos o os ou para pela pelo por porque"
        " quando que se sem ser seu seus são só sua também te tem um uma você",
        "sv": "att av blev bli blir de den denna deras det dig din du efter eller en ett från få för han har hennes hon"
        " hur i icke inte jag kan kommer kunde man med men mer mig mycket ni nu när någon något och också om oss på"
        " sedan sig sin ska skulle som så till under upp ut utan vad var vara vid vi vilka är över",
        "tr": "ama ancak bir biz bu bunu bütün çok da daha de diye en gibi göre hem her hiç ile için ise kadar ki"
        " kendi mi mı ne nasıl neden o olan olarak oldu olduğu on onu önce sonra şey şu tüm var ve veya ya yok",
    }.items()
}
"""Danish and Norwegian are told from Swedish, not from each other: their sentences often agree to the letter."""
_OWN_LETTERS = {
    "cs": "áčďéěíňóřšťúůýž", "da/no": "æøåéó", "de": "äöüß", "en": "éï", "es": "áéíñóúü", "fi": "äöå",
    "fr": "àâæçéèêëîïôœùûü", "it": "àèéìíòóù", "nl": "éëïóöü", "pl": "ąćęłńóśźż", "pt": "áâãàçéêíóôõú", "sv": "åäöé",
    "tr": "çğıİöşüâ",
}  # fmt: skip
_FOREIGN_LETTER = 0.5
"""What a letter that a language does without takes from its score: a name may bring one along."""


def language_of(text: str) -> str | None:
    """The ISO 639-1 code of the language most of a text is in, code blocks aside; None when that is not clear."""
    prose = _CODE.sub(" ", text)
    letters = {script: len(re.findall(pattern, prose)) for script, pattern in _SCRIPTS}
    total = sum(letters.values())
    if total == 0:
        return None
    east_asian = letters["kana"] + letters["han"]
    if 2 * east_asian > total:
        return "ja" if 10 * letters["kana"] > east_asian else "zh"
    script = max(letters, key=lambda name: letters[name])
    if 2 * letters[script] <= total:
        return None
    match script:
        case "latin":
            return _by_small_words(prose)
        case "cyrillic":
            return _cyrillic(prose)
        case "ar":
            return None if _OTHER_ARABIC.search(prose) else "ar"
    return script


def _cyrillic(text: str) -> str | None:
    ukrainian, russian = len(_UKRAINIAN.findall(text)), len(_RUSSIAN.findall(text))
    if ukrainian == russian:
        return None
    return "uk" if ukrainian > russian else "ru"


def _by_small_words(text: str) -> str | None:
    words = Counter(word.lower() for word in _WORD.findall(text))
    letters = Counter(letter for letter in text.lower() if letter.isalpha() and not letter.isascii())
    scores = {
        # a word that several languages have says little about any of them
        code: sum(count / _SHARED[word] for word, count in words.items() if word in small)
        - _FOREIGN_LETTER * sum(count for letter, count in letters.items() if letter not in _OWN_LETTERS[code])
        for code, small in _SMALL_WORDS.items()
    }
    (best, most), (_, next_most) = sorted(scores.items(), key=lambda item: -item[1])[:2]
    different = sum(word in words for word in _SMALL_WORDS[best])
    clear = different >= _LEAST_WORDS and most > 0 and most >= _CLEARLY * next_most
    return best if clear and best in LANGUAGES else None


LANGUAGES: frozenset[str] = frozenset(get_args(Language))
_SHARED = Counter(word for words in _SMALL_WORDS.values() for word in words)
