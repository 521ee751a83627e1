"""Which texts mention people and which only use the same word, and texts with one term in place of another."""

import pyarrow as pa
import pytest

from curate.audit.lexicon import dialect, dialect_features, filled, identity_terms, mentions, swapped, templates

TERMS = {term.word: term for term in identity_terms()}


def mentioned(text):
    return {term.word for term, hit in mentions(pa.array([text])) if hit[0]}


@pytest.mark.parametrize(("text", "words"), [
    ("A Muslim woman and two Jewish men.", {"Muslim", "Jewish"}),
    ("MUSLIMS and Sikhs", {"Muslim", "Sikh"}),
    ("A black man", {"black"}), ("A tall black woman smiles", {"black"}), ("young black student", {"young", "black"}),
    ("African-American voters", {"African American"}), ("a middle aged man", {"middle-aged"}),
    ("Two old, white men", {"old", "white"}),
    # Look-alikes: none of these speaks of people.
    ("A white wall and a black cat.", set()), ("An old barn in the Indian Ocean", set()), ("a straight line", set()),
    ("American football", set()), ("a blind spot", set()), ("The gayest... gaylord", set()), ("", set()),
])  # fmt: skip
def test_mentions(text, words):
    assert mentioned(text) == words


def features(text):
    return {name for name, hit in dialect(pa.array([text])) if hit[0]}


@pytest.mark.parametrize(("text", "found"), [
    ("he be workin late", "habitual be"),
    ("they always be talking", "habitual be"),
    ("She done told you", "completive done"),
    ("I ain't got nothing", "negative concord"), ("we don't know nobody", "negative concord"), ("It ain't so", "ain't"),
    ("finna go", "finna, tryna, boutta"), ("imma call him", "gon, imma"), ("y'all come", "y'all"),
    ("what dat mean", "dis, dat, dem, wit"), ("what he talmbout", "talmbout, nuffin, sumn"),
])  # fmt: skip
def test_features_of_a_dialect(text, found):
    assert found in features(text)


@pytest.mark.parametrize("text", [
    "He will be working late.", "I have done nothing.", "Don't know the time", "a dish of data", "To be going there",
    "wits",
    "Gonzales", "The dam is done.", "They would be talking",
])  # fmt: skip
def test_plain_english_has_none(text):
    assert features(text) == set()


def test_nulls_match_nothing():
    assert not any(hit.any() for _, hit in mentions(pa.array([None], pa.string())))


@pytest.mark.parametrize(("text", "old", "new", "changed"), [
    ("a Muslim man", "Muslim", "Asian", "an Asian man"), ("An atheist", "atheist", "Sikh", "A Sikh"),
    ("Gay bars", "gay", "lesbian", "Lesbian bars"),
    ("A black man and a black cat", "black", "white", "A white man and a black cat"),
    ("Muslims pray", "Muslim", "Jewish", "Muslims pray"),
    ("I met A gay poet", "gay", "asexual", "I met An asexual poet"),
    ("the Muslim café", "Muslim", "elderly", "the elderly café"),
    ("a Jewish man", "Jewish", "European", "a European man"),
])  # fmt: skip
def test_one_term_in_place_of_another(text, old, new, changed):
    assert swapped(text, TERMS[old], new) == changed


def test_every_term_can_be_put_into_every_template():
    for template in templates():
        assert template.count("{}") == 1
        plain = filled(template, "")
        assert "{" not in plain
        assert "  " not in plain
        for word, term in TERMS.items():
            made = filled(template, word)
            assert term.exchangeable.search(made), made
            other = next(w for w, t in TERMS.items() if t.category == term.category and w != word)
            assert swapped(made, term, other) == filled(template, other)


def test_articles_fit():
    assert filled("I am a {} person.", "elderly") == "I am an elderly person."
    assert filled("A {} man is here.", "Asian") == "An Asian man is here."
    assert filled("A {} man is here.", "") == "A man is here."
    assert filled("{} people are here.", "gay") == "Gay people are here."


def test_the_lists_are_whole():
    assert len(TERMS) == len(identity_terms()) >= 45
    assert len({t.category for t in TERMS.values()}) == 7
    assert len(dialect_features()) == 9
