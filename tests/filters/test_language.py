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


def judged(*documents, **settings):
    """Return the columns of a document stage by name."""
    stage = Language(column="text", **settings)
    columns = stage.open()(pa.table({"text": pa.array(documents, pa.string())}))
    return {field.name: column.to_pylist() for field, column in zip(stage.outputs(), columns, strict=True)}


def test_a_document_is_judged_as_a_caption_is_and_as_a_whole():
    texts = [*SENTENCES.values(), None, ""]
    told = judged(*texts)
    assert (told["language"], told["language_score"]) == measure(*texts)
    mixed = "\n".join([SENTENCES["de"]] * 5 + [SENTENCES["en"]])
    assert judged(mixed)["language"] == ["de"]


def test_of_a_long_document_stretches_from_end_to_end_are_read():
    """A twentieth of English in front, where reading the beginning alone would see nothing else."""
    document = (SENTENCES["en"] + " ") * 50 + (SENTENCES["fr"] + " ") * 1000
    assert judged(document)["language"] == ["fr"]
    huge = judged("word " * 4_000_000)
    assert huge["language"] == ["en"]


def test_characters_beyond_the_bound_are_left_to_a_caption():
    text = SENTENCES["en"] + " " + (SENTENCES["fr"] + " ") * 3000
    stretches = judged(text)["language_score"]
    assert measure(text)[1] != stretches


def test_paragraphs_tell_how_much_is_in_which_language():
    german, english = f"{SENTENCES['de']} " * 2, f"{SENTENCES['en']} " * 2
    told = judged("\n".join([german, german, german, english]), german, per="paragraph")
    assert told["language"] == ["de", "de"]
    assert told["languages"] == [["de", "en"], ["de"]]
    size = len(german.strip())
    assert told["language_share"][0] == pytest.approx(3 * size / (3 * size + len(english.strip())))
    assert told["language_share"][1] == 1
    assert all(0.5 < score <= 1 for score in told["language_score"])


def test_headings_go_with_what_follows_and_numbers_are_no_text():
    body = SENTENCES["de"]
    alone = judged(body, per="paragraph")
    assert judged(f"12\n\n{body}\n***\n3.14", per="paragraph") == alone
    assert judged(f"Boot\n{body}", per="paragraph")["languages"] == [["de"]]
    assert judged(f"{body}\nOK", per="paragraph")["language_share"] == [1]
    nothing = judged(None, "", "1 2 3\n--", per="paragraph")
    assert nothing == {"language": ["und"] * 3, "language_score": [0] * 3, "language_share": [0] * 3,
                       "languages": [[], [], []]}  # fmt: skip


def test_of_many_paragraphs_evenly_spaced_ones_are_judged():
    lines = [SENTENCES["en"]] * 300 + [SENTENCES["de"]] * 700
    (share,) = judged("\n".join(lines), per="paragraph")["language_share"]
    assert share == pytest.approx(0.7, abs=0.02)


def test_a_share_that_is_too_small_is_mixed():
    stage = Language(per="paragraph", share_at_least=0.8, keep=("de",))
    scores = pa.table([["de", "de", "en"], [0.9, 0.9, 0.9], [0.9, 0.7, 0.7], [["de"], ["de", "en"], ["en"]]],
                      schema=pa.schema(stage.outputs()))  # fmt: skip
    assert stage.decide(scores).to_pylist() == [None, "mixed_languages", "other_language"]
    assert stage.identity() == Language(per="paragraph").identity()
    with pytest.raises(ValueError, match="per: paragraph"):
        Language(share_at_least=0.8)
