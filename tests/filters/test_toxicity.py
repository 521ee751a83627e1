import pyarrow as pa
import pytest

from curate.errors import ModelError
from filters.toxicity import LABELS, Toxicity


def table(*captions):
    return pa.table({"caption": pa.array(captions, pa.string())})


@pytest.fixture(scope="module")
def score():
    return Toxicity(model="tox-block").open()


def test_repeated_captions_score_alike(score):
    """In one table to the last bit; between tables the place in a batch may cost some processors the last one."""
    once = [c.to_pylist() for c in score(table("you idiot", "a red boat"))]
    again = [c.to_pylist() for c in score(table("a red boat", "you idiot", "a red boat"))]
    assert all(first == third for first, _, third in again)
    for (a, b), (first, second, _) in zip(once, again, strict=True):
        assert (second, first) == pytest.approx((a, b), rel=1e-5)


def test_caption_without_text_scores_zero(score):
    assert [c.to_pylist() for c in score(table(None, "", " \n"))] == [[0.0] * 3] * 6


def test_decision_is_on_the_highest_label():
    quiet = [0.1] * 6
    scores = [quiet, *([*quiet[:i], 0.6, *quiet[i + 1 :]] for i in range(6)), [None] * 6]
    columns = pa.table({n: pa.array(c, pa.float32()) for n, c in zip(LABELS, zip(*scores, strict=True), strict=True)})
    assert Toxicity(at_most=0.5).decide(columns).to_pylist() == [None, *["above_at_most"] * 6, None]
    assert Toxicity(at_most=None).decide(columns).to_pylist() == [None] * 8


def test_missing_weights_name_the_place_and_the_remedy(monkeypatch):
    monkeypatch.delenv("CURATE_ALLOW_HUB", raising=False)
    with pytest.raises(ModelError, match="hf download unitary/unbiased-toxic-roberta"):
        Toxicity().identity()


def test_models_differ_in_identity():
    assert Toxicity(model="tox-block").identity() == Toxicity(model="tox-block", at_most=0.9).identity()
    assert Toxicity(model="tox-block").models() != Toxicity(model="original").models()
