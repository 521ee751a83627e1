import pyarrow as pa

from filters.aspect_ratio import AspectRatio


def sizes(*pairs):
    return pa.table({"width": pa.array([w for w, _ in pairs], pa.int32()), "height": [h for _, h in pairs]})


def measure(table):
    return AspectRatio().open()(table)[0].to_pylist()


def test_longer_side_over_shorter_whichever_it_is():
    assert measure(sizes((300, 100), (100, 300), (7, 7))) == [3.0, 3.0, 1.0]


def test_sides_that_are_no_sides_cannot_be_measured():
    assert measure(sizes((None, 3), (3, None), (0, 3), (-1, 3))) == [None] * 4


def test_only_pictures_beyond_the_threshold_are_dropped():
    scores = pa.table({"aspect_ratio": pa.array([1.0, 3.0, 3.01, None], pa.float32())})
    assert AspectRatio(at_most=3.0).decide(scores).to_pylist() == [None, None, "above_at_most", None]
    assert AspectRatio(at_most=None).decide(scores).to_pylist() == [None] * 4
