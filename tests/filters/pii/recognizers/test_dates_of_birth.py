"""A date goes where words say that it is of a birth; other dates stay."""

import pytest
from looking import found

from filters.pii.recognizers.dates_of_birth import DATES_OF_BIRTH

DATED = (
    ("DOB: 03/14/1985", "03/14/1985"),
    ("D.O.B. 14.03.1985", "14.03.1985"),
    ("Date of birth: 1985-03-14", "1985-03-14"),
    ("date of birth 14 March 1985", "14 March 1985"),
    ("Date of Birth (DD/MM/YYYY): 14/03/1985", "14/03/1985"),
    ("born on March 14, 1985 in Leeds", "March 14, 1985"),
    ("Jane Smith, born 14th March 1985", "14th March 1985"),
    ("born 14 Mar. 1985", "14 Mar. 1985"),
    ("born on the 14th of March, 1985", "14th of March, 1985"),
    ("Birthdate is 1985/03/14", "1985/03/14"),
    ("My birthday is 3/14/85", "3/14/85"),
    ("geb. 14.03.1985", "14.03.1985"),
    ("geboren am 14. März 1985 in Köln", "14. März 1985"),
    ("Geburtsdatum: 14.3.1985", "14.3.1985"),
    ("née le 14 mars 1985", "14 mars 1985"),
    ("Date de naissance : 14/03/1985", "14/03/1985"),
    ("Fecha de nacimiento: 14 de marzo de 1985", "14 de marzo de 1985"),
    ("nato il 14 marzo 1985", "14 marzo 1985"),
    ("Geboortedatum: 14-03-1985", "14-03-1985"),
    ("birth date\n14 03 1985", "14 03 1985"),
)
LOOK_ALIKES = (
    "14 March 1985",
    "photographed on 03/14/1985",
    "Born on the 4th of July",
    "born in 1985",
    "a new-born calf",
    "the band was reborn in May 1985",
    "Published: 1985-03-14",
    "birthday cake with 30 candles",
    "a birthday party, 12 kids",
    "place of birth: Leeds, 12 High Street",
    "born to run, 1975",
    "stubborn 10/10/2010 build",
    "the birthplace of jazz, 1917",
    "Bodybuilder 3/4/5 split",
    "score 10-12-2010",
    "born 2 weeks early",
    "geb. Müller, 2 Kinder",
    "native of Leeds; nature 1/2/3",
    "born with a silver spoon",
)


@pytest.mark.parametrize(("text", "date"), DATED)
def test_date_of_birth_goes(text, date):
    assert found(DATES_OF_BIRTH, text) == [date]
    assert found(DATES_OF_BIRTH, f"Form 12, {text}.") == [date]


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_other_dates_and_births_stay(text):
    assert found(DATES_OF_BIRTH, text) == []
