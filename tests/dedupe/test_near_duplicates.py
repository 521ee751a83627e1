"""The stage: what it takes out of a partition, what it calls alike, and how it holds up under odd texts."""

import random
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from test_shingles import runs, words

from curate.dedupe import NearDuplicates, columns

TEXTS = st.lists(st.none() | st.text("abc .", max_size=40), max_size=8)
WORDS = [f"{a}{b}" for a in "abcdefghij" for b in "klmnopqrst"]


def sketch(stage, texts):
    return stage.open()(pa.table({stage.column: pa.array(texts, pa.string())}))


def written(seed, length):
    return random.Random(seed).choices(WORDS, k=length)


def jaccard(left, right):
    a, b = runs(words(left), 5), runs(words(right), 5)
    return len(a & b) / len(a | b)


def changed(text, share, seed):
    draw = random.Random(seed)
    return [draw.choice(WORDS) if draw.random() < share else word for word in text]


def same(one, other):
    """Whether two sketches say the same of all rows that are not apart."""
    kept = ~one.apart
    payloads = [None if s.payload is None else s.payload.to_pylist() for s in (one, other)]
    fields = [(s.node[kept].tolist(), s.check[kept].tolist(), s.bands[kept].tolist()) for s in (one, other)]
    return fields[0] == fields[1] and payloads[0] == payloads[1] and one.apart.tolist() == other.apart.tolist()


def joined(sketches):
    """Several sketches as one."""
    parts = list(zip(*[(s.node, s.check, s.apart, s.bands, s.payload) for s in sketches], strict=True))
    return type(sketches[0])(*(np.concatenate(p) for p in parts[:4]), parts[4][0] and pa.concat_arrays(parts[4]))


@settings(derandomize=True, deadline=None, max_examples=40)
@given(TEXTS.filter(len), st.sampled_from(["texts", "signatures", "none"]), st.sampled_from([1, 30, 1 << 22]))
def test_a_batch_is_its_rows_one_by_one(texts, verify, at_once):
    stage = NearDuplicates(verify=verify, n=2, permutations=12, bands=4)
    alone = joined([sketch(stage, [t]) for t in texts])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "_BYTES", at_once)
        whole = sketch(stage, texts)
    assert same(whole, alone)
    assert whole.apart.tolist() == [not words(t) for t in texts]
    assert whole.bands.shape == (len(texts), 4)
    if verify != "none":
        assert whole.payload.is_null().to_pylist() == whole.apart.tolist()


@pytest.mark.parametrize("verify", ["texts", "signatures", "none"])
def test_no_rows(verify):
    empty = sketch(NearDuplicates(verify=verify), [])
    assert (len(empty.node), empty.bands.shape) == (0, (0, 16))
    assert empty.payload is None or len(empty.payload) == 0


def test_equal_words_are_one_node_and_a_changed_one_is_not():
    found = sketch(NearDuplicates(), ["One two, three four five six.", "one TWO three\nfour five six", "one two three"])
    assert found.node[0] == found.node[1]
    assert found.check[0] == found.check[1]
    assert len(set(found.node.tolist())) == 2


def test_candidates_are_accepted_by_their_true_similarity():
    """No estimate enters: pairs just above the threshold are accepted, pairs just below are not."""
    originals = [written(seed, 300) for seed in range(60)]
    texts = [" ".join(t) for t in originals]
    others = [" ".join(changed(t, 0.002 * (i % 30), i)) for i, t in enumerate(originals)]
    stage = NearDuplicates()
    verdict = stage.comparing().alike(sketch(stage, texts).payload, sketch(stage, others).payload)
    expected = [jaccard(a, b) >= 0.8 for a, b in zip(texts, others, strict=True)]
    assert verdict.tolist() == expected
    assert 10 < sum(expected) < 50


