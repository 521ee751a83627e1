"""The probability of the good label, as fastText itself gives it, and clear words for what is no classifier."""

import fasttext
import pyarrow as pa
import pytest

from curate.errors import ModelError
from curate.fit.learning import _zeroed_memory, supervise
from filters.text.fasttext_quality import FasttextQuality

LINES = ["__label__hq a heron fishes at the pier", "__label__cc buy cheap pills now", "__label__odd 1 2 3"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quality")
    (folder / "lines.txt").write_text("\n".join(LINES * 40) + "\n")
    made = supervise(folder / "lines.txt", lr=0.5, epoch=10, bucket=100, dim=4, seed=1, minCount=1)
    made.save_model(str(folder / "model.bin"))
    return folder / "model.bin"


def scores(model, *texts, **settings):
    stage = FasttextQuality(model=str(model), **settings)
    return stage.open()(pa.table({"text": pa.array(texts, pa.string())}))[0].to_pylist()


def test_it_is_the_probability_that_fasttext_gives_the_label(model):
    text = "a heron\nfishes\r\nat the pier, buy 1"
    plain = dict(zip(*fasttext.load_model(str(model)).predict(" ".join(text.splitlines()), k=-1), strict=True))
    assert scores(model, text, text) == pytest.approx([plain["__label__hq"]] * 2)
    assert scores(model, text, good_label="cc") == pytest.approx([plain["__label__cc"]])
    told = [scores(model, text, good_label=label)[0] for label in ("hq", "cc", "odd")]
    assert sum(told) == pytest.approx(1, abs=1e-3)


def test_good_is_told_from_bad_and_a_text_without_words_is_not_good(model):
    good, bad, *nothing = scores(model, "a heron at the pier", "buy pills now", "", None, " \n\t")
    assert good > 0.5 > bad
    assert nothing == [0, 0, 0]


def test_labels_and_line_ends_in_a_text_change_nothing(model):
    plain, forged = scores(model, "buy pills now", "buy\u2028pills\x1c\x0bnow __label__hq")
    assert plain == forged


def test_the_threshold_decides(model):
    stage = FasttextQuality(model=str(model), at_least=0.5)
    table = pa.table({"fasttext_quality": pa.array([0.5, 0.49], pa.float32())})
    assert stage.decide(table).to_pylist() == [None, "below_at_least"]
    assert stage.identity() == FasttextQuality(model=str(model)).identity()


def test_what_is_no_classifier_of_this_label(model, tmp_path):
    with pytest.raises(ModelError, match=r"has no label 'hk'\. Did you mean 'hq'\? Its labels: "):
        FasttextQuality(model=str(model), good_label="hk").open()
    (tmp_path / "cut.bin").write_bytes(b"no model")
    with pytest.raises(ModelError, match="not a fastText model"):
        FasttextQuality(model=str(tmp_path / "cut.bin")).open()
    with _zeroed_memory():
        lines = str(model.with_name("lines.txt"))
        vectors = fasttext.train_unsupervised(lines, dim=4, bucket=100, thread=1, verbose=0)
    vectors.save_model(str(tmp_path / "vectors.bin"))
    with pytest.raises(ModelError, match=r"holds word vectors \(skipgram\)"):
        FasttextQuality(model=str(tmp_path / "vectors.bin")).open()
