"""Street addresses and post office boxes, as the United States, the United Kingdom and Western Europe write them.

A number and a name are an address only with more that says so: a word for a street, a unit, or a city with its code.
Words that are also ordinary ones (Walk, Park, Square) need a comma, a unit, a code or the end of the line after them.
"""

import re
from collections.abc import Iterator

from filters.pii.recognizers.recognizer import Found, Recognizer

_UPPER, _LOWER = "A-ZÀ-ÖØ-ÞŁŚŻŹĆČŠŽŐŰ", "a-zß-öø-ÿłśżźćčšžőűąęń"
_WORD = rf"[{_UPPER}][\w'’.-]{{0,24}}"  # noqa: RUF001
_NUMBER = r"(?<![\w.,:/#$€£-])\d{1,5}(?:[A-Za-z](?!\w))?(?:[ ]?[-/][ ]?\d{1,4})?(?:[ ]1/2)?"
_DIRECTION = r"(?:[NSEW]\.?|[NS][EW]|North|South|East|West)"
_ORDINAL = r"\d{1,3}(?:st|nd|rd|th)"
_NAME = rf"(?:{_DIRECTION}[ ])?(?:(?:{_WORD}|{_ORDINAL}|of|the|de|la|du)[ ]){{1,4}}"
_ANY_NAME = (
    rf"(?:(?:{_WORD}|\d{{1,5}}[A-Za-z]?|{_ORDINAL}|of|the|de|da|di|do|del|la|du|des|van|von|der|den|ul\.)[ ]){{0,6}}"
)
_SURE = (
    "Street|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Highway|Hwy|Parkway|Pkwy|Expressway|Turnpike|Crescent|Cres|Terrace"
    "|Mews|Alley|Causeway|Embankment|Broadway"
    "|(?<!Hard )(?<!Flash )(?<!Disk )(?<!Thumb )(?<!Tape )(?<!Test )(?<!Wheel )Drive"
)
_UNSURE = (
    "St|Dr|Court|Ct|Place|Pl|Square|Sq|Way|Park|Walk|Close|Gardens|Gdns|Grove|Hill|Row|Circle|Cir|Loop|Trail|Trl"
    "|Path|Plaza|Green|Rise|View|Gate|Quay|Wharf|Yard|Point|Ridge|Run|Pass|Crossing|Pike|Route|Estate|Vale|Mill|Parade|Esplanade"
)
_UNIT = (
    r"(?:[,\s]{1,3}(?:(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|Room|Rm|Bldg|Building|Box)\b\.?[ ]?\#?[ ]?|\#[ ]?)"
    r"(?:[A-Za-z]?-?\d{1,5}[A-Za-z]?|[A-Z])\b"
    r"|[,\s]{1,3}(?:\d{1,2}(?:st|nd|rd|th)|Ground|First|Second|Third|Fourth|Fifth|Sixth|Top)[ ][Ff]loor\b)"
)
_ZIP = r"\d{5}(?:-\d{4})?(?!\d)"
_POSTCODE = r"[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2}\b"
_CANADA = r"[A-Z]\d[A-Z][ ]?\d[A-Z]\d\b"
_STATE = (
    r"(?:A[KLRZAEP]|C[AOT]|D[CE]|FL|G[AU]|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[ARW]|RI"
    r"|S[CD]|T[NX]|UT|V[AIT]|W[AIVY]|AB|BC|MB|NB|NL|NS|ON|PE|QC|SK|NSW|VIC|QLD|TAS|ACT)"
)
_CITY = rf"(?:{_WORD}[ ]?){{1,3}}"
_CODE = rf"(?:{_STATE}\.?,?[ ]{{1,2}}(?:{_ZIP}|{_CANADA}|\d{{4}}\b)|{_POSTCODE}|{_ZIP}|{_STATE}\b)"
_LOCALITY = rf"(?:[,\s]{{1,3}}{_CITY}){{1,2}},?[ ]?\s?{_CODE}"
_CODE_FIRST = (
    rf"[,\s]{{1,3}}(?:[A-Z]{{1,2}}-)?(?:\d{{4}}[ ]?[A-Z]{{2}}|\d{{4,5}}|\d{{2}}-\d{{3}})[ ]{_WORD}(?:[ -]{_WORD})?"
)
_SUFFIX = rf"(?:[ ](?:{_DIRECTION})\b)?"

