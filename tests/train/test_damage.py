"""Broken shards: one clear error, or their samples and no others are left out."""

import json
import os
from pathlib import Path

import pytest

from curate.errors import TrainError
from curate.train import trace, train
from curate.train.corpus import Corpus
from curate.train.damage import Damage, name_of, shard_of
from curate.train.learner import begin
from curate.train.loop import Run, _drawn
from curate.train.mixture import open_mixture
from curate.train.presets import configure
from curate.train.sharding import Placement
from curate.train.template import Unusable

from .shapes import TINY, shapes, write_run
from .spread import spread

SHORT = {**TINY, "steps": "6", "batch_size": "8", "checkpoint_every": "3", "warmup_steps": "0", "eval_samples": "8"}


def missing(run):
    (Path(run) / "shards" / "00001.tar").unlink()


def cut(run):
    os.truncate(Path(run) / "shards" / "00001.tar", 5000)


def index_missing(run):
    (Path(run) / "shards" / "00001.idx").unlink()


def index_damaged(run):
    (Path(run) / "shards" / "00001.idx").write_bytes(b"ARROW1")


HARMS = (missing, cut, index_missing, index_damaged)


@pytest.fixture
def run(tmp_path):
    return write_run(str(tmp_path / "run"), shapes()[:48], 8)


def trained(data, out, **overrides):
    events = []
    train("llava-tiny", data, str(out), overrides={**SHORT, **overrides}, progress=events.append)
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()], events


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_shard_stops_training_with_one_clear_error(run, tmp_path, harm):
    harm(run)
    said = rf"^{run}/shards/00001\.tar: .*00001\.(tar|idx): .*Restore it.*or leave its samples out with --set max_"
    with pytest.raises(TrainError, match=said):
        trained(run, tmp_path / "out")


@pytest.mark.parametrize("harm", HARMS)
def test_allowed_for_it_costs_its_own_samples(run, tmp_path, harm):
    harm(run)
    lines, events = trained(run, tmp_path / "out", max_broken_shards="1", max_failed_fraction="0")
    failed = [tuple(failure) for line in lines for failure in line.get("failed", ())]
    assert sorted(failed) == [(f"{run}/shards/00001.tar#{row}", "shard_damaged") for row in range(8)]
    told = [event for event in events if event["event"] == "shard_damaged"]
    assert [event["shard"] for event in told] == [f"{run}/shards/00001.tar"]
    assert all(line["loss"] for line in lines)


def test_one_shard_more_than_allowed_is_an_error(run, tmp_path):
    missing(run)
    (Path(run) / "shards" / "00003.tar").unlink()
    with pytest.raises(TrainError, match=r"0000[13]\.tar, broken shard number 2: .*--set max_broken_shards=2"):
        trained(run, tmp_path / "out", max_broken_shards="1")
    assert trained(run, tmp_path / "again", max_broken_shards="2")


def test_training_goes_on_when_the_limit_is_raised_and_lineage_knows_what_was_missed(run, tmp_path):
    trained(run, tmp_path / "out")
    (tmp_path / "out" / "metrics.jsonl").write_text(
        "".join((tmp_path / "out" / "metrics.jsonl").read_text().splitlines(keepends=True)[:3])
    )
    newest = tmp_path / "out" / "checkpoints" / "step-00000006"
    for path in newest.iterdir():
        path.unlink()
    newest.rmdir()
    missing(run)
    with pytest.raises(TrainError, match="max_broken_shards=1"):
        trained(run, tmp_path / "out")
    lines, _ = trained(run, tmp_path / "out", max_broken_shards="1")
    missed = {name: line["step"] for line in lines for name, _ in line.get("failed", ())}
    assert missed
    write_run(run, shapes()[:48], 8)
    for name, step in missed.items():
        key = shapes()[8 + int(name.rpartition("#")[2])][0]
        (found,) = trace(str(tmp_path / "out"), key=key, progress=lambda _: None)["samples"]
        assert found["failed_steps"] == (step,)
        assert found["status"] == "failed"


def test_once_broken_a_shard_is_not_tried_again(run):
    config = configure("llava-tiny", {**SHORT, "max_broken_shards": "1"})
    mixture = open_mixture([run], config)
    missing(run)
    with pytest.raises(Unusable, match="shard_damaged"):
        mixture.read((0, 8))
    write_run(run, shapes()[:48], 8)
    with pytest.raises(Unusable, match="shard_damaged"):
        mixture.read((0, 9))
    assert mixture.key((0, 9)) == f"{run}/shards/00001.tar#1"
    assert mixture.key((0, 7)) == shapes()[7][0]
    assert mixture.read((0, 7)) == dict(shapes()[7][1])


def test_shards_that_other_processes_could_not_read_count():
    damage = Damage(1)
    damage.add("r/shards/0.tar", "Why.")
    damage.share([name_of("r", "0.tar", 1), name_of("r", "0.tar", 2)])
    assert shard_of(name_of("r", "0.tar", 1)) in damage
    with pytest.raises(TrainError, match=r"r/shards/1\.tar, broken shard number 2: cannot be read by another process"):
        damage.share([name_of("r", "1.tar", 0)])


def refused(ranks, run):
    """Break the shard of place 3, which the second process alone reads, and return what each is told."""
    config = configure("llava-tiny", {**SHORT, "batch_size": "4"})
    mixture = open_mixture([run], config)
    learner = begin(config, mixture, Placement(ranks))
    corpus = Corpus(mixture, config, learner.examples)
    mixture.read(mixture.training(3))
    ranks.wait()
    shard, _ = mixture.sources[0].reader.place(mixture.training(3)[1])
    os.truncate(Path(run) / "shards" / mixture.sources[0].reader.manifest.shards[shard].name, 10)
    ranks.wait()
    try:
        _drawn(Run(Path(run), learner, config, corpus, (), ranks, lambda _: None))
    except TrainError as error:
        return str(error)


@pytest.mark.slow
def test_what_one_process_refuses_all_refuse(tmp_path):
    one, other = spread(2, refused, write_run(str(tmp_path / "run"), shapes()[:48], 1))
    assert one == other
    assert "Restore it from a copy" in one
