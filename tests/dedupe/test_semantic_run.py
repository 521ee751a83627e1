"""A whole run: captions are embedded, those that say the same are found across partitions, and epsilon moves freely."""

import json
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from curate.recipe import parse_recipe
from curate.run.layout import Run
from tests.run.lines import carry_out, fates

CAPTIONS = (
    "A dog runs along the beach.",
    "The central bank raised interest rates.",
    "A dog is running along the beach.",
    None,
    "Interest rates were raised by the central bank.",
    "A slice of chocolate cake on a plate.",
    " ",
    "The central bank raised interest rates.",
)
STANDS_FOR = {2: 0, 4: 1, 7: 1}
"""Which caption stays for which."""


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "list.jsonl"
    rows = [{"url": f"http://127.0.0.1/{i}", "caption": caption} for i, caption in enumerate(CAPTIONS)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def spelled(**settings):
        tree = {
            "name": "semantic",
            "source": {"urls": {"path": str(path), "partition_size": 3}},
            "stages": ["embed_texts", {"semantic_duplicates": {"column": "text_embedding", **settings}}],
            "sink": {"webdataset": {}},
        }
        return parse_recipe(yaml.safe_dump(tree).encode(), "semantic.yaml")

    return spelled


def carried_out(out, told):
    """Return the numbers of the captions that were kept, and {number: the one that stands for it} of the others."""
    run = Run.at(str(out))
    carry_out(out, told)
    keys = [k for n in run.work.names("source") if n[:5] == "part-" for k in keys_of(run.work, n)]
    found = [
        d for name in verdicts(run.work) for d in pa.ipc.open_file(run.work.open_native(name)).read_all().to_pylist()
    ]
    fate = {key: (event, reason) for key, _, event, reason in fates(out)}
    dropped = {keys.index(d["key"]): keys.index(d["survivor"]) for d in found if fate[d["key"]][0] == "dropped"}
    assert {fate[keys[i]] for i in dropped} <= {("dropped", "semantic_duplicate")}
    return [i for i, key in enumerate(keys) if fate[key][0] == "kept"], dropped


def keys_of(work, name):
    return work.read_parquet(f"source/{name}", ["key"])["key"].to_pylist()


def verdicts(work):
    return [
        f"reduce/{stage}/{decision}/{name}"
        for stage in work.names("reduce")
        if stage.startswith("semantic_duplicates")
        for decision in work.names(f"reduce/{stage}")
        for name in work.names(f"reduce/{stage}/{decision}")
        if name.startswith("verdict-")
    ]


@pytest.mark.parametrize("clusters", [None, 1])
def test_one_of_each_meaning_stays_and_so_do_rows_without_a_text(tmp_path, recipe, clusters):
    told = recipe(epsilon=0.15, clusters=clusters, sample=100)
    kept, dropped = carried_out(tmp_path / "run", told)
    assert kept == [i for i in range(len(CAPTIONS)) if i not in STANDS_FOR]
    assert dropped == STANDS_FOR


def test_a_moved_epsilon_embeds_nothing_anew(tmp_path, recipe):
    carried_out(tmp_path / "run", recipe(epsilon=0.15))
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "run" / "work" / "edits").rglob("part-*")}
    kept, _ = carried_out(tmp_path / "run", recipe(epsilon=0.0))
    assert kept == [i for i in range(len(CAPTIONS)) if i != 7]  # the same words are the same at any epsilon
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert len(written) == 3


def test_no_embedding_is_published(tmp_path, recipe):
    carried_out(tmp_path / "run", recipe())
    (shard,) = (tmp_path / "run" / "shards").glob("*.tar")
    with tarfile.open(shard) as packed:
        told = [json.load(packed.extractfile(name)) for name in packed.getnames() if name.endswith(".json")]
    assert len(told) == 5
    assert {name for sample in told for name in sample if "embedding" in name} == set()
    public = [path for folder in ("ledger", "scores") for path in (tmp_path / "run" / folder).rglob("*.parquet")]
    assert {n for path in public for n in pq.read_schema(path).names if "embedding" in n} == set()
