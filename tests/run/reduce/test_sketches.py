"""Of what columns a score or a scope can be."""

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from curate.dedupe import ExactDuplicates
from curate.run.reduce import sketches


def test_a_score_may_be_a_large_number():
    stage = ExactDuplicates(keep="highest", score="taken_ns")
    scores = sketches._scores(stage, pa.table({"taken_ns": pa.array([2**60 + 1, None, 5], pa.int64())}))
    assert scores[0] == 2.0**60
    assert np.isnan(scores[1])
    assert scores[2] == 5


@pytest.mark.parametrize("slice_", ["date:hour", "date:", "text:month"])
def test_an_unknown_slice_is_refused(slice_):
    with pytest.raises(ValidationError, match="there are date:year, date:month, date:day"):
        ExactDuplicates(within=[slice_])
