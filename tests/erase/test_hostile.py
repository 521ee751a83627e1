"""Runs that came from elsewhere: what they say never reaches files that are not theirs."""

import hashlib
import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.erase import finish_rewrite, rewrite
from curate.errors import IntegrityError, RunError
from curate.run.layout import REWRITE, Run
from curate.shards import Manifest, ShardReader

from .runs import contents, keys


def quiet(_event):
    pass


def hold_up(run, table):
    pq.write_table(table, run.folder.path("tombstones.parquet"))


def journal(run, version):
    content = {"at": "2024-01-01T00:00:00Z", "version": version, "keys": keys(run, 3),
               "checkpoints": {"searched": [], "saw": [], "did_not": [], "cannot_tell": []}}  # fmt: skip
    run.folder.write(REWRITE, json.dumps(content).encode())


@pytest.mark.parametrize("request_", ["../../taken", "/taken", "a/b", ""])
def test_a_request_names_no_file_elsewhere(run, tmp_path, request_):
    hold_up(run, pa.table({"key": keys(run, 3), "request": [request_]}))
    before = contents(tmp_path)
    with pytest.raises(IntegrityError, match=r"tombstones\.parquet: is damaged"):
        rewrite(run, [], quiet)
    assert contents(tmp_path) == before
    assert keys(run, 3)[0] not in {ShardReader(run.folder.url).key(i) for i in range(len(ShardReader(run.folder.url)))}


def test_a_key_with_two_tombstones_is_one_sample(run):
    (key,) = keys(run, 3)
    hold_up(run, pa.table({"key": [key, key]}))
    assert rewrite(run, [], quiet).keys == 1


def test_a_journal_reaches_no_work_of_another_run(run, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "other")
    other = Run.at(str(tmp_path / "other"))
    owner = json.loads(other.work.read("owner.json"))
    other.work.write("owner.json", json.dumps({**owner, "id": "another"}).encode())
    facts = json.loads(run.folder.read("run.json"))
    journal(run, Manifest.load(run.folder).version)
    run.folder.write("run.json", json.dumps({**facts, "work": other.work.url}).encode())
    before = contents(tmp_path / "other")
    with pytest.raises(RunError, match="holds what is not this run's"):
        finish_rewrite(Run.at(run.folder.url), quiet)
    assert contents(tmp_path / "other") == before


def test_a_kept_version_deletes_nothing_outside(run, tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "diary.txt").write_text("mine")
    manifest = json.loads(Manifest.load(run.folder).to_bytes())
    manifest["shards"][0]["name"] = "../../victim"
    lines = "".join(f"{s['name']} {s['sha256']}\n" for s in manifest["shards"])
    manifest["version"] = hashlib.sha256(lines.encode()).hexdigest()
    run.folder.write(f"versions/{manifest['version'][:16]}/manifest.json", json.dumps(manifest).encode())
    journal(run, manifest["version"])
    with pytest.raises(IntegrityError, match=r"'\.\./\.\./victim' as 'name'"):
        finish_rewrite(run, quiet)
    assert (victim / "diary.txt").exists()
