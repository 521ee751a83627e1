"""What the stage takes of a row, which rows it calls duplicates, and what its cells lose."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from curate.dedupe import SemanticDuplicates
from curate.errors import InputError
from curate.sample import EMBEDDING

VECTOR = st.lists(st.floats(-1, 1, width=16), min_size=2, max_size=2)


def table(vectors, column="text_embedding", chunks=1):
    cut = max(1, -(-len(vectors) // chunks))
    parts = [pa.array(vectors[start : start + cut], EMBEDDING) for start in range(0, len(vectors), cut)]
    return pa.table({column: pa.chunked_array(parts, EMBEDDING)})


def stage(**chosen):
    return SemanticDuplicates(column="text_embedding", **chosen)


def sketched(vectors, **chosen):
    return stage(**chosen).open()(table(vectors))


def pairs(vectors, **chosen):
    payload = sketched(vectors).payload
    i, j = stage(**chosen).comparing().find(payload, payload)
    return sorted(zip(i.tolist(), j.tolist(), strict=True))


def blobs(rows, width=32, seed=0):
    random = np.random.default_rng(seed)
    return (
        np.repeat(random.normal(size=(rows // 4, width)), 4, axis=0) + 0.2 * random.normal(size=(rows, width))
    ).tolist()


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.none() | VECTOR, max_size=12), st.integers(1, 4))
def test_a_row_is_sketched_alone(vectors, chunks):
    whole = stage().open()(table(vectors, chunks=chunks))
    for row in range(len(vectors)):
        alone = sketched(vectors[row : row + 1])
        assert (whole.node[row], whole.check[row]) == (alone.node[0], alone.check[0])
        assert whole.apart[row] == alone.apart[0]
        assert whole.payload[row].as_py() == alone.payload[0].as_py()


def test_rows_without_a_direction_are_apart_and_have_no_payload():
    sketch = sketched([None, [0, 0], [1, 0], [float("nan"), 1], [None, 1]])
    assert sketch.apart.tolist() == [True, True, False, True, True]
    assert sketch.payload.is_valid().to_pylist() == [False, False, True, False, False]
    assert len(sketched([]).node) == 0
    assert sketched([None, None]).apart.tolist() == [True, True]


def test_the_same_direction_is_the_same_node():
    sketch = sketched([[0.6, 0.8], [0.6, 0.8], [0.3, 0.4], [0.8, 0.6]])
    assert sketch.node[0] == sketch.node[1] == sketch.node[2] != sketch.node[3]
    assert len(set(sketch.check.tolist())) == 2


def test_pairs_are_those_above_the_cosine():
    vectors = blobs(400)
    unit = np.array(vectors, np.float16).astype(float)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    cosines = unit @ unit.T
    for epsilon in (0.02, 0.05, 0.2):
        # The few whose cosine is nearer to the bound than rounding may fall on either side.
        sure, maybe = (
            {(i, j) for i, j in np.argwhere(cosines > 1 - epsilon + off).tolist() if i < j} for off in (6e-4, -6e-4)
        )
        assert sure <= set(pairs(vectors, epsilon=epsilon)) <= maybe
        assert len(sure) > 10 or epsilon < 0.05


def test_epsilon_of_nothing_leaves_equal_directions_alone():
    assert pairs([[1, 0], [0.9995, 0.0316]], epsilon=0) == []
    assert pairs([[1, 0], [0.9995, 0.0316]], epsilon=0.001) == [(0, 1)]


def test_epsilon_decides_and_is_not_part_of_what_is_stored():
    assert stage(epsilon=0.1).identity() == stage(epsilon=0.01).identity()
    assert stage(clusters=2).identity() != stage().identity()


def test_cells_hold_whole_clusters_of_far_blobs_for_any_order_of_the_sample():
    vectors = blobs(400)
    chosen = stage(clusters=5, sample=1000).comparing().cells
    payload = sketched(vectors).payload
    shuffled = payload.take(pa.array(np.random.default_rng(0).permutation(400)))
    learned = chosen.learn(payload)
    assert chosen.learn(shuffled) == learned
    cells = chosen.assign(learned, payload)
    assert cells.dtype == np.uint64
    assert len(set(cells.tolist())) == 5
    alone = [chosen.assign(learned, payload.slice(row, 1))[0] for row in range(400)]
    assert cells.tolist() == alone
    found = pairs(vectors, epsilon=0.3)
    assert len(found) > 100
    assert np.mean([cells[i] == cells[j] for i, j in found]) > 0.95


def test_a_small_corpus_is_one_cell():
    """With a cell for every row no two would ever be compared."""
    chosen = stage(clusters=50, sample=5000).comparing().cells
    payload = sketched(blobs(60)).payload
    assert set(chosen.assign(chosen.learn(payload), payload).tolist()) == {0}
    nothing = payload.slice(0, 0)
    assert len(chosen.assign(chosen.learn(nothing), nothing)) == 0


def test_no_clusters_is_no_cells():
    assert stage().comparing().cells is None


def test_vectors_of_two_models_are_an_error():
    one, other = sketched([[1, 0]]).payload, sketched([[1, 0, 0]]).payload
    with pytest.raises(InputError, match="text_embedding: vectors of 2 and of 3 numbers"):
        stage().comparing().find(one, other)
    chosen = stage(clusters=1).comparing().cells
    with pytest.raises(InputError, match="text_embedding: vectors of 2 and of 3 numbers"):
        chosen.assign(chosen.learn(one), other)


def test_a_sample_too_small_for_the_clusters_is_refused():
    with pytest.raises(ValidationError, match="100 clusters cannot be learned from a `sample` of less than 3900"):
        stage(clusters=100, sample=1000)


def test_it_reads_the_embedding_the_score_and_the_scope():
    chosen = stage(keep="highest", score="alignment", within=("collection", "date:month"))
    assert chosen.inputs() == ("text_embedding", "collection", "date", "alignment")


def test_leaders_are_picked_from_all_pairs(monkeypatch):
    monkeypatch.setattr("curate.dedupe.cosine.MOST", 1)
    payload = sketched((1 + 0.01 * np.random.default_rng(0).normal(size=(15, 8))).tolist()).payload
    found = {how: len(stage(linkage=how).comparing().find(payload, payload)[0]) for how in ("leader", "single")}
    assert found == {"leader": 15 * 7, "single": 14}


def test_a_plan_says_what_comparing_takes_or_loses():
    assert "every row is compared" in stage().notes()[0]
    assert "within 9 clusters" in stage(clusters=9).notes()[0]
