"""What every registered stage promises, whoever wrote it. A new stage is picked up by itself."""

import pickle
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from batches import batches, field
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from stage_settings import HEARS, cases, stage

from curate.reduce import Banded
from curate.registry import stages
from curate.sample import COLUMNS
from curate.stage import FINDINGS, Measured

TOLERANCE = 1e-4  # between a batch and its rows one by one, for models whose sums depend on the batch
EXAMPLES = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@lru_cache(maxsize=64)
def opened(name):
    """Open a stage as a worker does: from a pickled copy."""
    return pickle.loads(pickle.dumps(stage(name))).open()


def one_by_one(table):
    return [table.slice(row, 1) for row in range(len(table))]


def as_array(column):
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def assert_alike(got, expected):
    """Equal, and for floats equal within TOLERANCE with nulls in the same places."""
    if not pa.types.is_floating(got.type):
        assert got.equals(expected)
        return
    assert got.is_null().equals(expected.is_null())
    np.testing.assert_allclose(got.drop_null().to_numpy(), expected.drop_null().to_numpy(), atol=TOLERANCE)


@pytest.mark.parametrize("name", cases())
def test_settings_are_frozen(name):
    with pytest.raises(ValidationError):
        stage(name).max_failed_fraction = 0.5


@pytest.mark.parametrize("name", cases())
def test_settings_survive_json(name):
    assert type(stage(name)).model_validate_json(stage(name).model_dump_json()) == stage(name)


@pytest.mark.parametrize("name", cases())
def test_unknown_option_is_refused(name):
    with pytest.raises(ValidationError, match="no_such_option"):
        type(stage(name))(**{**stage(name).model_dump(), "no_such_option": 1})


@pytest.mark.parametrize("name", cases())
def test_settings_and_class_say_what_they_are(name):
    undescribed = [option for option, f in type(stage(name)).model_fields.items() if not f.description]
    assert undescribed == []
    assert type(stage(name)).__doc__.strip()


@pytest.mark.parametrize("name", cases())
def test_identity_depends_on_settings_alone(name):
    copy = pickle.loads(pickle.dumps(stage(name)))
    assert copy.identity() == stage(name).identity()
    assert stage(name).model_copy(update={"max_failed_fraction": 0.123}).identity() == stage(name).identity()


@pytest.mark.parametrize("name", cases())
def test_shared_columns_have_their_shared_type(name):
    for written in stage(name).outputs():
        assert written.name not in COLUMNS.names or written == COLUMNS.field(written.name)


@pytest.mark.parametrize("name", cases())
def test_somebody_writes_what_it_reads(name):
    written = {f.name for s in stages().values() for f in s.writes} | set(COLUMNS.names)
    assert set(stage(name).inputs()) <= written


@pytest.mark.parametrize("name", cases("filter"))
@EXAMPLES
@given(data=st.data())
def test_filter_measures_each_row_alone(name, data):
    table = data.draw(batches(stage(name).inputs()))
    before = table.slice(0)
    scores = measured(name, table)
    assert table.equals(before)
    assert [c.type for c in scores] == [f.type for f in stage(name).outputs()]
    assert [len(c) for c in scores] == [len(table)] * len(scores)
    assert measured(name, table) == scores
    for row, alone in enumerate(one_by_one(table)):
        for whole, single in zip(scores, measured(name, alone), strict=True):
            assert_alike(whole.slice(row, 1), single)


def measured(name, table):
    """What a filter says of a table, with or without reasons of failure."""
    scores = opened(name)(table)
    return [as_array(c) for c in (scores.columns if isinstance(scores, Measured) else scores)]


@pytest.mark.parametrize("name", cases("filter"))
@EXAMPLES
@given(data=st.data())
def test_filter_decides_each_row_alone_from_scores(name, data):
    schema = pa.schema(stage(name).outputs())
    scores = data.draw(batches(schema.names))
    reasons = as_array(stage(name).decide(scores))
    assert (reasons.type, len(reasons)) == (pa.string(), len(scores))
    alone = [as_array(stage(name).decide(row)) for row in one_by_one(scores)]
    assert reasons.to_pylist() == [r for reason in alone for r in reason.to_pylist()]


@pytest.mark.parametrize("name", cases("edit"))
@EXAMPLES
@given(data=st.data())
def test_edit_changes_each_row_alone(name, data):
    table = data.draw(batches(stage(name).inputs(), max_rows=2 if name in HEARS else 5))
    before = table.slice(0)
    whole = checked(name, table)
    assert table.equals(before)
    assert rows(checked(name, table)) == rows(whole)
    assert rows(whole) == [row for alone in one_by_one(table) for row in rows(checked(name, alone))]


