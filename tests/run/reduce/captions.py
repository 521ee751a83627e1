"""Runs over captions that are near copies of one another, and what they decided."""

import json
import random

import pyarrow as pa
import yaml

from curate.recipe import parse_recipe
from curate.run.layout import Run
from curate.run.local import LocalRunner
from curate.storage import Folder
from tests.run.lines import carry_out, fates

TINY_MB = 0.004
"""Four kilobytes: every kind of record is cut into several buckets."""


def near_copies(rows, seed=0, words=9, vocabulary=400):
    """Return captions of which about half are another one with some words changed, or the same."""
    draw = random.Random(seed)
    made = []
    for _ in range(rows):
        if made and draw.random() < 0.6:
            caption = draw.choice(made).split()
            for _ in range(draw.choice((0, 1, 1, 2, 4))):
                caption[draw.randrange(len(caption))] = f"w{draw.randrange(vocabulary)}"
        else:
            caption = [f"w{draw.randrange(vocabulary)}" for _ in range(words)]
        made.append(" ".join(caption))
    return made


def listed(folder, captions, name="list.jsonl", scores=None):
    """Write a list of captions, each at an address of its own, and return its path."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("".join(json.dumps({"url": f"http://127.0.0.1/{i}", "caption": c}) + "\n" for i, c in captions))
    return path


def recipe(path, memory=TINY_MB, partition_size=7, stages=(), **settings):
    """Return a recipe that joins the captions of a list."""
    tree = {
        "name": "captions",
        "reduce_memory_mb": memory,
        "source": {"urls": {"path": str(path), "partition_size": partition_size}},
        "stages": [*stages, {"alike_captions": settings}],
        "sink": {"webdataset": {"samples_per_shard": 1000}},
    }
    return parse_recipe(yaml.safe_dump(tree).encode(), "captions.yaml")


def judged(out, told, hire=LocalRunner):
    """Carry a recipe out; return the keys that were kept, in order, and who stands for whom else."""
    carry_out(out, told, hire=hire)
    kept = [key for key, _, event, _ in fates(out) if event == "kept"]
    return kept, survivors(out)


def survivors(out):
    """Return {key: survivor} of all rows that a Reduce dropped."""
    work = Run.at(str(out)).work
    found = {}
    for stage in work.names("reduce"):
        if stage.startswith("alike_captions"):
            for decision in work.names(f"reduce/{stage}"):
                found |= _verdicts(work / "reduce" / stage / decision)
    return found


def _verdicts(folder: Folder):
    found = {}
    for name in folder.names():
        if name.startswith("verdict-"):
            table = pa.ipc.open_file(folder.open_native(name)).read_all()
            found |= dict(zip(table["key"].to_pylist(), table["survivor"].to_pylist(), strict=True))
    return found
