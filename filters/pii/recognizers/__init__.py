"""Recognizers added where Presidio's own are weak. Each works on text alone, in any language, in linear time."""

from typing import Any

from filters.pii.recognizers.api_keys import API_KEYS
from filters.pii.recognizers.card_numbers import CARD_NUMBERS
from filters.pii.recognizers.dates_of_birth import DATES_OF_BIRTH
from filters.pii.recognizers.ibans import IBANS
from filters.pii.recognizers.phones import PHONES
from filters.pii.recognizers.private_emails import PRIVATE_EMAILS
from filters.pii.recognizers.recognizer import Recognizer, for_presidio
from filters.pii.recognizers.social_handles import SOCIAL_HANDLES
from filters.pii.recognizers.spelled_emails import SPELLED_EMAILS
from filters.pii.recognizers.street_addresses import STREET_ADDRESSES

ADDED: tuple[Recognizer, ...] = (
    API_KEYS,
    CARD_NUMBERS,
    DATES_OF_BIRTH,
    IBANS,
    PHONES,
    PRIVATE_EMAILS,
    SOCIAL_HANDLES,
    SPELLED_EMAILS,
    STREET_ADDRESSES,
)

__all__ = ["ADDED", "added"]


def added(language: str) -> list[Any]:
    """Return the Presidio `EntityRecognizer`s that join its own for a language ("en"), opened in a worker.

    Each has `needs`, a regular expression: a text in which it finds nothing holds nothing for that recognizer.
    """
    return [for_presidio(recognizer, language) for recognizer in ADDED]
