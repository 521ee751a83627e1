"""Rendered documents that carry made-up people, and rendered things that only look like documents."""

import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from filters.pii.pictures.document_cues import check_digit

FIRST = ("ANNA", "PETER", "MARIA", "JOHN", "SOFIE", "PABLO", "LUISA", "HENRY")
LAST = ("ERIKSSON", "MUSTERMANN", "DUPONT", "GARCIA", "ROSSI", "JANSEN", "SMITH", "SILVA")


@dataclass(frozen=True)
class Document:
    """A picture as uint8[height, width, 3], RGB, and what it is; None for look-alikes."""

    what: str
    kind: str | None
    pixels: np.ndarray


def _page(size: tuple[int, int], rows: list[tuple[int, int, int, str]], draw: random.Random) -> np.ndarray:
    """Lay (left, top, height of writing, text) on a tinted page, on a table a little larger, a little turned."""
    tint = tuple(draw.randrange(205, 250) for _ in range(3))
    page = Image.new("RGB", size, tint)
    pen = ImageDraw.Draw(page)
    for left, top, height, text in rows:
        pen.text(
            (left, top), text, fill=tuple(draw.randrange(0, 70) for _ in range(3)), font=ImageFont.load_default(height)
        )
    angle = draw.uniform(-3, 3)
    turned = page.convert("RGBA").rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
    table = Image.new("RGB", (turned.width + 40, turned.height + 40), tuple(draw.randrange(60, 140) for _ in range(3)))
    table.paste(turned, (20, 20), turned)
    noise = np.random.default_rng(draw.randrange(2**32)).normal(0, 4, (table.height, table.width, 1))
    return np.clip(np.asarray(table) + noise, 0, 255).astype(np.uint8)


def _lines(
    texts: list[str], height: int, left: int = 30, top: int = 24, step: float = 1.7
) -> list[tuple[int, int, int, str]]:
    return [(left, round(top + row * height * step), height, text) for row, text in enumerate(texts)]


def _digits(draw: random.Random, count: int) -> str:
    return "".join(str(draw.randrange(10)) for _ in range(count))


def _zone(draw: random.Random, first: str, last: str) -> list[str]:
    number = "L" + _digits(draw, 8)
    birth, expiry = f"{draw.randrange(50, 99)}0{draw.randrange(1, 9)}12", f"3{draw.randrange(9)}0415"
    body = f"{number}{check_digit(number)}UTO{birth}{check_digit(birth)}F{expiry}{check_digit(expiry)}"
    return [f"P<UTO{last}<<{first}".ljust(44, "<"), body.ljust(43, "<") + "6"]


def passport(draw: random.Random) -> Document:
    first, last = draw.choice(FIRST), draw.choice(LAST)
    fields = [
        "PASSPORT   UTOPIA",
        f"Surname  {last}",
        f"Given names  {first}",
        "Nationality  UTOPIAN",
        "Date of birth  12 AUG 1974",
        "Place of birth  ZENITH",
        "Date of expiry  15 APR 2032",
    ]
    zone = [(20, 400 + 40 * row, 24, text) for row, text in enumerate(_zone(draw, first, last))]
    return Document("passport", "passport", _page((900, 500), [*_lines(fields, 26, left=300), *zone], draw))


def german_card(draw: random.Random) -> Document:
    fields = [
        "PERSONALAUSWEIS",
        f"Nachname {draw.choice(LAST)}",
        f"Vornamen {draw.choice(FIRST)}",
        "Geburtsdatum 12.08.1974",
        "Staatsangehörigkeit DEUTSCH",
        "Geburtsort BERLIN",
        "Gültig bis 31.10.2031",
    ]
    return Document("identity card, German", "identity_card", _page((680, 430), _lines(fields, 24, left=220), draw))


def french_card(draw: random.Random) -> Document:
    fields = [
        "CARTE NATIONALE D'IDENTITE",
        f"Nom: {draw.choice(LAST)}",
        f"Prénom(s): {draw.choice(FIRST)}",
        "Nationalité FRANÇAISE",
        "Date de naissance 12 08 1974",
        "Lieu de naissance PARIS",
        "Sexe F",
    ]
    return Document("identity card, French", "identity_card", _page((680, 430), _lines(fields, 24, left=220), draw))


def licence(draw: random.Random) -> Document:
    fields = [
        "DRIVER LICENSE   Oceania",
        f"DL no {_digits(draw, 9)}",
        f"LN {draw.choice(LAST)}",
        f"FN {draw.choice(FIRST)}",
        "Date of birth 08/12/1974",
        "Sex F  Height 5-06",
        "Expires 04/15/2032",
    ]
    return Document("driving licence", "driving_licence", _page((680, 430), _lines(fields, 24, left=220), draw))


