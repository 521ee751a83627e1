"""The demo's recipe judges the planted captions as they announce, with the real models that it names."""

import pyarrow as pa
import pytest

from curate.demo.faults import FOREIGN, OTHER_CAPTIONS, TOXIC, TRUE_CAPTIONS
from curate.demo.planted import PLANTED
from curate.demo.run import found_recipe
from curate.recipe import load_recipe

GOOD = [caption for _, caption in TRUE_CAPTIONS.values()]


@pytest.fixture(scope="module")
def stages():
    return {stage.name: stage for stage in load_recipe(found_recipe()).stages}


def reasons(stage, captions):
    table = pa.table({"caption": pa.array(captions, pa.string())})
    scores = pa.table(list(stage.open()(table)), schema=pa.schema(stage.outputs()))
    return stage.decide(scores).to_pylist()


def test_one_word_goes_and_all_other_planted_captions_stay(stages):
    captions = [*TOXIC, *FOREIGN, *GOOD, *(p.caption("A fox.") for p in PLANTED)]
    assert reasons(stages["caption_words"], ["Thing", *captions]) == ["below_at_least", *([None] * len(captions))]


def test_languages_are_told_apart(stages):
    english = [*TOXIC, *GOOD, *(p.caption("A fox.") for p in PLANTED)]
    assert reasons(stages["language"], english) == [None] * len(english)
    assert reasons(stages["language"], list(FOREIGN)) == ["other_language"] * len(FOREIGN)


@pytest.mark.slow
def test_abuse_is_told_from_the_rest(stages):
    plain = [*GOOD, *(caption for _, caption in OTHER_CAPTIONS["debian"]), *(p.caption("A fox.") for p in PLANTED)]
    assert reasons(stages["toxicity"], list(TOXIC)) == ["above_at_most"] * len(TOXIC)
    assert reasons(stages["toxicity"], plain) == [None] * len(plain)


@pytest.mark.slow
def test_every_planted_value_is_redacted_whole_and_under_its_kind(stages):
    shown = ["A great blue heron.", "A coffee cup", "Some flowers."]
    rows = [(planted, planted.caption(caption)) for planted in PLANTED for caption in shown]
    edited = stages["redact_pii"].open()(pa.table({"caption": [caption for _, caption in rows]}))
    kinds = {(f["row"], f["reason"]) for f in edited.findings.to_pylist()}
    for row, ((planted, _), clean) in enumerate(zip(rows, edited.columns["caption"].to_pylist(), strict=True)):
        assert not any(part in clean for part in (planted.value, *planted.searched)), planted.kind
        assert (row, planted.kind) in kinds
