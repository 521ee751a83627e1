"""`curate fit quality` as a person types it."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fit"))
from quality_files import BAD, GOOD, documents, write_jsonl

from tests.run.lines import command, here

FEW = ("--buckets", 1000, "--dim", 8, "--learning-rate", 0.5, "--epochs", 10)


@pytest.fixture
def line(tmp_path):
    good = write_jsonl(tmp_path / "good.jsonl", documents(GOOD, 300), "said")
    bad = write_jsonl(tmp_path / "bad.jsonl", documents(BAD, 300))
    return ("fit", "quality", "--good", good, "--good-column", "said", "--bad", bad, "--out", tmp_path / "m.bin", *FEW)


def test_it_tells_how_well_and_what_to_write(line, tmp_path):
    done = command(*line)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "270 good and 270 bad documents to learn from, 30 and 30 held out\n"
    assert "AUC 1.0000" in done.stdout or "AUC 0.99" in done.stdout
    assert "at_least  bad kept  good kept  precision" in done.stdout
    assert f"fasttext_quality: {{model: {tmp_path}/m.bin, good_label: hq, at_least: " in done.stdout
    again = here(*line)
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert "m.bin: is there already" in again.stderr


def test_json_is_the_card(line, tmp_path):
    done = here(*line, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((tmp_path / "m.json").read_text())