def payment(draw: random.Random) -> Document:
    number = draw.choice(("4111 1111 1111 1111", "5555 5555 5555 4444", "4012 8888 8888 1881"))
    rows = [
        (40, 30, 30, "Harbour Bank"),
        (40, 200, 44, number),
        (300, 280, 24, "VALID THRU 09/31"),
        (40, 340, 28, f"{draw.choice(FIRST)} {draw.choice(LAST)}"),
    ]
    return Document("payment card", "payment_card", _page((680, 430), rows, draw))


def cv(draw: random.Random) -> Document:
    texts = [
        "Curriculum Vitae",
        f"{draw.choice(FIRST).title()} {draw.choice(LAST).title()}",
        "anna@example.org  +1 212 555 0143",
        "Work experience",
        "2019 - 2024  Engineer, Harbour Works",
        "2015 - 2019  Technician, North Yard",
        "Education",
        "2011 - 2015  B.Sc. Mechanics, City College",
        "Skills",
        "Welding, drawing, planning",
        "Languages",
        "English, German",
        "References",
        "On request",
    ]
    return Document("CV", "cv", _page((800, 1000), _lines(texts, 24), draw))


def untitled_cv(draw: random.Random) -> Document:
    texts = [
        f"{draw.choice(FIRST).title()} {draw.choice(LAST).title()}",
        "12 Main Street, anna@example.org",
        "Employment history",
        "Waiter, Blue Boat, 2020 to 2023",
        "Cook, Old Mill, 2018 to 2020",
        "Education",
        "High school diploma, 2018",
        "Skills",
        "Cooking, cash desk",
        "Hobbies",
        "Hiking, chess",
        "Languages",
        "English, Spanish",
    ]
    return Document("CV without a title", "cv", _page((800, 1000), _lines(texts, 24), draw))


LOOK_ALIKES = {
    "poster": ["SUMMER CONCERT", "Saturday 12 August", "City Park, 7 pm", "Free entry", "Food and drinks"],
    "receipt": [
        "HARBOUR MARKET",
        "Milk 1.20",
        "Bread 2.40",
        "TOTAL 3.60",
        "CARD 4.00",
        "12/08/2024 14:31",
        "Thank you",
    ],
    "page of a book": [
        "Chapter three",
        "In which the education of a boy begins",
        "He had no passport and no money, and",
        "the date of his birth was known to nobody,",
        "least of all to himself.",
    ],
    "travel poster": ["Get your PASSPORT ready!", "Discover Utopia", "Flights from 99", "Book now"],
    "school form": ["Registration form", "Name of pupil ______", "Class ______", "Lunch yes / no", "Parent signature"],
    "business card": ["Anna Smith", "Harbour Works Ltd", "Engineer", "+1 212 555 0143", "anna@example.org"],
    "street signs": ["STOP", "Main Street", "Parking 9-5", "No entry"],
    "loyalty card": ["BEAN HOUSE COFFEE", "Collect ten stamps", "Card no 0042 1187", "Free coffee"],
    "job advertisement": [
        "We are hiring",
        "Skills: welding, drawing",
        "Experience welcome",
        "Apply at jobs@example.org",
    ],
    "driving school": ["Driving school Miller", "Get your driving licence in 4 weeks", "Call 555-0143"],
    "parts list": ["4000 1234 5678 9012  bolt", "4000 1234 5678 9013  nut", "QTY 12/24", "Shelf B"],
    "library page": [
        "References",
        "[1] A. Smith, On harbours, 1999",
        "[2] B. Jones, On boats, 2004",
        "[3] C. Lee, 2010",
    ],
}

DOCUMENTS = (passport, german_card, french_card, licence, payment, cv, untitled_cv)


def documents(each: int) -> list[Document]:
    """Return that many of every kind, each with another person, tint and turn."""
    return [make(random.Random(f"{make.__name__} {i}")) for make in DOCUMENTS for i in range(each)]


def look_alikes(each: int) -> list[Document]:
    """Return that many of everything that is no document."""
    found = []
    for what, texts in LOOK_ALIKES.items():
        for i in range(each):
            draw = random.Random(f"{what} {i}")
            found.append(Document(what, None, _page((640, 420), _lines(texts, draw.choice((22, 28, 34))), draw)))
    return found
