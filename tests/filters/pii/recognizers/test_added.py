"""What all added recognizers promise: linear time, what they need, and Presidio's form."""

import importlib
import pkgutil
import re
from re import _constants as op
from re import _parser as parser

import pytest
from test_api_keys import KEYS
from test_dates_of_birth import DATED
from test_phones import NUMBERS
from test_social_handles import HANDLES
from test_spelled_emails import ADDRESSES as EMAILS
from test_street_addresses import ADDRESSES

from filters.pii import recognizers
from filters.pii.recognizers import ADDED, added

MODULES = [
    importlib.import_module(f"filters.pii.recognizers.{m.name}") for m in pkgutil.iter_modules(recognizers.__path__)
]
PATTERNS = [
    pytest.param(value, id=f"{module.__name__.rpartition('.')[2]}.{name}")
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, re.Pattern)
] + [pytest.param(re.compile(r.needs), id=f"{r.name}.needs") for r in ADDED]
SIZE = 100_000
HOSTILE = (
    *"a1 .@-+_/(\n",
    *("a.", "a-", "1 ", "01 ", "+1 ", "Aa ", "Aa-", "1 A ", "12 Ab Cd Ef Gh, Ab Cd, ", "@a ", "a@", "a at ", "a dot "),
    *("a at b dot c ", "a(at)", "-----BEGIN PRIVATE KEY-----", "://a:b", "://" + "a" * 99, "api_key=", "eyJaaaaaaaaa."),
    *(
        "born on ",
        "born\n\n\n\n",
        "rue de la ",
        "1 rue de la ",
        "Calle A ",
        "Calle de la ",
        "P.O. Box 1 ",
        "a" * 60 + ".",
    ),
    *(text for text, *_ in (DATED[3], NUMBERS[1], HANDLES[1], (EMAILS[4],), (ADDRESSES[3],))),
    *(text[: len(text) // 2] for text, *_ in (NUMBERS[2], HANDLES[8], (EMAILS[4],), (ADDRESSES[9],), (KEYS[-1][1],))),
)


@pytest.mark.parametrize("recognizer", ADDED, ids=[r.name for r in ADDED])
@pytest.mark.parametrize("unit", HOSTILE, ids=[repr(unit)[:30] for unit in HOSTILE])
def test_hostile_text_ends(recognizer, unit):
    """Not timed: with a pattern that backtracks into itself it would not end before the time limit of all tests."""
    text = (unit * (SIZE // len(unit) + 1))[:SIZE]
    recognizer.may_find(text)
    assert all(0 <= start < stop <= SIZE for start, stop, _ in recognizer.find(text))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_repetition_without_end_holds_another(pattern):
    """What is repeated without a bound is one character or one of several, so that nothing can be split two ways."""
    for body in unbounded(parser.parse(pattern.pattern, pattern.flags)):
        assert not any(code in REPEATS for code, _ in walk(body)), f"{body} in {pattern.pattern}"


REPEATS = {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT}


def walk(tree):
    """Every node of a parsed pattern."""
    for code, argument in tree:
        yield code, argument
        for part in flat(argument):
            if isinstance(part, parser.SubPattern):
                yield from walk(part)


def flat(argument):
    if isinstance(argument, (tuple, list)) and not isinstance(argument, parser.SubPattern):
        return [piece for part in argument for piece in flat(part)]
    return [argument]


def unbounded(tree):
    return [argument[2] for code, argument in walk(tree) if code in REPEATS and argument[1] == op.MAXREPEAT]


def test_presidio_gets_one_of_each_that_says_what_it_needs():
    for_presidio = added("de")
    assert [r.name for r in for_presidio] == [r.name for r in ADDED]
    assert len({r.name for r in for_presidio}) == len(ADDED)
    assert {r.supported_language for r in for_presidio} == {"de"}
    assert [r.needs for r in for_presidio] == [r.needs for r in ADDED]


def test_presidio_form_finds_the_same():
    text = "Ask @jane_smith, +44 20 7946 0958, 12 Main Street, born 14 March 1985, "
    text += "NO93 8601 1117 947, jane (at) example.com."
    told = {(f.entity_type, f.start, f.end) for r in added("en") for f in r.analyze(text, r.supported_entities)}
    assert told == {(r.entity, start, stop) for r in ADDED for start, stop, _ in r.find(text)}
    assert {entity for entity, _, _ in told} == {r.entity for r in ADDED} - {"API_KEY", "CREDIT_CARD"}


@pytest.mark.parametrize("recognizer", ADDED, ids=[r.name for r in ADDED])
def test_text_without_what_is_needed_costs_a_search(recognizer):
    assert not recognizer.may_find("two zebras graze in a field")
