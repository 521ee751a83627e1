"""Addresses of many countries go; numbers that count things, years and other numbered places stay."""

import pytest
from looking import found

from filters.pii.recognizers.street_addresses import STREET_ADDRESSES

ADDRESSES = (
    "12 Main Street",
    "12 Main St, Springfield, IL 62704",
    "742 Evergreen Terrace",
    "1176 Highland Drive",
    "1600 Pennsylvania Avenue NW, Washington, DC 20500",
    "350 5th Ave, New York, NY 10118",
    "4 N. Oak Blvd. Apt 12, Austin, TX 78701-1234",
    "98 Shirley Street, Suite 200",
    "88 Cedar Drive, Unit 4B, Boise, ID 83702",
    "819 Anthony Fields Suite 083\nLake Mary, VA 60744",
    "221B Baker Street, London NW1 6XE",
    "Flat 2, 14 Rose Lane, Bath BA1 2AB",
    "10 Downing Street, London SW1A 2AA",
    "Rose Cottage, Mill Lane, Bath BA1 2AB",
    "24 Sussex Drive, Ottawa, ON K1M 1M4",
    "12 Collins Street, Melbourne VIC 3000",
    "Musterstraße 12, 12345 Berlin",
    "Friedrich-Ebert-Str. 7a",
    "Lange Gasse 3, 1080 Wien",
    "Am Alten Markt 5, 14467 Potsdam",
    "Keizersgracht 174, 1016 DW Amsterdam",
    "12 rue de la Paix, 75002 Paris",
    "5 bis, avenue Victor Hugo",
    "Calle de Alcalá 45, 28014 Madrid",
    "Via Roma 12, 00184 Roma",
    "Rua Augusta, 120",
    "ul. Marszałkowska 10, 00-590 Warszawa",
    "Drottninggatan 71",
    "P.O. Box 123, Austin, TX 78701",
    "PO Box 4567",
    "Postfach 12 34, 10115 Berlin",
    "PSC 1708, Box 0531\nAPO AP 05777",
    "USNS Mercy\nFPO AP 96672",
    "772 Republica de Chile 7715 Suite 228",
    "6617 Klinta 36 Apt. 115",
    "Dózsa György út 78",
    "Hermiankatu 23",
    "Rue de Piétrain 371",
    "Wilhelmsens vei 83",
    "12 elm street, springfield, il 62704",
)
LOOK_ALIKES = (
    "a busy street with 5 cars",
    "the corner of Main Street and Elm Avenue",
    "50 Mile Road",
    "12 Angry Men",
    "7 Best Street Food stalls",
    "3 Kids Walk Home",
    "500 GB Hard Drive",
    "in 1969 Abbey Road was recorded",
    "since 1991 Wall Street has grown",
    "1991-1998, Thomas G. Lane.",
    "2021 Iain Lane",
    "24 Hour Drive through",
    "Central Park, New York",
    "the number 42 tram passes the church",
    "Boston, MA 02110",
    "10 Tulips in a Vase",
    "Chapter 3 The Long Road Home",
    "2 Red Double-Decker Buses",
    "Windows 10 Home Edition",
    "Parkplatz 12",
    "Spielplatz 3 ist geschlossen",
    "im Frühling 2015",
    "la rue est vide",
    "3 rues plus loin",
    "Via Appia",
    "Plaza Mayor",
    "a box of 12 eggs",
    "Figure 2 Street View of Paris",
    "5 Star Hotel",
    "100 Years of Solitude",
    "an 8 lane highway at night",
    "30 Rock",
    "cats live in 3 houses on the street",
    "IMG 1234 Market",
    "2 Adults 3 Kids Suite with a view",
    "on Fifth Avenue 2004",
    "USS Enterprise 1701",
)


ANNOUNCED = (
    ("i live at 12 main street", "12 main street"),
    ("my address is 4 old mill lane apt 3", "4 old mill lane apt 3"),
    ("She moved to 98 west 4th st.", "98 west 4th st."),
    ("address: 7 oak dr", "7 oak dr"),
)


def whole(address):
    """A flat may be found from its street on."""
    return {address, address.partition(", ")[2] if address.startswith("Flat") else address}


@pytest.mark.parametrize("address", ADDRESSES)
def test_address_goes(address):
    assert set(found(STREET_ADDRESSES, address)) <= whole(address)
    for around in ("{}", "She lives at {}.", "Send it to:\n{}\nToday", "({})"):
        (got,) = found(STREET_ADDRESSES, around.format(address))
        assert got.rstrip(".") in {a.rstrip(".") for a in whole(address)}


@pytest.mark.parametrize(("text", "address"), ANNOUNCED)
def test_address_in_lower_case_goes_where_words_announce_it(text, address):
    assert found(STREET_ADDRESSES, text) == [address]
    assert found(STREET_ADDRESSES, f"there is {address}") == []


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_other_numbers_and_places_stay(text):
    assert found(STREET_ADDRESSES, text) == []
    assert found(STREET_ADDRESSES, f"A photograph: {text}, at night.") == []
