"""Personal values planted in captions, so that a run can be searched for every one of them.

None belongs to anybody: addresses at example.org (RFC 2606), telephone numbers 555-01xx, which North America keeps for
fiction, card numbers that payment processors publish for tests, addresses of the documentation network (RFC 5737),
the IBANs that banks print as examples, and names put together from lists of frequent ones.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Planted:
    """One personal value and the sentence that carries it."""

    kind: str
    """Presidio's name for what it is; the ledger has it as the reason of the edit."""
    value: str
    sentence: str
    """With `{}` in place of the value; it follows a picture's own caption."""
    searched: tuple[str, ...] = ()
    """Parts that must not be found either, such as a surname."""

    def caption(self, of_picture: str) -> str:
        """Return the whole caption: what the picture shows, then the sentence."""
        return f"{of_picture.rstrip(' .')}. {self.sentence.format(self.value)}"


PLANTED = (
    Planted("EMAIL_ADDRESS", "prints-and-frames@example.org", "For a large print of this write to {} any time."),
    Planted("EMAIL_ADDRESS", "j.hollister-wade@example.org", "The owner of the picture can be reached at {} by mail."),
    Planted("EMAIL_ADDRESS", "kirsten_okafor77@mail.example.com", "Please send your comments on it to {} today."),
    Planted("EMAIL_ADDRESS", "studio+orders@example.net", "Orders and questions about the picture go to {} only."),
    Planted("PHONE_NUMBER", "(212) 555-0143", "If you have seen it, please call me at {} in the evening."),
    Planted("PHONE_NUMBER", "415-555-0182", "My phone number is {} and I would like to sell this."),
    Planted("PHONE_NUMBER", "+1 646 555 0177", "Call {} to ask the seller whether it is still there."),
    Planted("CREDIT_CARD", "4111 1111 1111 1111", "This was paid for with the credit card {} last week."),
    Planted("CREDIT_CARD", "5555-5555-5555-4444", "The receipt beside it says that card {} was charged."),
    Planted("CREDIT_CARD", "378282246310005", "Use my credit card {} to buy the same picture again."),
    Planted("US_SSN", "536-90-4399", "The form behind it shows the social security number {} in ink."),
    Planted("IBAN_CODE", "DE89370400440532013000", "Donations for the keeper go to the bank account {} please."),
    Planted("IBAN_CODE", "GB82WEST12345698765432", "The deposit was sent to the bank account {} in London."),
    Planted("IP_ADDRESS", "192.0.2.44", "It was uploaded to the gallery from the address {} at night."),
    Planted("PERSON", "Margaret Hollingsworth", "The picture was taken by {} in the spring.", ("Hollingsworth",)),
    Planted("PERSON", "Robert Kowalczyk", "My neighbour {} gave it to his daughter.", ("Kowalczyk",)),
    Planted("PERSON", "Jennifer Castellanos", "It was photographed by {} during her holidays.", ("Castellanos",)),
    Planted("PERSON", "William Fitzgibbon", "My old teacher {} keeps this on his desk.", ("Fitzgibbon",)),
)


def searched_values() -> dict[str, str]:
    """Return {what must occur nowhere: its kind}; a number counts without its spaces and hyphens too."""
    found = {part: planted.kind for planted in PLANTED for part in (planted.value, *planted.searched)}
    digits = {p.value: "".join(c for c in p.value if c.isdigit()) for p in PLANTED}
    return found | {digits[p.value]: p.kind for p in PLANTED if p.kind in {"PHONE_NUMBER", "CREDIT_CARD", "US_SSN"}}
