"""The first row of each hash stays, whatever else the call holds."""

import hashlib

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedupe import ExactDuplicates
from curate.errors import InputError


def rows_of(values, *, chunks=1):
    hashes = [None if v is None else hashlib.sha256(v).hexdigest() for v in values]
    rows = sorted(
        ({"key": f"{i:032x}", "order": i, "sha256": h} for i, h in enumerate(hashes)),
        key=lambda r: (r["sha256"] or "", r["order"]),
    )
    schema = pa.schema([("key", pa.string()), ("order", pa.int64()), ("sha256", pa.string())])
    cut = len(rows) // chunks
    return pa.concat_tables(pa.Table.from_pylist(part, schema=schema) for part in (rows[:cut], rows[cut:]))


def test_first_in_corpus_order_stays_and_stands_for_its_copies():
    table = rows_of([b"cat", b"dog", b"cat", b"cat", b"owl"])
    verdicts = ExactDuplicates().open()(table)
    judged = zip(verdicts.dropped.to_pylist(), verdicts.survivor.to_pylist(), strict=True)
    by_order = dict(zip(table["order"].to_pylist(), judged, strict=True))
    assert by_order == {
        0: (None, f"{0:032x}"),
        1: (None, f"{1:032x}"),
        2: ("exact_duplicate", f"{0:032x}"),
        3: ("exact_duplicate", f"{0:032x}"),
        4: (None, f"{4:032x}"),
    }


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.sampled_from([b"a", b"b", b"c", b"d"]), max_size=30), st.sampled_from([1, 2]))
def test_agrees_with_a_dictionary(values, chunks):
    table = rows_of(values, chunks=chunks)
    verdicts = ExactDuplicates().open()(table)
    first = {}
    for i, value in enumerate(values):
        first.setdefault(value, i)
    for order, dropped, survivor in zip(
        table["order"].to_pylist(), verdicts.dropped.to_pylist(), verdicts.survivor.to_pylist(), strict=True
    ):
        assert survivor == f"{first[values[order]]:032x}"
        assert dropped == (None if first[values[order]] == order else "exact_duplicate")
    assert verdicts.dropped.type == pa.string()
    assert verdicts.survivor.type == pa.string()


def test_a_missing_hash_is_an_error_not_a_group():
    with pytest.raises(InputError, match=r"2 rows have no sha256, first key 0{31}1"):
        ExactDuplicates().open()(rows_of([b"cat", None, None]))