_STREET = re.compile(
    rf"{_NUMBER},?[ ]{_NAME}"
    rf"(?:(?:{_SURE})\b\.?(?![ ][{_UPPER}][{_LOWER}])|(?:{_SURE}|{_UNSURE})\b\.?(?:(?={_UNIT})|(?={_LOCALITY})))"
    rf"{_SUFFIX}{_UNIT}?(?:{_LOCALITY})?"
)
_STREET_ALONE = re.compile(
    rf"{_NUMBER},?[ ]{_NAME}(?:{_UNSURE})\b\.?(?:(?=[ ]?$)|(?=,[ ][{_UPPER}][{_LOWER}])|(?=[ ]?[\n;]))", re.MULTILINE
)
# Any name at all, where a unit and a city with its code follow: "819 Anthony Fields Suite 083, Lake Mary, VA 60744"
_EVIDENT = re.compile(
    rf"{_NUMBER}[ ]{_ANY_NAME}(?:{_WORD}|\d{{1,5}}[A-Za-z]?)"
    rf"(?:{_UNIT}(?:{_LOCALITY})?|,?\s{{1,2}}{_CITY},?[ ]{_STATE},?[ ]{{1,2}}{_ZIP}|,[ ]{_CITY},?[ ]{_POSTCODE})"
)
# No number: "Rose Cottage, Mill Lane, Bath BA1 2AB"
_NAMED_HOUSE = re.compile(
    rf"(?:(?:{_WORD}[ ]){{1,2}}(?:House|Cottage|Lodge|Farm|Barn|Hall|Manor|Villa),[ ])?"
    rf"(?:{_WORD}[ ]){{1,3}}(?:{_SURE}|{_UNSURE}),[ ]{_CITY},?[ ]?{_POSTCODE}"
)
_LOWERCASE = re.compile(
    rf"(?<![\w.,:/#$€£-])\d{{1,5}}[ ](?:(?:[a-z][a-z'-]{{1,20}}|\d{{1,3}}(?:st|nd|rd|th))[ ]){{1,3}}"
    rf"(?:{_SURE}|{_UNSURE})\.?{_UNIT}?[,\s]{{1,3}}(?:[a-z]{{2,20}}[ ]?){{1,3}},?[ ]?{_STATE},?[ ]{_ZIP}",
    re.IGNORECASE,
)
# "i live at 12 main street": in lower case only where words announce it
_ANNOUNCED = re.compile(
    r"(?i)\b(?:liv(?:e[sd]?|ing)|address|resid(?:es?|ing)|mov(?:ed|ing)|stay(?:s|ed|ing)?)"
    r"[ ]?(?:at|is|to|:)[ ]{1,2}"
    rf"(\d{{1,5}}[a-z]?[ ](?:[a-z\d][\w'-]{{0,20}}[ ]){{1,4}}(?:{_SURE}|{_UNSURE})\b\.?{_UNIT}?)"
)
_AFTER = r"(?![\w:%€$]|[.,]\d)"
_GERMANIC = re.compile(
    rf"(?:\b[{_UPPER}][{_LOWER}{_UPPER}-]{{1,30}}"
    r"(?:[Ss]tra(?:ß|ss)e|[Ss]tr\.|[Aa]llee|[Cc]haussee|[Gg]asse|[Uu]fer|(?<!Nor)[Ww]eg|[Pp]latz|[Dd]amm|-[Rr]ing"
    r"|straat|laan|gracht|dijk|plein|singel|gatan|vägen|vej|veien|gaten|katu|kuja|polku|(?<=[a-zäöåøéð]{{4}})gata|stígur)"
    rf"|\b(?!D(?:er|ie|as|en|em)\b|Eine?r?\b){_WORD}[ ](?:Stra(?:ß|ss)e|Str\.|Gasse|Allee)"
    rf"|\b{_WORD}(?:[ ]{_WORD})?[ ](?:út|utca|tér|körút)"
    rf"|\b{_WORD}s[ ](?:vei|gate|gata|väg|plads|vej)"
    rf"|\b(?:Am|An der|Auf der|Auf dem|Im|In der|Zum|Zur)[ ]{_WORD}(?:[ ]{_WORD})?"
    r"(?=[ ]\d{1,4}[ ]?[a-z]?,?\s\d{4,5}[ ]))"
    rf"[ ]\d{{1,4}}(?:[ ]?[a-hA-H](?!\w))?{_AFTER}(?:{_CODE_FIRST})?"
)
_LINK = (
    r"(?:de[ ]la[ ]|de[ ]l['’]|de[ ]los[ ]|de[ ]las[ ]|del(?:la|l['’])?[ ]?|d['’]|des[ ]|du[ ]|de[ ]|da[ ]|do[ ]|dos[ ]"  # noqa: RUF001
    r"|di[ ]|la[ ]|los[ ]|las[ ])"
)
# Belgium and Luxembourg write the number last; a year there is the end of a sentence on an avenue.
_NUMBER_LAST = re.compile(
    rf"\b(?:Rue|Avenue|Chaussée|Boulevard|Allée|Quai)[ ]{_LINK}?(?:(?:{_WORD}(?:[ ]|\b)|{_LINK})){{1,4}}(?<![ ]),?[ ]"
    rf"(?!(?:1[89]|20)\d\d)\d{{1,4}}(?:[ ]?[A-Za-z](?!\w))?{_AFTER}(?:{_CODE_FIRST})?"
)
_FRENCH = re.compile(
    r"(?<![\w.,:/#$€£-])\d{1,4}(?:[ ]?(?:bis|ter|quater|[A-D]))?,?[ ]"
    rf"(?:[Rr]ue|[Aa]v(?:enue|\.)|[Bb](?:oulevard|d|vd)\.?|[Pp]lace|[Cc]hemin|[Ii]mpasse|[Aa]llées?|[Qq]uai"
    rf"|[Cc]ours|[Rr]oute|[Ss]quare|[Ff]aubourg|[Pp]assage|[Ss]entier)[ ]{_LINK}?"
    rf"(?:{_WORD}(?:[ ]|\b)|{_LINK}){{1,5}}(?<![ ])(?:{_CODE_FIRST})?"
)
_ROMANCE = re.compile(
    rf"\b(?:[Cc]alle|C/|[Aa]venida|Avda?\.|Av\.|[Pp]laza|Pza\.|[Pp]aseo|Via|Viale|V\.le|Piazza|P\.za|Corso|Largo|Vicolo"
    rf"|Rua|Travessa|Praça|Estrada|ul\.|[Uu]lica)[ ]?(?:{_LINK}|{_WORD}[ ]){{0,3}}{_WORD}(?<![.])"
    rf",?[ ](?:n[.º°]{{1,2}}[ ]?)?\d{{1,4}}"
    rf"(?:[ ]?[a-zA-Z](?!\w))?(?:/\d{{1,4}})?{_AFTER}(?:{_CODE_FIRST})?"
)
_BOX = re.compile(
    r"(?i)\b(?:P\.?[ ]?O\.?[ ]?Box|Post[ ]Office[ ]Box|GPO[ ]Box|Postfach|Postbus|Apartado(?:[ ]de[ ]correos)?"
    r"|Bo[iî]te[ ]postale|Casella[ ]postale|Caixa[ ]postal|Skr\.[ ]?pocztowa)[ ]?"
    r"(?:\#|n[.º°o]{1,2})?[ ]?\d[\d ]{0,9}(?<=\d)(?!\d)"
)
# Mail of the United States' forces: "PSC 1708, Box 0531, APO AP 05777", "USNS Mercy, FPO AP 96672"
_MILITARY = re.compile(
    rf"(?:(?:PSC|CMR|Unit)[ ]\d{{1,5}},?[ ]Box[ ]\d{{1,5}}|US(?:NS|NV|CGC|S)[ ]{_WORD}(?:[ ]{_WORD})?)"
    rf"[,\s]{{1,3}}[ADF]PO,?[ ]A[AEP][ ]{_ZIP}"
)
_BOX_LOCALITY = re.compile(rf"(?:{_LOCALITY}|{_CODE_FIRST})")