def checked(name, table):
    """Edit a table and hold the result to its schema."""
    edited = opened(name)(table)
    assert edited.columns.column_names == [f.name for f in stage(name).outputs()]
    assert edited.columns.schema.types == [f.type for f in stage(name).outputs()]
    assert edited.columns.num_rows == len(table)
    for mask, kind in ((edited.changed, pa.bool_()), (edited.failed, pa.string())):
        assert mask is None or (mask.type, len(mask)) == (kind, len(table))
    assert edited.changed is None or edited.changed.null_count == 0
    assert edited.findings is None or edited.findings.schema == FINDINGS
    return edited


def rows(edited):
    """What an edit says of each row: columns where it changed and did not fail, the failure, the findings."""
    count = edited.columns.num_rows
    changed = [True] * count if edited.changed is None else edited.changed.to_pylist()
    failed = [None] * count if edited.failed is None else edited.failed.to_pylist()
    found = [[] for _ in range(count)]
    for finding in [] if edited.findings is None else edited.findings.to_pylist():
        found[finding.pop("row")].append(finding)
    values = edited.columns.to_pylist()
    return [(values[i] if changed[i] and not failed[i] else None, failed[i], found[i]) for i in range(count)]


@pytest.mark.parametrize("name", cases("reduce"))
@EXAMPLES
@given(data=st.data())
def test_reduce_sketches_each_row_alone(name, data):
    table = data.draw(sketchable(stage(name)))
    whole = opened(name)(table)
    alone = [opened(name)(row) for row in one_by_one(table)] or [whole]
    assert [node for sketch in alone for node in sketch.node.tolist()] == whole.node.tolist()
    assert [check for sketch in alone for check in sketch.check.tolist()] == whole.check.tolist()
    assert np.concatenate([nothing(sketch) for sketch in alone]).tolist() == nothing(whole).tolist()
    if whole.bands is not None:
        np.testing.assert_array_equal(np.concatenate([sketch.bands for sketch in alone]), whole.bands)
    if whole.payload is not None:
        assert pa.concat_arrays([as_array(sketch.payload) for sketch in alone]).equals(as_array(whole.payload))


@pytest.mark.parametrize("name", cases("reduce"))
@EXAMPLES
@given(data=st.data())
def test_reduce_takes_equal_rows_for_equal_and_says_what_it_declares(name, data):
    table = data.draw(sketchable(stage(name)))
    sketch, how = opened(name)(pa.concat_tables([table, table])), stage(name).comparing()
    rows = len(sketch.node) // 2
    assert sketch.node[:rows].tolist() == sketch.node[rows:].tolist()
    assert sketch.node.dtype == sketch.check.dtype == np.uint64
    if isinstance(how, Banded):
        assert sketch.bands.shape == (2 * rows, how.bands)
        assert sketch.bands.dtype == np.uint64
    assert (how is None) == (sketch.payload is None) or (isinstance(how, Banded) and how.alike is None)
    if sketch.payload is not None:
        assert pc.and_not(sketch.payload.is_null(), pa.array(nothing(sketch))).true_count == 0
    assert opened(name)(table.slice(0, 0)).node.tolist() == []


def nothing(sketch):
    return np.zeros(len(sketch.node), bool) if sketch.apart is None else sketch.apart


@st.composite
def sketchable(draw, reduce):
    """A table as a Reduce gets it; hashes of media are there, for the engine fails rows without."""
    table = draw(batches(["key", *(n for n in reduce.inputs() if n != "key")], max_rows=8))
    keys = pa.array([f"{row:032x}" for row in range(len(table))], pa.string())
    table = table.set_column(0, field("key"), keys)
    return table.filter(table["sha256"].is_valid()) if "sha256" in table.column_names else table


TEXTS = st.sampled_from([(), ("caption",), ("document", "text"), ("caption", "text")])


@pytest.mark.parametrize("name", cases("sink"))
@EXAMPLES
@given(data=st.data())
def test_sink_packs_each_row_alone(name, data):
    table = data.draw(batches(["key", *dict.fromkeys([*stage(name).inputs(), *data.draw(TEXTS)])]))
    packed = list(opened(name)(table))
    assert [key for key, _ in packed] == table["key"].to_pylist()
    assert all(len({extension for extension, _ in members}) == len(members) for _, members in packed)
    assert packed == [sample for alone in one_by_one(table) for sample in opened(name)(alone)]
