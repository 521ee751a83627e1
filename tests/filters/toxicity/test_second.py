"""Who is asked a second time, and what its opinion decides."""

import numpy as np
import pyarrow as pa
import pytest
import tiny_detoxify
from answering import says
from pydantic import ValidationError

from curate.run.opened import open_stage
from filters.toxicity import LABELS, Toxicity
from filters.toxicity.second import Second

CAPTIONS = ("a garbage truck", "you stupid idiot", "a bowl of strawberries", None, "shut up", "a garbage truck")
ENDPOINT = "http://127.0.0.1:9/v1"


def settings(**changes):
    second = {"model": "judge-7b", "endpoint": ENDPOINT, "between": [0.3, 0.9]}
    return {"model": "tox-block", "uncertain_from": 0.3, "at_most": 0.9, "second": second, **changes}


@pytest.fixture
def folder(tmp_path):
    return str(tiny_detoxify.release(tmp_path, tiny_detoxify.encoder(tmp_path)))


def measured(stage, captions=CAPTIONS):
    return open_stage(stage)(pa.table({"caption": pa.array(captions, pa.string())}))


def test_asks_about_the_uncertain_alone_and_once(folder):
    stage = Toxicity(**settings(second={"model": folder, "between": [0.3, 0.93]}))
    rows = measured(stage)
    highest = np.array([rows[label].to_numpy() for label in LABELS]).max(axis=0)
    assert ((highest >= 0.3) & (highest <= 0.93)).tolist() == rows["toxicity_second"].is_valid().to_pylist()
    assert rows["toxicity_second"].is_valid().to_pylist() == [True, False, False, False, True, True]
    alone = measured(Toxicity(model=folder), ["a garbage truck"])
    assert rows["toxicity_second"][0].as_py() == pytest.approx(max(alone[label][0].as_py() for label in LABELS))


def test_failed_answer_fails_its_samples_and_no_other(endpoint):
    endpoint.replies = {"a garbage truck": [(401, b"")], "shut up": [says('{"toxic": "yes"}')]}
    second = {"model": "m", "endpoint": endpoint.url, "between": [0.3, 0.93]}
    rows = measured(Toxicity(**settings(second=second)))
    failed = "second_judge_http_401"
    assert rows["_failed"].to_pylist() == [failed, None, None, None, None, failed]
    assert rows["toxicity_second"].to_pylist() == [None, None, None, None, 1.0, None]
    assert len(endpoint.asked) == 2


def scores(*rows):
    schema = pa.schema(Toxicity(**settings()).outputs())
    names = dict.fromkeys(LABELS, 0.0)
    return pa.Table.from_pylist([{**names, "insult": a, "toxicity_second": b} for a, b in rows], schema=schema)


STORED = ((0.2, None), (0.3, 0.0), (0.5, 0.5), (0.9, 0.51), (0.5, 1.0), (0.4, None), (0.95, 0.0), (None, None))


def test_second_judge_decides_on_the_uncertain_and_on_no_other():
    keeping = Toxicity(**settings())
    judged, gone = "second_judge", "above_at_most"
    assert keeping.decide(scores(*STORED)).to_pylist() == [None, None, None, judged, judged, None, gone, None]
    (label,) = keeping.label(scores(*STORED))
    assert label.to_pylist() == [None] * 5 + ["uncertain", None, None]
    dropping = Toxicity(**settings(uncertain="drop", second_at_most=0.9))
    assert dropping.decide(scores(*STORED)).to_pylist() == [None, None, None, None, judged, "uncertain", gone, None]


def test_thresholds_move_without_measuring_again():
    moved = settings(at_most=0.8, uncertain_from=0.4, uncertain="drop", second_at_most=0.9)
    assert Toxicity(**settings()).measuring() == Toxicity(**moved).measuring()


def test_what_changes_no_answer_is_measured_once():
    patient = {**settings()["second"], "timeout_s": 5, "retries": 9, "at_once": 1, "key_from": "KEY"}
    assert Toxicity(**settings()).identity() == Toxicity(**settings(second=patient)).identity()


def test_instructions_are_part_of_what_is_measured(tmp_path):
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("Judge kindly.")
    stage = Toxicity(**settings(second={**settings()["second"], "prompt": prompt}))
    before = stage.identity()
    prompt.write_text("Judge harshly.")
    assert stage.identity() != before != Toxicity(**settings()).identity()


FAULTS = [
    ({"uncertain_from": None}, "set uncertain_from"),
    ({"uncertain_from": 0.2}, r"asked about 0\.3 to 0\.9, but the uncertain lie from 0\.2 to 0\.9: widen"),
    ({"at_most": 0.95}, r"lie from 0\.3 to 0\.95: widen"),
    ({"second": {"model": "tox-block"}}, "same model"),
    ({"second": {"model": "original", "between": [0.9, 0.3]}}, "lower one first"),
    ({"second": {"model": "original", "retries": 3}}, "retries: for a language model"),
    ({"second": {"model": "m", "endpoint": "127.0.0.1:8080"}}, "endpoint"),
]


@pytest.mark.parametrize(("changes", "fault"), FAULTS)
def test_faults(changes, fault):
    with pytest.raises(ValidationError, match=fault):
        Toxicity(**settings(**changes))


def test_endpoint_has_no_weights_here():
    assert Second(model="m", endpoint=ENDPOINT).models() == ()
    assert [m.name for m in Second(model="original").models()] == ["unitary/toxic-bert"]
