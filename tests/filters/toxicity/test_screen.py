"""The cascade, with a tiny model behind the screen."""

import numpy as np
import pyarrow as pa
import pytest
import tiny_detoxify

from filters.toxicity import LABELS, Toxicity
from filters.toxicity.screen import screened

CAPTIONS = ("a red boat", "you fool", None, "a bowl of strawberries")


@pytest.fixture
def folder(tmp_path):
    return str(tiny_detoxify.release(tmp_path, tiny_detoxify.encoder(tmp_path)))


def table(*captions):
    return pa.table({"caption": pa.array(captions, pa.string())})


def measured(stage, rows):
    return pa.table(stage.open()(rows), schema=pa.schema(stage.outputs())).to_pylist()


def test_model_sees_only_what_the_screen_passes_on():
    shown = []

    def rate(texts):
        shown.extend(texts)
        return np.full((len(texts), 2), 0.7, np.float32)

    def screen(texts):
        return np.array([[float(text), np.nan] for text in texts], np.float32)

    scores, passed_on = screened(screen, 0.02, rate, ["0.01", "0.02", "0.5"])
    assert shown == ["0.02", "0.5"]
    assert passed_on.tolist() == [False, True, True]
    np.testing.assert_allclose(scores, np.array([[0.01, np.nan], [0.7, 0.7], [0.7, 0.7]], np.float32))


def test_each_sample_says_who_judged_it(folder):
    rows = table(*CAPTIONS)
    screen, model = (measured(Toxicity(model=name, kinds=LABELS), rows) for name in ("tox-block", folder))
    both = measured(Toxicity(model=folder, screen={"model": "tox-block", "below": 0.05}), rows)
    judges = [row.pop("toxicity_judge") for row in both]
    assert judges == ["screen", "model", None, "screen"]
    wanted = {"screen": screen, "model": model, None: model}
    for row, judge in enumerate(judges):
        assert both[row] == pytest.approx(wanted[judge][row], abs=1e-5)


def test_label_that_the_screen_does_not_tell_is_null_and_does_not_fail_the_row(tmp_path):
    network = tiny_detoxify.encoder(tmp_path, tiny_detoxify.UNBIASED)
    folder = str(tiny_detoxify.release(tmp_path, network, tiny_detoxify.UNBIASED))
    kinds = (*LABELS, "sexual_explicit")
    stage = Toxicity(model=folder, kinds=kinds, screen={"below": 0.05})
    first, second, *_ = measured(stage, table(*CAPTIONS))
    assert first["sexual_explicit"] is None
    assert second["sexual_explicit"] > 0
    assert stage.decide(pa.Table.from_pylist([first], schema=pa.schema(stage.outputs()))).to_pylist() == [None]


def test_identity_knows_the_screen(folder):
    alone, cascade = Toxicity(model=folder), Toxicity(model=folder, screen={})
    assert alone.identity() != cascade.identity() != Toxicity(model=folder, screen={"below": 0.1}).identity()
    assert [model.name for model in cascade.models()] == [folder, "package:tox_block/trained_models"]
