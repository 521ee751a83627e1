"""What the demo says of a run, on a small run without models, and what it holds the run to."""

import json
from pathlib import Path

import pytest

from curate.demo.text.run import Made, TextDemo, _hold, _same
from curate.demo.text.told import tell
from curate.errors import RunError
from curate.recipe import parse_recipe
from curate.run.engine import execute
from curate.run.layout import Run
from curate.run.local import LocalRunner

RECIPE = """
name: small
source: {{documents: {{path: {path}, max_failed_fraction: 0.5, partition_size: 3}}}}
stages:
  - near_duplicates
sink: {{webdataset: {{samples_per_shard: 2}}}}
"""
WORDS = [f"word{i}" for i in range(60)]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("told")
    texts = [" ".join(WORDS), " ".join([*WORDS, "more"]), "quite another text", None, " ".join(WORDS[::-1])]
    rows = [{"text": text, "url": f"https://a.example/{i}"} for i, text in enumerate(texts)]
    (folder / "d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe = parse_recipe(RECIPE.format(path=folder / "d.jsonl").encode(), "small.yaml")
    for name in ("one", "two"):
        execute(recipe, Run.at(str(folder / name), None), LocalRunner, lambda _: None)
    return folder


def test_what_is_said(out):
    said = []
    told = tell(
        out / "one",
        {"https://a.example/0": "en", "https://a.example/1": "en", "https://a.example/2": "de"},
        said.append,
    )
    assert (told.rows, told.kept) == (5, 3)
    assert told.reasons == {("documents", "no_text"): 1, ("near_duplicates", "near_duplicate"): 1}
    lines = "\n".join(said)
    assert "of 5 rows 3 were kept" in lines
    assert "de 1/1, en 1/2, none 1/2" in lines
    assert "near-duplicate https://a.example/1\n  of https://a.example/0\n    word0 word1" in lines


def test_a_run_is_held_to_what_was_planted(out):
    told = tell(out / "one", {}, lambda _: None)
    _hold(Made("", "documents", Path(), 5, {("documents", "no_text"): 1}), told)
    with pytest.raises(RunError, match=r"no_text: 1 rows, planted were 2\n5 rows have a fate, 6 were given"):
        _hold(Made("", "documents", Path(), 6, {("documents", "no_text"): 2}), told)


def test_two_runs_are_compared_to_the_byte(out):
    said = []
    demo = TextDemo(out, out, said.append)
    _same(demo, out / "one", out / "two")
    assert "2 shards" in said[0]
    shard = out / "two" / "shards" / "00000.tar"
    good = shard.read_bytes()
    shard.write_bytes(good[:-1] + b"x")
    try:
        with pytest.raises(RunError, match=r"shards/00000\.tar differs"):
            _same(demo, out / "one", out / "two")
    finally:
        shard.write_bytes(good)
