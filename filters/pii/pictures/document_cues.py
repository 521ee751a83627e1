"""What tells an identity document, a payment card or a CV by what is written on it, and how much each cue counts."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from filters.pii.luhn import passes_luhn

PASSPORT, CARD, LICENCE, PAYMENT, CV = "passport", "identity_card", "driving_licence", "payment_card", "cv"

TITLES: Mapping[str, tuple[str, ...]] = {
    PASSPORT: (
        "passport", "passeport", "reisepass", "pasaporte", "passaporto", "passaporte", "paspoort", "paszport",
    ),
    CARD: (
        "identity card", "identification card", "national identity", "personalausweis", "identitätskarte",
        "carte nationale d'identité", "carte d'identité", "documento nacional de identidad", "carta d'identità",
        "cartão de cidadão", "identiteitskaart", "identity document", "residence permit", "aufenthaltstitel",
        "titre de séjour", "permiso de residencia", "resident card", "social security card", "health card",
    ),
    LICENCE: (
        "driving licence", "driver license", "driver's license", "drivers license", "driver licence", "führerschein",
        "permis de conduire", "permiso de conducir", "permiso de conducción", "patente di guida", "carta de condução",
        "rijbewijs", "prawo jazdy",
    ),
    CV: ("curriculum vitae", "résumé", "resume of", "lebenslauf", "currículum", "europass"),
}  # fmt: skip
"""A document's own name for itself."""

FIELDS = (
    ("surname", "last name", "family name", "nachname", "nom de famille", "apellidos", "cognome", "apelido"),
    ("given name", "first name", "forename", "vorname", "prénom", "nombre(s)", "prenom", "nome proprio"),
    ("date of birth", "birth date", "geburtsdatum", "geburtstag", "date de naissance", "fecha de nacimiento",
     "data di nascita", "data de nascimento", "geboortedatum"),
    ("place of birth", "geburtsort", "lieu de naissance", "lugar de nacimiento", "luogo di nascita"),
    ("nationality", "staatsangehörigkeit", "nationalité", "nacionalidad", "cittadinanza", "nacionalidade"),
    ("date of expiry", "expiry date", "expiration", "valid until", "gültig bis", "date d'expiration",
     "fecha de caducidad", "data di scadenza", "expires"),
    ("date of issue", "issue date", "ausstellungsdatum", "date de délivrance", "fecha de expedición",
     "data di rilascio"),
    ("document no", "passport no", "licence no", "license no", "card no", "personal no", "id number", "identity no",
     "ausweisnummer", "número de documento", "numéro de", "dl no"),
    ("authority", "issued by", "behörde", "autorité", "autoridad", "autorità"),
    ("holder's signature", "signature of bearer", "signature of holder", "unterschrift", "signature du titulaire"),
    ("sex", "sexe", "sexo", "geschlecht"),
    ("height", "größe", "taille", "eyes", "augenfarbe", "colour of eyes"),
)  # fmt: skip
"""Labels of a card's fields, one row a field."""

SECTIONS = (
    ("work experience", "professional experience", "employment history", "berufserfahrung",
     "expérience professionnelle", "experiencia laboral", "esperienza lavorativa"),
    ("education", "academic background", "ausbildung", "formation", "formación", "istruzione"),
    ("skills", "technical skills", "kenntnisse", "compétences", "habilidades", "competenze"),
    ("references", "referees", "referenzen", "références", "referencias"),
    ("languages", "sprachkenntnisse", "langues", "idiomas", "lingue"),
    ("certifications", "awards", "achievements", "publications", "zertifikate"),
    ("objective", "career objective", "professional summary", "personal statement", "profile"),
    ("hobbies", "interests", "personal details", "personal data", "persönliche daten"),
)  # fmt: skip
"""Headings of a CV's sections, each alone in its line."""

TITLE, FIELD, SECTION, LAYOUT = 0.4, 0.2, 0.22, 0.1
MRZ_READ, MRZ_CHECKED, CARD_NUMBER, CARD_EXPIRY = 0.8, 0.99, 0.45, 0.35
"""How much a cue counts: the share of the remaining doubt that it removes. Chosen by hand on rendered documents."""
FILLERS = 3
"""Pairs of fillers from which a line whose check digits cannot be read is one of a zone."""
HEADING_WORDS = 4
CV_LINES = 12

