"""Components and the pairs that span them, against a search of the graph."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedupe.spanning import Nodes, Spanning


def components(nodes, edges):
    """Label each node with the smallest one that it can reach."""
    reached = list(range(nodes))
    for start in range(nodes):
        if reached[start] != start:
            continue
        front = [start]
        while front:
            node = front.pop()
            for a, b in edges:
                for here, there in ((a, b), (b, a)):
                    if here == node and reached[there] > start:
                        reached[there] = start
                        front.append(there)
    return reached


def smallest(labels):
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return first[inverse].tolist()


@settings(derandomize=True, deadline=None, database=None, max_examples=80)
@given(data=st.data(), nodes=st.integers(1, 30), chunks=st.integers(1, 4))
def test_components_and_their_spanning_pairs(data, nodes, chunks):
    node = st.integers(0, nodes - 1)
    edges = data.draw(st.lists(st.tuples(node, node), max_size=40))
    spanning = Spanning(nodes)
    for n in range(chunks):
        some = np.array(edges[n::chunks], np.int64).reshape(-1, 2)
        spanning.add(some[:, 0], some[:, 1])
    left, right = spanning.edges()
    kept = list(zip(left.tolist(), right.tolist(), strict=True))
    expected = components(nodes, edges)
    assert smallest(spanning.labels) == expected
    assert set(kept) <= set(edges)
    assert len(kept) == nodes - len(set(expected))
    assert components(nodes, kept) == expected


@pytest.mark.parametrize("order", [1, -1])
def test_a_long_chain(order):
    spanning = Spanning(50_000)
    spanning.add(np.arange(49_999)[::order], np.arange(1, 50_000)[::order])
    assert len(spanning.edges()[0]) == 49_999
    assert len(set(spanning.labels.tolist())) == 1


def test_pairs_that_join_nothing_are_not_kept():
    spanning = Spanning(3)
    spanning.add(np.array([0, 1, 1]), np.array([0, 1, 1]))
    assert len(spanning.edges()[0]) == 0
    assert spanning.changes == 0
    nodes = Nodes(spanning, np.array([0, 0, 1]), np.array([2]))
    spanning.add(np.array([0]), np.array([2]))
    spanning.edges()
    assert nodes.changes == 1
    assert (nodes.of_left() == nodes.of_right()).tolist() == [True, True, False]
