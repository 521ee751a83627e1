import numpy as np
import pyarrow as pa

from curate.sample import COLUMNS
from filters.toxicity.texts import gather

TABLE = pa.table(
    {
        "caption": pa.array([" a boat ", None, "", "a fool"], pa.string()),
        "text": pa.array(["a fool", "\n", None, "a boat"], pa.string()),
        "conversations": pa.array(
            [
                None,
                [{"from": "human", "value": "what?"}, None, {"from": "gpt", "value": None}],
                [],
                [{"from": "human", "value": "what?"}, {"from": "gpt", "value": "a boat"}],
            ],
            COLUMNS.field("conversations").type,
        ),
    }
)


def by_row(texts):
    return [{texts.distinct[i] for r, i in zip(texts.rows, texts.indices, strict=True) if r == row} for row in range(4)]


def test_distinct_texts_of_all_columns_and_turns():
    texts = gather(TABLE, ("caption", "text", "conversations"))
    assert sorted(texts.distinct) == ["a boat", "a fool", "what?"]
    assert by_row(texts) == [{"a boat", "a fool"}, {"what?"}, set(), {"a boat", "a fool", "what?"}]
    assert by_row(gather(TABLE, ("caption",))) == [{"a boat"}, set(), set(), {"a fool"}]


def test_sample_scores_as_the_highest_of_its_texts_by_label():
    texts = gather(TABLE, ("caption", "text", "conversations"))
    scores = {"a boat": [0.1, 0.9, np.nan], "a fool": [0.8, 0.2, 0.3], "what?": [0.5, 0.4, np.nan]}
    highest = texts.highest(np.array([scores[text] for text in texts.distinct], np.float32))
    expected = [[0.8, 0.9, 0.3], [0.5, 0.4, np.nan], [0, 0, 0], [0.8, 0.9, 0.3]]
    np.testing.assert_allclose(highest, np.array(expected, np.float32))


def test_no_rows():
    texts = gather(TABLE.slice(0, 0), ("caption", "conversations"))
    assert (texts.distinct, texts.highest(np.zeros((0, 2), np.float32)).shape) == ([], (0, 2))
