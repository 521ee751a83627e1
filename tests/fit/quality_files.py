"""Two sides that a classifier can tell apart, in the files of a user."""

import json
import random

GOOD = "the boat lies at a wooden pier where a heron fishes in the evening light".split()  # noqa: SIM905 - reads better
BAD = ["buy", "cheap", "pills", "now", "click", "here", "to", "win", "free", "money", "today", "only"]


def documents(words, count, seed=0):
    """Return different documents of ten words, one in eight from the other side's words."""
    draws = random.Random(seed)
    other = BAD if words is GOOD else GOOD
    return [" ".join(draws.choice(other if draws.random() < 0.125 else words) for _ in range(10)) for _ in range(count)]


def write_jsonl(path, texts, column="text"):
    path.write_text("".join(json.dumps({column: text}) + "\n" for text in texts))
    return str(path)


QUICK = {"buckets": 1000, "dim": 8, "learning_rate": 0.5, "epochs": 10}
