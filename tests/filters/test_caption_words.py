import pyarrow as pa
import pytest

from filters.caption_words import CaptionWords


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        (None, 0),
        ("", 0),
        (" \n\t ", 0),
        ("!!! ... ---", 0),
        ("A great blue heron.", 4),
        ("the dog's well-known tail", 4),
        ("the dog’s tail", 3),  # noqa: RUF001 - a typographic apostrophe is what this is about
        ("naïve café Übermut", 3),
        ("cafe\u0301 au lait", 3),  # an accent as a character of its own
        ("3 cats, 12.5 kg", 5),
        ("这是一只狗", 5),
        ("ねこ cat", 3),
        ("синий кит", 2),
        ("file_name_of_a_camera IMG_1234", 7),
    ],
)
def test_counts_words(caption, words):
    table = pa.table({"caption": pa.array([caption], pa.string())})
    assert CaptionWords().open()(table)[0].to_pylist() == [words]


def test_bounds_are_inclusive():
    scores = pa.table({"caption_words": pa.array([2, 3, 5, 6], pa.int32())})
    decided = CaptionWords(at_least=3, at_most=5).decide(scores)
    assert decided.to_pylist() == ["below_at_least", None, None, "above_at_most"]
