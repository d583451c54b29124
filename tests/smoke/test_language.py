"""The language of an answer, told from its script and its small words; not told where there is too little."""

from __future__ import annotations

import pytest

from llamaexit.smoke.language import LANGUAGES, language_of

# everyday sentences of the kind assistants write, and article 1 of the Universal Declaration of Human Rights
TEXTS = {
    "ar": ["تقع المدينة على الساحل وهي معروفة بأسواقها القديمة."],
    "cs": ["Zboží můžete vrátit do třiceti dnů od nákupu, pokud máte účtenku.",
           "Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv. Jsou nadáni rozumem a svědomím a"
           " mají spolu jednat v duchu bratrství."],
    "de": ["Wasser kocht bei hundert Grad, aber in den Bergen kann es weniger sein.",
           "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt"
           " und sollen einander im Geist der Brüderlichkeit begegnen."],
    "el": ["Η Αθήνα είναι η πρωτεύουσα της Ελλάδας."],
    "en": ["Paris is the capital of France.", "Water boils at a hundred degrees; in the mountains it can be less.",
           "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience"
           " and should act towards one another in a spirit of brotherhood."],
    "es": ["El agua hierve a cien grados, pero en la montaña puede ser menos.",
           "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón y"
           " conciencia, deben comportarse fraternalmente los unos con los otros."],
    "fi": ["Vesi kiehuu sadassa asteessa, mutta vuorilla se voi olla vähemmän.",
           "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan. Heille on annettu järki ja"
           " omatunto, ja heidän on toimittava toisiaan kohtaan veljeyden hengessä."],
    "fr": ["Vous pouvez retourner l'article dans les trente jours suivant l'achat.",
           "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et de"
           " conscience et doivent agir les uns envers les autres dans un esprit de fraternité."],
    "he": ["ירושלים היא עיר עתיקה עם היסטוריה ארוכה."],
    "hi": ["दिल्ली भारत की राजधानी है और यमुना नदी के किनारे बसी है।"],
    "it": ["L'acqua bolle a cento gradi, ma in montagna può essere meno.",
           "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti. Essi sono dotati di ragione e di"
           " coscienza e devono agire gli uni verso gli altri in spirito di fratellanza."],
    "ja": ["東京は日本の首都であり、世界最大の都市の一つです。"],
    "ko": ["서울은 대한민국의 수도이며 한강을 끼고 있습니다."],
    "nl": ["U kunt het product binnen dertig dagen na aankoop terugsturen.",
           "Alle mensen worden vrij en gelijk in waardigheid en rechten geboren. Zij zijn begiftigd met verstand en"
           " geweten, en behoren zich jegens elkander in een geest van broederschap te gedragen."],
    "pl": ["Woda wrze w stu stopniach, ale w górach może to być mniej.",
           "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni obdarzeni rozumem i"
           " sumieniem i powinni postępować wobec innych w duchu braterstwa."],
    "pt": ["Você pode devolver o produto em até trinta dias após a compra.",
           "Todos os seres humanos nascem livres e iguais em dignidade e em direitos. Dotados de razão e de"
           " consciência, devem agir uns para com os outros em espírito de fraternidade."],
    "ru": ["Это самый большой город страны, и он стоит на реке."],
    "sv": ["Du kan lämna tillbaka varan inom trettio dagar efter köpet, om du har kvittot.",
           "Alla människor är födda fria och lika i värde och rättigheter. De har utrustats med förnuft och samvete och"
           " bör handla gentemot varandra i en anda av gemenskap."],
    "th": ["กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย"],
    "tr": ["Su yüz derecede kaynar, ama dağlarda daha az olabilir.",
           "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdana sahiptirler ve"
           " birbirlerine karşı kardeşlik zihniyeti ile hareket etmelidirler."],
    "uk": ["Київ — столиця України, і це найбільше місто країни."],
    "zh": ["北京是中国的首都，也是世界上人口最多的城市之一。"],
}  # fmt: skip
CASES = [pytest.param(text, code, id=f"{code} {n}") for code, texts in TEXTS.items() for n, text in enumerate(texts)]


@pytest.mark.parametrize(("text", "code"), CASES)
def test_a_sentence_is_told_by_its_language(text: str, code: str) -> None:
    assert language_of(text) == code


def test_every_language_a_recipe_may_name_is_tried_here() -> None:
    assert set(TEXTS) == LANGUAGES


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("42 + 7 = 49", id="figures"),
        pytest.param("Paris", id="a name"),
        pytest.param("qwen3:8b", id="a model"),
        pytest.param("Привет", id="a word both Russian and Ukrainian letters spell"),
        pytest.param("سلام، چطور می‌توانم کمک کنم؟", id="Persian, which is not among them"),
        pytest.param("Du kan returnere varen inden for tredive dage efter købet.", id="Danish, which is not either"),
        pytest.param("Paris ist schön. 东京是日本的首都。 Москва — это столица.", id="a third of each"),
    ],
)
def test_what_gives_too_little_to_go_by_is_not_told(text: str) -> None:
    assert language_of(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param(
            "The brand 小米 makes phones that are sold in many countries.", "en", id="a Chinese name in English"
        ),
        pytest.param("这个词 the 的意思是什么？它是英语中的冠词。", "zh", id="an English word in Chinese"),
        pytest.param("Das ist der Code:\n```\nfor the in of: print(and, is, it)\n```\nEr ist kurz.", "de", id="code"),
        pytest.param("The café is on the corner, and it is not open.", "en", id="a borrowed letter"),
    ],
)
def test_foreign_words_and_code_do_not_change_the_language(text: str, code: str) -> None:
    assert language_of(text) == code