_BEFORE_YEAR = re.compile(
    r"(?i)\b(?:in|since|circa|ca?\.|during|from|until|of|by|year|the|to|early|late|summer|winter|fall|spring)[ ]$"
)
_YEAR = re.compile(r"(?:1[89]|20)\d\d(?!\d)")
_YEARS = re.compile(r"(?:1[89]|20)\d\d[ ]?-[ ]?(?:(?:1[89]|20)\d\d|\d\d)(?!\d)")
_SURNAME = re.compile(rf"(?:{_UNSURE}|Lane|Alley|Causeway)\.?$")
_COUNTABLE = """
    day days mile miles hour hours minute minutes year years way lane lanes inch feet foot ft mph km meter meters metre
    man men piece pieces degree degrees gb tb mb kg lb oz hp cc mm cm d people kid kids star stars best top most
    great new old big
"""
_COUNTED = frozenset(_COUNTABLE.split())
_COMMON_NOUNS = re.compile(
    r"(?:Arbeits|Park|Spiel|Sitz|Stell|Sport|Camping|Flug|Bau|Start|Schlaf|Steh|Tabellen|Rast|Lager|Golf|Tennis|Fußball)platz"
)


def _find(text: str) -> Iterator[Found]:
    for pattern, score in ((_STREET, 0.9), (_EVIDENT, 0.9), (_STREET_ALONE, 0.5), (_LOWERCASE, 0.9)):
        for hit in pattern.finditer(text):
            if not _is_counted(hit[0]) and not _is_year(text, *hit.span()):
                yield Found(*hit.span(), score)
    for pattern in (_NAMED_HOUSE, _FRENCH, _NUMBER_LAST, _ROMANCE, _GERMANIC, _MILITARY):
        for hit in pattern.finditer(text):
            if not _COMMON_NOUNS.match(hit[0]):
                yield Found(*hit.span(), 0.9)
    yield from (Found(*hit.span(1), 0.8) for hit in _ANNOUNCED.finditer(text))
    for hit in _BOX.finditer(text):
        rest = _BOX_LOCALITY.match(text, hit.end())
        yield Found(hit.start(), rest.end() if rest else hit.end(), 0.9)


