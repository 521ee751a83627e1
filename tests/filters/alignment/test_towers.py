import numpy as np

from filters.alignment.towers import batched


def test_results_come_in_the_order_given_and_batches_hold_like_lengths():
    texts = ["aaaa", "b", "ccc", "dd", "eeeee", "f", ""]
    seen = []

    def embed(chunk):
        seen.append(chunk)
        return np.array([[len(text), ord(text[0]) if text else 0] for text in chunk], np.float32)

    vectors = batched(texts, 3, embed)
    assert vectors.tolist() == [[len(t), ord(t[0]) if t else 0] for t in texts]
    assert seen == [["", "b", "f"], ["dd", "ccc", "aaaa"], ["eeeee"]]
