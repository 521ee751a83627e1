"""Rows that a source lists twice have the same key, and no others share a node."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedupe.repeated import RepeatedRows

KEYS = st.binary(min_size=16, max_size=16).map(bytes.hex)


def nodes(keys):
    sketch = RepeatedRows().open()(pa.table({"key": pa.array(keys, pa.string())}))
    assert sketch.apart is None
    return list(zip(sketch.node.tolist(), sketch.check.tolist(), strict=True))


@settings(derandomize=True, deadline=None)
@given(st.lists(KEYS, max_size=5).flatmap(lambda keys: st.lists(st.sampled_from([*keys, "0" * 32]))))
def test_node_and_check_are_the_halves_of_the_key(keys):
    assert nodes(keys) == [(int(key[:16], 16), int(key[16:], 16)) for key in keys]


def test_nothing_else_makes_two_rows_the_same():
    assert RepeatedRows().comparing() is None
    assert RepeatedRows().inputs() == ("key",)
