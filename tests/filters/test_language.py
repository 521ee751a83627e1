import pyarrow as pa
import pytest

from curate.errors import ModelError
from filters.language import Language

SENTENCES = {
    "en": "The small boat is tied to the wooden pier at sunset.",
    "de": "Das kleine Boot liegt am Abend am hölzernen Steg.",
    "fr": "Le petit bateau est amarré au ponton de bois au coucher du soleil.",
    "es": "El pequeño barco está amarrado al muelle de madera al atardecer.",
    "ru": "Маленькая лодка привязана к деревянному причалу на закате.",
    "pl": "Mała łódka jest przywiązana do drewnianego pomostu o zachodzie słońca.",
    "ja": "小さな船が夕暮れに木の桟橋につながれています。",
}


def measure(*captions):
    codes, scores = Language().open()(pa.table({"caption": pa.array(captions, pa.string())}))
    return codes.to_pylist(), scores.to_pylist()


def test_tells_languages_apart():
    codes, scores = measure(*SENTENCES.values())
    assert codes == list(SENTENCES)
    assert all(0.5 < score <= 1 for score in scores)


def test_caption_without_text_is_undetermined():
    assert measure(None, "", " \n ") == (["und"] * 3, [0.0] * 3)


def test_line_breaks_are_spaces():
    folded, plain = measure(SENTENCES["en"].replace(" ", "\n"), SENTENCES["en"])[1]
    assert folded == plain


def test_fasttext_says_nothing(capfd):
    measure("A great blue heron.")
    assert capfd.readouterr() == ("", "")


def test_decision_looks_at_the_language_first():
    scores = pa.table(
        {
            "language": pa.array(["en", "en", "de", "und", None], pa.string()),
            "language_score": pa.array([0.9, 0.1, 0.1, 0.0, None], pa.float32()),
        }
    )
    decided = Language(keep=("en",), at_least=0.5).decide(scores).to_pylist()
    assert decided == [None, "below_at_least", "other_language", "other_language", "other_language"]
    assert Language(at_least=0.05).decide(scores).to_pylist() == [None, None, None, "below_at_least", None]
    assert Language().decide(scores).to_pylist() == [None] * 5


def test_thresholds_are_no_part_of_the_measurement():
    assert Language(keep=("de",), at_least=0.3).identity() == Language().identity()


def test_file_that_is_no_model(tmp_path):
    path = tmp_path / "lid.176.ftz"
    path.write_bytes(b"not a model")
    with pytest.raises(ModelError, match="not a fastText model"):
        Language(model=str(path)).open()


def test_missing_model_says_how_to_get_it():
    with pytest.raises(ModelError, match="CURATE_MODELS"):
        Language(model="nobody/nothing").open()
