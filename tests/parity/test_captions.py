"""Caption scores against pycocoevalcap, the COCO caption evaluation in Python."""

import random
import shutil

import pytest

from curate.train.scores.captions import cider_of_each, score_captions
from curate.train.scores.words import words

pytest.importorskip("pycocoevalcap", reason="needs pycocoevalcap: pip install pycocoevalcap")

WORDS = "a the man dog cat red blue ball runs sits on under near table two with is n't '90s -lrb-"


def captions(seed, pictures, references):
    draw = random.Random(seed)
    said = [" ".join(draw.choices(WORDS.split(), k=draw.randint(0, 14))) for _ in range(pictures)]
    written = [[" ".join(draw.choices(WORDS.split(), k=draw.randint(1, 14))) for _ in range(references)] for _ in said]
    for place in range(0, pictures, 3):  # some 4-grams match: with none their BLEU-4 is a trace, ours 0
        written[place][0] = said[place] = f"{said[place]} the man sits near a table"
    return said, written


def theirs(said, references):
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    res = {place: [" ".join(words(caption))] for place, caption in enumerate(said)}
    gts = {place: [" ".join(words(caption)) for caption in group] for place, group in enumerate(references)}
    cider, of_each = Cider().compute_score(gts, res)
    bleu, _ = Bleu().compute_score(gts, res, verbose=0)
    rouge, _ = Rouge().compute_score(gts, res)
    return {"CIDEr": cider, **{f"BLEU-{n}": b for n, b in enumerate(bleu, 1)}, "ROUGE-L": rouge}, of_each


@pytest.mark.parametrize(("seed", "pictures", "references"), [(1, 40, 5), (2, 7, 1), (3, 200, 3), (4, 2, 2)])
def test_scores_are_those_of_the_coco_evaluation(seed, pictures, references):
    said, written = captions(seed, pictures, references)
    figures, of_each = theirs(said, written)
    assert score_captions(said, written) == pytest.approx(figures, abs=1e-6)
    assert cider_of_each(said, written) == pytest.approx(of_each, abs=1e-9)


SIGNS = [".", ",", "!", "?", "...", " -", " --", ";", ":", "'s", "'ll", ' "so"', " (#5)", " 10:30 a.m.", " $5", "/cat"]


@pytest.mark.skipif(shutil.which("java") is None, reason="needs Java: the tokeniser of the evaluation runs on it")
def test_words_are_those_of_the_java_tokeniser():
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    draw = random.Random(5)
    plain = ["a", "man", "didn't", "two-way", "St.", "U.S.", "cannot", "beach", "T-shirt", "1/2", "wooden"]
    said = ["A " + " ".join(draw.choice(plain) + draw.choice(["", "", *SIGNS]) for _ in range(9)) for _ in range(500)]
    printed = PTBTokenizer().tokenize({place: [{"caption": caption}] for place, caption in enumerate(said)})
    different = [caption for place, caption in enumerate(said) if words(caption) != printed[place][0].split()]
    assert len(different) <= 0.02 * len(said), different[:5]
