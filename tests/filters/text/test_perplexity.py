"""Perplexity against back-off worked out by hand from the ARPA file, where kenlm is installed; else its refusal."""

import importlib.util
import itertools
import math
from pathlib import Path

import pyarrow as pa
import pytest

from curate.errors import ModelError
from filters.text.perplexity import Perplexity, _normalized

ARPA = Path(__file__).parents[2] / "data" / "language_models" / "words.arpa"
needs_kenlm = pytest.mark.skipif(
    importlib.util.find_spec("kenlm") is None, reason="kenlm is not installed: pip compiles it, set-up does not"
)


def grams():
    """Return {words: (log10 probability, log10 back-off)} of the file."""
    rows = (line.split("\t") for line in ARPA.read_text().splitlines() if "\t" in line)
    return {tuple(words.split()): (float(p), float(rest[0]) if rest else 0.0) for p, words, *rest in rows}


def by_hand(*lines):
    """Katz back-off over two words: log10 p(b | a), or back-off(a) + log10 p(b)."""
    table, total, tokens = grams(), 0.0, 0
    for line in lines:
        words = ["<s>", *(w if (w,) in table else "<unk>" for w in line.split()), "</s>"]
        for pair in itertools.pairwise(words):
            found = table.get(pair)
            total += found[0] if found else table[pair[:1]][1] + table[pair[1:]][0]
            tokens += 1
    return 10 ** (-total / tokens)


def measure(*texts, languages=None, **settings):
    stage = Perplexity(model=str(ARPA), **settings)
    table = pa.table({"text": pa.array(texts, pa.string()), "language": pa.array(languages or ["en"] * len(texts))})
    return [column.to_pylist() for column in stage.open()(table)]


@needs_kenlm
def test_it_is_what_back_off_gives_by_hand():
    told = measure("the boat lies at the pier", "the boat\n\nat the pier", "zebra boat the")[1]
    expected = [by_hand("the boat lies at the pier"), by_hand("the boat", "at the pier"), by_hand("zebra boat the")]
    assert told == pytest.approx(expected, rel=1e-4)
    assert told[0] < told[2]


@needs_kenlm
def test_a_text_without_a_token_and_one_without_a_model_have_none():
    assert measure(None, "", " \n\t") == [["none"] * 3, [None] * 3]
    codes, values = measure("the boat", "the boat", "the boat", languages=["en", "de", None],
                            language_column="language")  # fmt: skip
    assert codes == ["en", "none", "none"]
    assert values[1:] == [None, None]
    assert math.isfinite(values[0])


@needs_kenlm
def test_what_is_no_model_is_one_clear_error(tmp_path):
    (tmp_path / "cut.arpa").write_text(ARPA.read_text()[:200])
    with pytest.raises(ModelError, match="is no KenLM or ARPA model"):
        Perplexity(model=str(tmp_path / "cut.arpa")).open()


@needs_kenlm
def test_pieces_are_those_of_the_tokenizer(tmp_path):
    sentencepiece = pytest.importorskip("sentencepiece", reason="sentencepiece is not installed")
    (tmp_path / "lines.txt").write_text("the boat lies at the pier\n" * 20)
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "lines.txt"),
        model_prefix=str(tmp_path / "en.sp"),
        vocab_size=100,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    processor = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "en.sp.model"))
    pieces = processor.encode("the boat", out_type=str)
    told = measure("the boat", tokenizer=str(tmp_path / "{language}.sp.model"))[1]
    assert told == pytest.approx([by_hand(" ".join(pieces))], rel=1e-4)


@pytest.mark.skipif(importlib.util.find_spec("kenlm") is not None, reason="kenlm is installed")
def test_without_kenlm_it_says_how_to_get_it():
    with pytest.raises(ModelError, match="pip install kenlm"):
        Perplexity(model=str(ARPA)).open()


def test_normalising_is_ccnets():
    assert _normalized("  Él dijo: «Año 2020»…\x07 \u2013 \uff11") == 'el dijo: "ano 0000"... - 0'


def test_bounds_decide_and_what_has_none_stays():
    stage = Perplexity(model=str(ARPA), at_least=10, at_most=100)
    scores = pa.table({"perplexity_model": ["en", "en", "en", "none"],
                       "perplexity": pa.array([9, 50, 101, None], pa.float32())})  # fmt: skip
    assert stage.decide(scores).to_pylist() == ["below_at_least", None, "above_at_most", None]


def test_several_languages_need_several_models():
    with pytest.raises(ValueError, match="language_column"):
        Perplexity(model=str(ARPA), languages=("en", "de"))
    several = {"languages": ("en", "de"), "language_column": "language"}
    stage = Perplexity(model="m/{language}.bin", tokenizer="m/{language}.sp", **several)
    assert [m.name for m in stage.models()] == ["m/en.bin", "m/en.sp", "m/de.bin", "m/de.sp"]
    assert stage.inputs() == ("text", "language")
