"""What can be asked for is what something finds: Presidio's recognizers of all countries, spaCy, and the added ones."""

import importlib
import inspect
import pkgutil
from typing import get_args

from presidio_analyzer import PatternRecognizer, predefined_recognizers
from presidio_analyzer.predefined_recognizers import PhoneRecognizer, SpacyRecognizer

from curate.pii_match import PSEUDONYM_DIGITS
from filters.pii.entities import PLACEHOLDER, Entity
from filters.pii.recognizers import added


def shipped():
    """Every pattern recognizer in Presidio's package, whether its configuration names it or not."""
    for module in pkgutil.walk_packages(predefined_recognizers.__path__, f"{predefined_recognizers.__name__}."):
        if "third_party" not in module.name and ".ner" not in module.name:
            yield from vars(importlib.import_module(module.name)).values()


def can_be_made(kind):
    """Whether a recognizer needs no argument, unlike those that others are derived from."""
    parameters = list(inspect.signature(kind).parameters.values())
    return all(p.default is not p.empty or p.kind is p.VAR_KEYWORD for p in parameters)


def test_every_kind_is_found_by_something_and_the_other_way_round():
    kinds = {v for v in shipped() if isinstance(v, type) and issubclass(v, (PatternRecognizer, PhoneRecognizer))}
    theirs = {entity for kind in kinds if can_be_made(kind) for entity in kind().supported_entities}
    ours = {entity for recognizer in added("en") for entity in recognizer.supported_entities}
    assert set(get_args(Entity)) == theirs | ours | set(SpacyRecognizer.ENTITIES)


def test_kinds_are_in_order():
    assert list(get_args(Entity)) == sorted(get_args(Entity))


def test_placeholders_are_known_with_and_without_a_pseudonym():
    for written in ("<PERSON>", "<US_SSN>", f"<EMAIL_ADDRESS_{'0' * PSEUDONYM_DIGITS}>"):
        assert PLACEHOLDER.fullmatch(written)


def test_other_brackets_are_no_placeholder():
    assert PLACEHOLDER.search("<b> <NAME> PERSON <person>") is None