def test_signatures_decide_by_the_share_of_equal_rows():
    stage = NearDuplicates(verify="signatures", permutations=10, bands=2, jaccard=0.7)
    kind = pa.binary(40)
    left = pa.array([np.arange(10, dtype="<u4").tobytes()] * 3, kind)
    differing = [np.where(np.arange(10) < k, 99, np.arange(10)).astype("<u4").tobytes() for k in (2, 3, 4)]
    assert stage.comparing().alike(left, pa.array(differing, kind)).tolist() == [True, True, False]
    assert stage.comparing().alike(left.slice(1), pa.array(differing, kind).slice(1)).tolist() == [True, False]
    assert stage.comparing().payload_bytes == 40


def test_without_verification_nothing_is_stored_for_it():
    stage = NearDuplicates(verify="none")
    assert sketch(stage, ["a b c"]).payload is None
    assert (stage.comparing().alike, stage.comparing().payload_bytes) == (None, 0)


def test_recall_is_what_the_curve_says():
    """Of pairs at each similarity, as many share a band as the plan prints, give or take chance."""
    originals = [written(seed, 200) for seed in range(300)]
    others = [changed(t, 0.03, i) for i, t in enumerate(originals)]
    stage = NearDuplicates()
    left, right = (sketch(stage, [" ".join(t) for t in side]) for side in (originals, others))
    met = (left.bands == right.bands).any(axis=1)
    similarity = np.array([jaccard(" ".join(a), " ".join(b)) for a, b in zip(originals, others, strict=True)])
    expected = NearDuplicates(verify="none").match_curve(similarity)
    assert abs(met.mean() - expected.mean()) < 4 * np.sqrt((expected * (1 - expected)).sum()) / 300
    assert met[similarity >= 0.8].mean() > 0.95


def test_defaults_find_what_they_promise():
    curve = NearDuplicates().match_curve(np.array([0.79, 0.8, 0.85, 1.0]))
    assert curve[0] == 0
    assert curve[1] > 0.975
    assert curve[2] > 0.997
    assert curve[3] == 1
    estimated = NearDuplicates(verify="signatures").match_curve(np.array([0.8]))
    assert 0.4 < estimated[0] < 0.6  # an estimate is too low as often as too high


def test_notes_print_the_curve():
    lines = NearDuplicates().notes()
    assert lines[0].startswith("16 bands of 7 rows")
    assert " 0.80 " in lines[1]
    assert " 97.7% " in lines[2]
    assert lines[3].split()[1:5] == ["0.0%"] * 4
    assert len(NearDuplicates(verify="none").notes()) == 3


def test_columns_and_scope():
    stage = NearDuplicates(column="caption", within=("collection", "date:month"))
    assert stage.inputs() == ("caption", "collection", "date")
    moved = stage.model_copy(update={"jaccard": 0.9})
    assert moved.identity() == stage.identity()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [({"permutations": 100}, "cannot be cut into 16"), ({"jaccard": 0}, "greater than 0"), ({"n": 0}, "greater than")],
)
def test_wrong_settings_are_refused(wrong, why):
    with pytest.raises(ValidationError, match=why):
        NearDuplicates(**wrong)


def test_a_text_of_fifty_megabytes():
    """Its memory is a few times its own size, with no blank in half of it and nothing but words in the other."""
    text = " ".join(map(str, range(3_200_000))) + "x" * 25_000_000
    table = pa.table({"text": pa.array([text, "short", text + " y"], pa.string())}).slice(0, 2)
    size = len(text)
    assert size > 49_000_000
    stage = NearDuplicates(permutations=8, bands=4)
    tracemalloc.start()
    found = stage.open()(table)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * size
    # Of so many, some share the half of a hash that is kept: n squared by 2 ** 33 of them, 1,192.
    assert 3_198_500 < len(found.payload[0]) < 3_199_200


def test_a_million_copies():
    """Linear: one column of them, sketched, has one node and one row of bands."""
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1_000_000, np.int32)), ["the same few words again"])
    table = pa.table({"text": column.cast(pa.string())})
    found = NearDuplicates(permutations=4, bands=2, verify="none").open()(table)
    assert len(np.unique(found.node)) == 1
    assert len(np.unique(found.bands, axis=0)) == 1
