import io

import pyarrow as pa
import pytest
from PIL import Image

from curate.errors import ModelError
from filters.alignment import PICTURES, Alignment


def encoded(colour, size=(32, 24)):
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "PNG")
    return stream.getvalue()


def table(*rows):
    images, captions = zip(*rows, strict=True)
    return pa.table({"image": pa.array(images, pa.large_binary()), "caption": pa.array(captions, pa.string())})


@pytest.fixture(scope="module")
def score():
    return Alignment(model="conse-lite0-minilm").open()


def test_rows_that_cannot_be_compared_have_no_score(score):
    red = encoded("red")
    (cosines,) = score(table((red, None), (None, "a"), (b"broken", "a"), (red, " \n"), (red, "a red card"), (red, "")))
    assert cosines.is_valid().to_pylist() == [False, False, False, False, True, False]
    assert score(table((red, None)))[0].to_pylist() == [None]


def test_scores_stay_with_their_rows_across_batches(score):
    colours = ["red", "green", "blue", "white", "black", "orange"]
    rows = [(encoded(colours[i % 6]) if i % 5 else b"broken", f"a {colours[i % 4]} card") for i in range(3 * PICTURES)]
    together = score(table(*rows))[0].to_pylist()
    alone = [score(table(row))[0][0].as_py() for row in rows]
    assert [c is None for c in together] == [i % 5 == 0 for i in range(len(rows))]
    assert [c for c in together if c is not None] == pytest.approx([c for c in alone if c is not None], abs=1e-4)


def test_only_pairs_below_the_threshold_are_dropped():
    scores = pa.table({"alignment": pa.array([-0.1, 0.19, 0.2, None], pa.float32())})
    decided = Alignment(at_least=0.19).decide(scores).to_pylist()
    assert decided[0] == "below_at_least"
    assert decided[2:] == [None, None]


def test_missing_checkpoint_says_how_to_get_it(monkeypatch):
    monkeypatch.delenv("CURATE_ALLOW_HUB", raising=False)
    with pytest.raises(ModelError, match="hf download openai/clip-vit-large-patch14"):
        Alignment().identity()
