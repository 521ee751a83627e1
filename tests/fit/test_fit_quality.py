"""A classifier is fitted on two sets, the same each time, and told of by documents that it never saw."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import fasttext
import pyarrow as pa
import pytest
from quality_files import BAD, GOOD, QUICK, documents, write_jsonl

from curate.errors import InputError
from curate.fit import Recipe, Side, fit_quality
from filters.text.fasttext_quality import FasttextQuality

RECIPE = Recipe(**QUICK)


@pytest.fixture
def sides(tmp_path):
    good = write_jsonl(tmp_path / "good.jsonl", documents(GOOD, 600))
    bad = write_jsonl(tmp_path / "bad.jsonl", documents(BAD, 300))
    return Side("hq", (good,)), Side("cc", (bad,))


def fitted(sides, out, recipe=RECIPE):
    return fit_quality(*sides, str(out), recipe, lambda _: None)


def test_it_tells_unseen_documents_apart(sides, tmp_path):
    made = fitted(sides, tmp_path / "m.bin")
    told = made.told
    assert told["figures"]["auc"] > 0.99
    assert told["documents"]["learned"] == {"hq": 270, "cc": 270}
    assert told["documents"]["held_out"] == {"hq": 30, "cc": 30}
    assert json.loads(made.card.read_text()) == told
    score = FasttextQuality(model=str(made.model)).open()
    unseen = [*documents(GOOD, 50, seed=9), *documents(BAD, 50, seed=9), "", None]
    scores = score(pa.table({"text": pa.array(unseen, pa.string())}))[0].to_pylist()
    assert min(scores[:50]) > max(scores[50:100])
    assert scores[100:] == [0, 0]


def test_the_same_files_give_the_same_model_in_any_order(sides, tmp_path):
    first = fitted(sides, tmp_path / "a.bin")
    good, bad = sides
    lines = Path(good.files[0]).read_text().splitlines()
    turned = tmp_path / "turned.jsonl"
    turned.write_text("\n".join(reversed(lines)) + "\n\n")
    second = fitted((replace(good, files=(str(turned),)), bad), tmp_path / "b.bin")
    assert first.model.read_bytes() == second.model.read_bytes()
    assert first.told["figures"] == second.told["figures"]
    other = fitted(sides, tmp_path / "c.bin", replace(RECIPE, seed=1))
    assert other.model.read_bytes() != first.model.read_bytes()


def test_the_card_names_what_it_was_made_of(sides, tmp_path):
    made = fitted(sides, tmp_path / "m.bin")
    assert [file["label"] for file in made.told["files"]] == ["hq", "cc"]
    for side, file in zip(sides, made.told["files"], strict=True):
        assert file["sha256"] == hashlib.sha256(Path(side.files[0]).read_bytes()).hexdigest()
    assert made.told["model"]["sha256"] == hashlib.sha256(made.model.read_bytes()).hexdigest()
    assert made.told["settings"]["learning_rate"] == 0.5


def test_the_larger_side_is_mixed_in_to_the_end(sides, tmp_path):
    """A larger side, balanced by the smallest hashes, must not be read before the other: its scores would be low."""
    many = write_jsonl(tmp_path / "many.jsonl", documents(GOOD, 6000))
    once = replace(RECIPE, epochs=1, learning_rate=0.2)
    quantiles = fitted((Side("hq", (many,)), sides[1]), tmp_path / "m.bin", once).told["figures"]["quantiles"]
    assert quantiles["good"]["0.5"] > 0.5 > quantiles["bad"]["0.5"]


def test_documents_count_once_and_on_one_side(sides, tmp_path):
    good, bad = sides
    shared = write_jsonl(tmp_path / "shared.jsonl", documents(BAD, 300)[:10] * 3)
    told = fitted((replace(good, files=(*good.files, shared)), bad), tmp_path / "m.bin").told["documents"]
    assert told["read"] == {"hq": 630, "cc": 300}
    assert (told["distinct"]["hq"], told["on_both_sides"]) == (610, 10)
    assert told["learned"]["cc"] + told["held_out"]["cc"] == 290


def test_a_text_cannot_pass_itself_off_as_a_label(sides, tmp_path):
    good, bad = sides
    forged = [f"__label__hq __label__evil {text}\n__label__hq" for text in documents(BAD, 300)]
    made = fitted((good, replace(bad, files=(write_jsonl(tmp_path / "forged.jsonl", forged),))), tmp_path / "m.bin")
    assert made.told["figures"]["auc"] > 0.99
    assert made.told["documents"]["learned"] == {"hq": 270, "cc": 270}
    assert sorted(fasttext.load_model(str(made.model)).get_labels()) == ["__label__cc", "__label__hq"]


def test_what_cannot_be_fitted_is_one_clear_error(sides, tmp_path):
    good, bad = sides
    for faulty, told in (
        ((good, replace(bad, label="hq")), "both sides are called 'hq'"),
        ((good, replace(bad, files=good.files)), "'hq': 0 distinct documents leave 0 to learn from"),
        ((replace(good, column="txt"), bad), r"good.jsonl:1: has no 'txt'. Did you mean 'text'"),
    ):
        with pytest.raises(InputError, match=told):
            fitted(faulty, tmp_path / "m.bin")
    for out, told in (("m.ftz", r"name the model \*.bin"), ("none/m.bin", "no such folder")):
        with pytest.raises(InputError, match=told):
            fitted(sides, tmp_path / out)
    (tmp_path / "m.json").write_text("{}")
    with pytest.raises(InputError, match="is there already"):
        fitted(sides, tmp_path / "m.bin")
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".jsonl", ".jsonl"]
