"""Whole runs over documents that share paragraphs: the first of each stays where it is, and the rest go."""

import json
import random

import pyarrow.compute as pc
import pytest
import yaml

from curate.ledger import read_ledger
from curate.recipe import parse_recipe
from curate.run.check import check
from curate.run.layout import Run
from curate.shards import Manifest
from curate.shards.shard import open_shard
from curate.storage import Folder
from tests.run.lines import carry_out, published
from tests.run.test_agreement import Shuffled


def word(number):
    """Return a word for a number: digits are all the same to what compares paragraphs."""
    return "".join(chr(97 + int(d)) for d in str(number))


def documents(count=40, seed=0):
    draw = random.Random(seed)
    stock = [f"paragraph {word(i)} of those that many have" for i in range(12)]
    return [
        "\n\n".join([*draw.choices(stock, k=3), f"only document {word(i)} says this", *draw.choices(stock, k=2)])
        for i in range(count)
    ]


def recipe(path, memory=0.05, partition_size=7, **settings):
    tree = {
        "name": "paragraphs",
        "reduce_memory_mb": memory,
        "source": {"documents": {"path": str(path), "partition_size": partition_size}},
        "stages": [{"repeated_paragraphs": settings}],
        "sink": {"webdataset": {}},
    }
    return parse_recipe(yaml.safe_dump(tree).encode(), "paragraphs.yaml")


def written(folder, texts, name="docs.jsonl"):
    path = folder / name
    path.write_text("".join(json.dumps({"id": str(i), "text": t}) + "\n" for i, t in enumerate(texts)))
    return path


def texts_of(out):
    folder = Folder(str(out))
    shards = Manifest.load(folder).shards
    opened = [open_shard(folder / "shards", shards, n) for n in range(len(shards))]
    rows = [shard.read(row) for shard, entry in zip(opened, shards, strict=True) for row in range(entry.samples)]
    return [next(data.decode() for name, data in row.items() if name.endswith("txt")) for row in rows]


def expected(texts, min_chars=20):
    seen, left = set(), []
    for text in texts:
        kept = [p for p in text.split("\n\n") if len(p) < min_chars or (p not in seen and not seen.add(p))]
        left.append("\n\n".join(kept))
    return left


@pytest.mark.parametrize("memory", [0.05, 512])
def test_the_first_of_each_paragraph_stays(tmp_path, memory):
    texts = documents()
    carry_out(tmp_path / "run", recipe(written(tmp_path, texts), memory))
    assert texts_of(tmp_path / "run") == [t for t in expected(texts) if t]
    assert check(Run.at(str(tmp_path / "run"))) == []


def test_a_paragraph_twice_in_one_document_stays_once(tmp_path):
    twice = "this is said twice in the very same document"
    carry_out(tmp_path / "run", recipe(written(tmp_path, [f"{twice}\n\nonce, and long enough\n\n{twice}"])))
    assert texts_of(tmp_path / "run") == [f"{twice}\n\nonce, and long enough"]


def test_what_is_cut_too_short_is_dropped_and_told(tmp_path):
    carry_out(tmp_path / "run", recipe(written(tmp_path, ["the same text as ever", "the same text as ever"])))
    ledger = read_ledger(Folder(str(tmp_path / "run")))
    told = ledger.filter(pc.equal(ledger["stage"], "remove_repeated"))
    assert set(zip(told["event"].to_pylist(), told["reason"].to_pylist(), strict=True)) == {
        ("edited", "repeated_paragraphs"),
        ("dropped", "too_little_left"),
    }


def test_any_order_of_tasks_gives_the_same_and_a_later_corpus_knows_the_earlier(tmp_path):
    texts = documents()
    for name, hire in (("calm", {}), ("mixed", {"hire": Shuffled})):
        carry_out(tmp_path / name, recipe(written(tmp_path, texts)), **hire)
    assert published(tmp_path / "calm") == published(tmp_path / "mixed")
    carry_out(tmp_path / "a", recipe(written(tmp_path, texts[:25], "a.jsonl")))
    told = recipe(written(tmp_path, texts[25:], "b.jsonl"), against=[str(tmp_path / "a")])
    carry_out(tmp_path / "b", told)
    assert texts_of(tmp_path / "a") + texts_of(tmp_path / "b") == texts_of(tmp_path / "calm")