_MRZ = re.compile(r"[A-Z0-9<]{26,46}")
"""A line of TD1 has 30 characters, of TD2 36, of TD3 44 (ICAO Doc 9303, parts 4 to 6), or what was left of them."""
_CHECKED_FIELDS = (((0, 9), (13, 19)), ((0, 6), (8, 14)))
"""Number and birth in the second line of TD2 and TD3; birth and expiry in that of TD1. The check digit follows each."""
_DIGITS = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_EXPIRY = re.compile(r"(?<!\d)(?:0[1-9]|1[0-2]) ?/ ?(?:\d{2}|20\d{2})(?!\d)")
_CONTACT = re.compile(r"@|\+?\d[\d ().-]{7,}\d")


@dataclass(frozen=True)
class Cue:
    """Something written that speaks for a kind of document."""

    kind: str
    weight: float
    """Share of the remaining doubt that it removes, 0..1."""


def plain(text: str) -> str:
    """Return letters and digits alone, without accents and case: readers lose blanks and accents."""
    spread = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in spread if character.isalnum())


def cues(lines: Sequence[str], width: int, height: int) -> Iterator[Cue]:
    """Yield what the lines of a picture of that size in pixels speak for."""
    plains = [plain(line) for line in lines]
    found = [*_titles(plains), *_zone(lines), *_payment(lines)]
    fields = sum(_labelled(plains, names) for names in FIELDS)
    kind = next((cue.kind for cue in found if cue.kind in {PASSPORT, CARD, LICENCE}), CARD)
    found += [Cue(kind, FIELD)] * fields
    sections = sum(_headed(lines, names) for names in SECTIONS)
    found += [Cue(CV, SECTION)] * sections
    if sections and len(lines) >= CV_LINES and any(_CONTACT.search(line) for line in lines):
        found.append(Cue(CV, LAYOUT))
    if found and _is_card(width, height):
        found += [Cue(PAYMENT if any(c.kind == PAYMENT for c in found) else kind, LAYOUT)]
    yield from found


def _titles(plains: Sequence[str]) -> Iterator[Cue]:
    for kind, names in TITLES.items():
        if any(plain(name) in line for name in names for line in plains):
            yield Cue(kind, TITLE)


def _labelled(plains: Sequence[str], names: Sequence[str]) -> bool:
    """Tell whether a label begins a line, as labels of fields do; words inside a sentence are none."""
    return any(line.lstrip("0123456789").startswith(plain(name)) for name in names for line in plains)


def _headed(lines: Sequence[str], names: Sequence[str]) -> bool:
    short = {plain(line) for line in lines if len(line.split()) <= HEADING_WORDS}
    return any(plain(name) in short for name in names)


def _zone(lines: Sequence[str]) -> Iterator[Cue]:
    """Look for a machine-readable zone; readers turn its fillers into other marks, so lengths may be a little off."""
    for line in lines:
        upper = re.sub(r"[^A-Z0-9<]", "", line.upper().replace("«", "<<"))
        if not _MRZ.fullmatch(upper) or not (checked(upper) or upper.count("<<") >= FILLERS):
            continue
        kind = PASSPORT if upper.startswith("P") else CARD
        yield Cue(kind, MRZ_CHECKED if checked(upper) else MRZ_READ)


def checked(line: str) -> bool:
    """Tell whether a line of a machine-readable zone has two fields whose check digits are right."""
    return any(all(_is_checked(line, *field) for field in fields) for fields in _CHECKED_FIELDS)


def _is_checked(line: str, start: int, stop: int) -> bool:
    field, digit = line[start:stop], line[stop : stop + 1]
    return field.strip("<") != "" and digit.isdigit() and check_digit(field) == digit


def check_digit(field: str) -> str:
    """Return the digit of a field: values times 7, 3, 1 in turns, modulo 10 (ICAO Doc 9303 part 3, section 4.9)."""
    values = (0 if character == "<" else int(character, 36) for character in field)
    return str(sum(value * (7, 3, 1)[place % 3] for place, value in enumerate(values)) % 10)


def _payment(lines: Sequence[str]) -> Iterator[Cue]:
    whole = "\n".join(lines)
    if any(passes_luhn(re.sub(r"\D", "", hit[0])) for hit in _DIGITS.finditer(whole)):
        yield Cue(PAYMENT, CARD_NUMBER)
        if _EXPIRY.search(whole):
            yield Cue(PAYMENT, CARD_EXPIRY)


def _is_card(width: int, height: int) -> bool:
    """Tell whether a picture has the sides of ID-1 (85.60 x 53.98 mm) or of a passport's page (125 x 88 mm)."""
    ratio = max(width, height) / max(1, min(width, height))
    return any(abs(ratio - known) < 0.08 for known in (85.60 / 53.98, 125 / 88))  # noqa: PLR2004 - a margin cut off