def _is_counted(found: str) -> bool:
    """Tell "50 Mile Road" and "7 Best Street" from addresses: the number counts what follows it."""
    words = found.split(None, 2)
    return len(words) > 1 and words[1].lower().strip(".,") in _COUNTED


def _is_year(text: str, start: int, stop: int) -> bool:
    """Tell "in 1969 Abbey Road" and "2013-2019 Adam Lane" from addresses that begin with such a number."""
    if _YEARS.match(text, start):
        return True
    if not _YEAR.match(text, start) or any(map(str.isdigit, text[start + 4 : stop])):
        return False
    surname = _SURNAME.search(text, start, stop) is not None
    return surname or _BEFORE_YEAR.search(text, max(0, start - 12), start) is not None


STREET_ADDRESSES = Recognizer(
    name="StreetAddressRecognizer",
    entity="STREET_ADDRESS",
    needs=(
        rf"\d[\w/-]{{0,8}},?[ ][{_UPPER}\d]"
        r"|\d[\w ]{0,6},?[ ](?:rue|av|b|place|chemin|impasse|allée|quai|cours|route|square|faubourg|passage|sentier)"
        rf"|[{_LOWER}/.],?[ ](?:n[.º°]{{1,2}}[ ]?)?\d|[A-Z]\d[A-Z\d]?[ ]?\d[A-Z]{{2}}\b"
        r"|(?i:box|postfach|postbus|apartado|postale?|pocztowa)|PO,?[ ]A[AEP][ ]"
        r"|(?i:[ ](?:st|street|ave|avenue|rd|road|blvd|lane|dr|drive|ct)\b)"
    ),
    find=_find,
)
