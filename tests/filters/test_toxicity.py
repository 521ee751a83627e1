import pyarrow as pa
import pytest
from pydantic import ValidationError

from curate.errors import ModelError, RecipeError
from curate.recipe import parse_recipe
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
    assert Toxicity(model="original", at_most=0.5).decide(columns).to_pylist() == [None, *["above_at_most"] * 6, None]
    assert Toxicity(model="original", at_most=None).decide(columns).to_pylist() == [None] * 8


def test_missing_weights_name_the_place_and_the_remedy(monkeypatch):
    monkeypatch.delenv("CURATE_ALLOW_HUB", raising=False)
    with pytest.raises(ModelError, match="hf download unitary/unbiased-toxic-roberta"):
        Toxicity().identity()


def test_models_differ_in_identity():
    assert Toxicity(model="tox-block").identity() == Toxicity(model="tox-block", at_most=0.9).identity()
    assert Toxicity(model="tox-block").models() != Toxicity(model="original").models()


def labelled(highest, **settings):
    stage = Toxicity(model="original", **settings)
    columns = pa.table({name: pa.array(highest if name == "threat" else [0.0] * len(highest), pa.float32())
                        for name in LABELS})  # fmt: skip
    (label,) = stage.label(columns)
    return list(zip(stage.decide(columns).to_pylist(), label.to_pylist(), strict=True))


def test_between_two_thresholds_a_sample_is_uncertain():
    highest = [0.0, 0.25, 0.5, 0.75, 0.8]
    kept, gone, unsure = (None, None), ("above_at_most", None), (None, "uncertain")
    assert labelled(highest, at_most=0.75) == [kept, kept, kept, kept, gone]
    assert labelled(highest, at_most=0.75, uncertain_from=0.5) == [kept, kept, unsure, unsure, gone]
    dropped = labelled(highest, at_most=0.75, uncertain_from=0.5, uncertain="drop")
    assert [reason for reason, _ in dropped] == [None, None, "uncertain", "uncertain", "above_at_most"]


def test_columns_that_are_read_and_labels_that_are_told_follow_the_settings():
    stage = Toxicity(model="multilingual", columns=["text", "conversations"], screen={})
    assert stage.inputs() == ("text", "conversations")
    assert [f.name for f in stage.outputs()] == [*LABELS, "sexual_explicit", "toxicity_judge"]
    assert [f.name for f in Toxicity(model="tox-block").outputs()] == [*LABELS]
    assert [f.name for f in Toxicity(kinds=["threat"]).outputs()] == ["threat"]


def test_long_text_is_read_whole_or_cut(score):
    """tox-block's own code reads the last hundred words."""
    text = "you stupid idiot " * 20 + "a quiet afternoon on the river bank with friends " * 20
    whole = score(table(text))[0][0].as_py()
    cut = Toxicity(model="tox-block", long_texts="cut").open()(table(text))[0][0].as_py()
    assert whole > 0.9
    assert cut < 0.5


FAULTS = {
    "uncertain_from: 0.6": "r.yaml:5: toxicity: uncertain_from: the uncertain lie from here up to at_most, which is",
    "kinds: [sexual_explicit]": "r.yaml:5: toxicity: kinds: tox-block does not tell sexual_explicit",
    "kinds: [threat, threat]": "a label stands twice",
    "precision: int8": "r.yaml:5: toxicity: precision: tox-block has float32 alone",
    "screen: {model: tox-block}": "r.yaml:5: toxicity: screen: the screen is the same model",
    "screen: {modle: original}": "r.yaml:5: toxicity: screen.modle",
    "columns: []": "r.yaml:5: toxicity: columns",
}


@pytest.mark.parametrize(("line", "fault"), FAULTS.items())
def test_faults_of_a_recipe_name_the_line(line, fault):
    text = "name: r\nsource: {urls: {path: a.csv}}\nstages:\n- toxicity:\n    X\nsink: webdataset\n".replace("X", line)
    with pytest.raises(RecipeError) as raised:
        parse_recipe(text.replace(line, f"{line}\n    model: tox-block").encode(), "r.yaml")
    assert fault in str(raised.value)


def test_uncertain_without_an_upper_threshold_is_a_fault():
    with pytest.raises(ValidationError, match="at_most, which is null"):
        Toxicity(uncertain_from=0.3, at_most=None)
