import pyarrow as pa

from filters.short_side import ShortSide


def test_shorter_side_and_its_decision():
    table = pa.table({"width": pa.array([10, 64, None], pa.int32()), "height": pa.array([90, 65, 4], pa.int32())})
    (scores,) = ShortSide().open()(table)
    assert scores.to_pylist() == [10, 64, None]
    decided = ShortSide(at_least=64).decide(pa.table({"short_side": scores}))
    assert decided.to_pylist() == ["below_at_least", None, None]
