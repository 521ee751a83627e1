"""`curate audit`: readable, machine-readable, a page, a private review; and one message for what is wrong."""

import json

import pytest

from tests.audit.runs import PEOPLE, finished
from tests.run.lines import command

QUICK = ("--swaps", "3", "--sample", "20", "--at-least", "20")


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    return finished(tmp_path_factory.mktemp("people"), {"length": {"at_least": 57}})


def test_it_reads(url, tmp_path):
    page = tmp_path / "audit.html"
    done = command("audit", url, *QUICK, "--out", page, "--review", tmp_path / "review.jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    titles = ("What each stage loses", "Identity terms put in place of each other")
    for said in (*titles, "sexuality", "(small hosts)", str(page)):
        assert said in done.stdout
    assert "<table>" in page.read_text()
    assert len((tmp_path / "review.jsonl").read_text().splitlines()) == 20
    assert "stands in front" not in done.stdout + page.read_text()


def test_json_is_one_object(url):
    told = json.loads(command("audit", url, *QUICK, "--json").stdout)
    assert told["rows"] == 3 * PEOPLE
    assert {"stages", "groups", "swaps", "residual", "notes"} <= told.keys()


def test_people_are_heard(url, tmp_path):
    review = tmp_path / "review.jsonl"
    command("audit", url, *QUICK, "--review", review)
    review.write_text(review.read_text().replace('"found": null', '"found": ["PERSON"]', 3))
    done = command("audit", url, *QUICK, "--reviewed", review)
    assert "3 samples were read by people, 17 were not." in done.stdout


@pytest.mark.parametrize(("words", "told"), [
    (("--confidence", "95"), "write a share between 0 and 1"), (("--labels", "none.csv"), "none.csv: no such file"),
    (("--judged", "lenght"), "Did you mean 'length'?"), (("--reviewed", "none.jsonl"), "none.jsonl: no such file"),
])  # fmt: skip
def test_what_is_wrong_is_one_message(url, words, told):
    done = command("audit", url, *QUICK, *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_that_is_none_is_told(tmp_path):
    done = command("audit", tmp_path)
    assert done.returncode == 1
    assert "no finished run here" in done.stderr
