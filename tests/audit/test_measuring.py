"""A filter opened here: what it reads from a label file, and which number its threshold is compared with."""

import json

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from curate.audit.labels import read_labels
from curate.audit.measuring import bound_of, compared, confirm, find_filter, inputs_of, kept, measure, offline
from curate.errors import InputError, RecipeError, StageError
from curate.registry import stages
from curate.stage import Filter
from tests.run.lines import lines


def labelled(folder, **columns):
    path = folder / "labels.jsonl"
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_labels(str(path), "label")


def test_a_filter_is_found_in_its_recipe():
    assert find_filter(lines(), "line_number", "r.yaml").at_most == 90
    with pytest.raises(RecipeError, match=r"r.yaml: no stage 'line_numbr'; .* Did you mean 'line_number'\?"):
        find_filter(lines(), "line_numbr", "r.yaml")
    with pytest.raises(RecipeError, match="'shout' is of kind edit; only a filter"):
        find_filter(lines(), "shout", "r.yaml")


def test_the_threshold_is_the_one_that_is_set():
    stage = stages()["line_number"]
    assert bound_of(stage(at_most=3), None) == "at_most"
    assert bound_of(stage(at_least=3), None) == "at_least"
    assert bound_of(stage(at_least=3), "at_most") == "at_most"
    assert bound_of(stages()["aspect_ratio"](), None) == "at_most"
    for unclear in (stage(), stage(at_least=1, at_most=3)):
        with pytest.raises(InputError, match="say which one is to be chosen, with --bound"):
            bound_of(unclear, None)
    with pytest.raises(InputError, match="--bound at_least: aspect_ratio has at_most"):
        bound_of(stages()["aspect_ratio"](), "at_least")


def test_measured_rows_are_compared_by_the_filters_own_decision(tmp_path):
    stage = stages()["line_number"](at_least=2, at_most=90)
    labels = labelled(tmp_path, caption=["line 7", "line 30", "no number", "line 4"], label=[0, 1, 1, 0])
    measured = measure(stage, inputs_of(stage, labels, {}))
    numbers = compared(stage, "at_most", measured)
    assert numbers[[0, 1, 3]].tolist() == [7, 30, 4]
    assert np.isnan(numbers[2])
    there = measured.filter(pa.array(~np.isnan(numbers)))
    assert kept(stage, "at_most", there, 7.0).tolist() == [True, False, True]
    confirm(stage, "at_most", there, 7.0, np.array([True, False, True]))
    with pytest.raises(StageError, match="does not decide as its scores say"):
        confirm(stage, "at_most", there, 7.0, np.array([True, True, True]))


class Highest(Filter):
    """Compares the higher of two columns."""

    name = "highest"
    writes = (pa.field("left", pa.float32()), pa.field("right", pa.float32()))
    at_most: float | None = 0.5
    apart: bool = False

    def open(self):
        raise NotImplementedError

    def decide(self, scores):
        left, right = (np.asarray(c.to_numpy()) for c in scores.columns)
        number = np.abs(left - right) if self.apart else np.maximum(left, right)
        return pa.array(["above" if n > self.at_most else None for n in number], pa.string())


def test_a_number_of_the_filters_own_making_is_recognised_or_refused():
    random = np.random.default_rng(0)
    scores = pa.table({n: pa.array(random.random(50), pa.float32()) for n in ("left", "right")})
    expected = np.maximum(scores["left"].to_numpy(), scores["right"].to_numpy())
    assert compared(Highest(), "at_most", scores).tolist() == expected.tolist()
    with pytest.raises(InputError, match="give --score COLUMN"):
        compared(Highest(apart=True), "at_most", scores)


def test_a_score_that_is_not_there_is_no_guess():
    scores = pa.table(
        {"left": pa.array([0.2, None, 0.7], pa.float32()), "right": pa.array([0.9, 0.1, 0.3], pa.float32())}
    )
    found = compared(
        stages()["toxicity"](kinds=("toxicity", "insult")), "at_most", scores.rename_columns(["toxicity", "insult"])
    )
    assert found.tolist() == pytest.approx([0.9, 0.1, 0.7])


def test_nobody_is_asked_over_the_network():
    second = {"endpoint": "http://127.0.0.1:9/v1", "model": "judge", "between": [0.1, 0.9]}
    asking = stages()["toxicity"](model="tox-block", at_most=0.9, uncertain_from=0.1, second=second)
    assert offline(asking).second is None
    here = stages()["toxicity"](model="tox-block")
    assert offline(here) is here


def test_columns_may_be_called_otherwise(tmp_path):
    stage = stages()["line_number"]()
    labels = labelled(tmp_path, comment=["line 7"], label=[0])
    assert inputs_of(stage, labels, {"caption": "comment"})["caption"].to_pylist() == ["line 7"]
    with pytest.raises(InputError, match=r"line_number reads 'caption'.*--column caption=ITS_NAME"):
        inputs_of(stage, labels, {})
    with pytest.raises(InputError, match="no column 'coment'"):
        inputs_of(stage, labels, {"caption": "coment"})


def test_pictures_come_from_their_paths(tmp_path):
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    stage = stages()["short_side"]()
    labels = labelled(tmp_path, image_path=["a.png"], label=[1])
    assert compared(stage, "at_least", measure(stage, inputs_of(stage, labels, {}))).tolist() == [30]
    (tmp_path / "a.png").write_bytes(b"not a picture")
    with pytest.raises(InputError, match=r"row 1: image_path 'a.png' cannot be read as a picture"):
        inputs_of(stage, labels, {})
