"""Pairs, forests and stars against what a dictionary says."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.run.reduce.graph import ALL_PAIRS, NEIGHBOURS, candidate_pairs, crowded, distinct, first_of_each, forest
from curate.run.reduce.leaders import leaders
from curate.run.reduce.ranks import RANKED, best, best_of_many
from curate.run.reduce.stars import components, roots, write_edges
from curate.storage import Folder

EXAMPLES = settings(derandomize=True, deadline=None, max_examples=60)
edges = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)).filter(lambda e: e[0] != e[1]), max_size=60)


def ids(values):
    # Spread over all 64 bits, so that ranges of hashes each get some.
    return np.array(values, np.uint64).reshape(-1) * np.uint64(0x1000_0000_0000_01F)


def components_of(pairs):
    """Return {node: smallest node of its component}, by following edges."""
    joined = {n: {n} for pair in pairs for n in pair}
    for a, b in pairs:
        if joined[a] is not joined[b]:
            joined[a] |= joined[b]
            for n in joined[b]:
                joined[n] = joined[a]
    return {n: min(group) for n, group in joined.items()}


@EXAMPLES
@given(edges)
def test_forest_is_the_components(pairs):
    spread = [tuple(int(x) for x in ids(pair)) for pair in pairs]
    node, root = forest(ids([a for a, _ in pairs]), ids([b for _, b in pairs]))
    expected = {n: r for n, r in components_of(spread).items() if n != r}
    assert dict(zip(node.tolist(), root.tolist(), strict=True)) == expected


@EXAMPLES
@given(edges, st.integers(1, 4), st.integers(1, 5))
def test_stars_over_many_files_and_ranges_are_the_components(tmp_path_factory, pairs, files, buckets):
    folder = Folder(str(tmp_path_factory.mktemp("stars")))
    names = []
    for i in range(files):
        mine = pairs[i::files]
        names.append(f"edges-{i}.arrow")
        write_edges(folder, names[-1], ids([a for a, _ in mine]), ids([b for _, b in mine]), buckets)
    final = components(folder, names, buckets, lambda task, items: iter([task(*item) for item in items]))
    found = {}
    for b in range(buckets):
        node, root = roots(folder, final, b, buckets)
        found |= dict(zip(node.tolist(), root.tolist(), strict=True))
    assert found == components_of([tuple(int(x) for x in ids(pair)) for pair in pairs])


def test_a_long_chain_is_joined_in_few_rounds(tmp_path):
    """Each file holds every second link, so that no file alone joins anything: rounds grow with the logarithm."""
    rng = np.random.default_rng(0)
    chain = rng.permutation(np.arange(1, 2049, dtype=np.uint64) * np.uint64(0x0010_0000_0000_0001))
    folder, buckets, calls = Folder(str(tmp_path)), 4, []
    for i in range(2):
        write_edges(folder, f"edges-{i}.arrow", chain[i:-1:2], chain[i + 1 :: 2], buckets)

    def each(task, items):
        calls.append(task)
        return iter([task(*item) for item in items])

    final = components(folder, ["edges-0.arrow", "edges-1.arrow"], buckets, each)
    assert {int(r) for b in range(buckets) for r in roots(folder, final, b, buckets)[1]} == {int(chain.min())}
    assert len(calls) <= 2 * 16


@EXAMPLES
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 40)), max_size=80))
def test_candidates_are_all_pairs_of_small_bands_and_linear_in_large_ones(records):
    band, node = (ids([r[i] for r in records]) for i in range(2))
    kept = crowded(band, node, np.arange(len(band)))
    band, node = band[kept], node[kept]
    i, j = candidate_pairs(band)
    found = {(int(band[a]), int(node[a]), int(node[b])) for a, b in zip(i, j, strict=True)}
    assert len(found) == len(i)
    for value in {int(b) for b in ids([r[0] for r in records])}:
        members = sorted({int(ids(n)[0]) for b, n in records if int(ids(b)[0]) == value})
        mine = {(a, b) for v, a, b in found if v == value}
        every = {(a, b) for k, a in enumerate(members) for b in members[k + 1 :]}
        if len(members) <= ALL_PAIRS:
            assert mine == every
        else:
            assert mine <= every
            assert {(members[0], b) for b in members[1:]} <= mine
            assert len(mine) <= len(members) * (1 + NEIGHBOURS)


def test_a_crowd_of_one_node_is_no_crowd():
    assert len(crowded(ids([3] * 1000), ids([7] * 1000), np.arange(1000))) == 0


@EXAMPLES
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(0, 99)), max_size=60))
def test_of_copies_in_a_band_the_first_speaks(records):
    band, node, order = (np.array([r[i] for r in records], np.uint64) for i in range(3))
    kept = first_of_each(band, node, order.astype(np.int64))
    found = sorted(zip(band[kept].tolist(), node[kept].tolist(), order[kept].tolist(), strict=True))
    assert found == [(b, n, min(o for *bn, o in records if bn == [b, n])) for b, n in sorted({r[:2] for r in records})]


def test_distinct_tuples_come_in_order():
    a, b = np.array([2, 1, 2, 1]), np.array([0, 5, 0, 4])
    assert distinct(a, b).tolist() in ([3, 1, 0], [3, 1, 2])


def rows(ranks):
    columns = {f.name: np.zeros(len(ranks), f.type.to_pandas_dtype()) for f in RANKED}
    columns |= {"node": ids(range(len(ranks))), "measure": np.array(ranks, float), "order": np.arange(len(ranks))}
    return pa.table([columns[f.name] for f in RANKED], schema=RANKED)


@EXAMPLES
@given(st.permutations(range(12)), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=30))
def test_leaders_are_those_no_better_leader_is_like(ranks, pairs):
    pairs = [(a, b) for a, b in pairs if a != b]
    bonds = pa.table({"center": ids([a for a, _ in pairs]), "other": ids([b for _, b in pairs])})
    found = leaders(rows(ranks), bonds).tolist()
    expected = {}
    for row in sorted(range(12), key=lambda r: ranks[r]):
        like = [b if a == row else a for a, b in pairs if row in (a, b)]
        better = [n for n in like if expected.get(n) == n]
        expected[row] = min(better, key=lambda n: ranks[n]) if better else row
    assert found == [expected[row] for row in range(12)]


@EXAMPLES
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=40), st.integers(1, 7))
def test_the_best_of_many_tables_is_the_best_of_all(pairs, cut):
    table = rows([rank for _, rank in pairs]).set_column(0, RANKED.field("node"), pa.array(ids([n for n, _ in pairs])))
    parts = [table.slice(i, cut) for i in range(0, len(pairs), cut)]
    assert best_of_many(parts, "node", most=3).equals(best(table, "node"))
