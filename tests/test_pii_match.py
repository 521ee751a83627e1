"""Values are named by keyed hashes: equal for one value however it is written, and nothing without the secret."""

import hashlib
import hmac

import pytest

from curate.errors import SecretError
from curate.pii_match import (
    PSEUDONYM_DIGITS,
    VARIABLE,
    normalised,
    pii_secret,
    pseudonym,
    secret_fingerprint,
    value_match,
)

SECRET = b"0123456789abcdef"
OTHER = b"0123456789abcdeg"
ALIKE = (
    ("Jane Smith", "jane  smith", " JANE\nSMITH ", "Jane Smith's", "Jane Smith\u2019s", "“Jane Smith”",
     "Jane\u200b Smith,"),
    ("Łukasz Müller", "łukasz mu\u0308ller", "ŁUKASZ MÜLLER"),
    ("Weiß", "WEISS"),
    ("(212) 555-0187", "212.555.0187", "212 555 0187", "\uff12\uff11\uff12 555 0187"),
    ("+44 20 7946 0958", "0044 20 7946 0958", "+44-20-7946-0958"),
    ("4111 1111 1111 1111", "4111-1111-1111-1111"),
    ("GB33 BUKB 2020 1555 5555 55", "gb33bukb20201555555555"),
    ("jane.smith@example.com", "Jane.Smith@Example.com", "jane dot smith at example dot com",
     "jane.smith [at] example (dot) com", "<jane.smith@example.com>", "jane.smith @ example.com"),
    ("2001:db8::1", "2001:0DB8:0:0:0:0:0:1"),
)  # fmt: skip
APART = (
    ("Jane Smith", "Jane Smyth"),
    ("192.168.1.77", "19.21.68.177"),
    ("j.smith@example.com", "jsmith@example.com"),
    ("12345@example.com", "12345@example.org"),
    ("12 High Street", "1 High Street"),
    ("212 555 0187", "212 555 0188"),
    ("", "0"),
)


@pytest.mark.parametrize("spellings", ALIKE, ids=[group[0] for group in ALIKE])
def test_one_value_has_one_name_however_it_is_written(spellings):
    assert len({normalised(value) for value in spellings}) == 1
    assert len({value_match(SECRET, value) for value in spellings}) == 1
    assert len({pseudonym(SECRET, value) for value in spellings}) == 1


@pytest.mark.parametrize(("one", "other"), APART)
def test_different_values_differ(one, other):
    assert value_match(SECRET, one) != value_match(SECRET, other)
    assert pseudonym(SECRET, one) != pseudonym(SECRET, other)


def test_normalising_twice_changes_nothing():
    for value in (value for group in (*ALIKE, *APART) for value in group):
        assert normalised(normalised(value)) == normalised(value)


def test_hashes_are_hmacs_of_separate_keys_from_scrypt():
    """An independent derivation, from RFC 2104 and RFC 7914 as hashlib has them."""
    derived = hashlib.scrypt(SECRET, salt=b"curate pii 1", n=16384, r=8, p=1, dklen=72)
    spelled = [hmac.new(key, b"jane smith", "sha256").hexdigest() for key in (derived[:32], derived[32:64])]
    assert pseudonym(SECRET, "Jane Smith") == spelled[0][:PSEUDONYM_DIGITS]
    assert value_match(SECRET, "Jane Smith") == spelled[1][:32]
    assert secret_fingerprint(SECRET) == derived[64:].hex()


def test_every_name_changes_with_the_secret():
    for named in (lambda secret: pseudonym(secret, "Jane Smith"), lambda secret: value_match(secret, "Jane Smith")):
        assert named(SECRET) != named(OTHER)
    assert secret_fingerprint(SECRET) != secret_fingerprint(OTHER)


def test_secret_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv(VARIABLE, SECRET.decode())
    assert pii_secret() == SECRET


@pytest.mark.parametrize(("given", "said"), [(None, "is not set"), ("", "is not set"), ("short", "has 5 bytes")])
def test_missing_or_short_secret_is_refused_without_quoting_it(monkeypatch, given, said):
    monkeypatch.delenv(VARIABLE, raising=False)
    if given is not None:
        monkeypatch.setenv(VARIABLE, given)
    with pytest.raises(SecretError, match=f"CURATE_PII_SECRET {said}.*openssl rand") as refused:
        pii_secret()
    assert not given or given not in str(refused.value)


def test_text_that_is_no_unicode_is_named_too():
    assert len(value_match(SECRET, "Jane \udcff Smith")) == 32
