"""Training from S3 gives what training from a disk gives, with copies and without."""

import pytest

from curate.storage import Folder
from curate.train import train

from .shapes import TINY, shapes, write_run

SHORT = {**TINY, "steps": "3", "batch_size": "4", "checkpoint_every": "2", "warmup_steps": "0", "eval_samples": "4"}


@pytest.mark.parametrize("cached", [False, True])
def test_a_run_on_s3_trains_like_one_on_a_disk(s3, tmp_path, cached):
    samples = shapes()[:16]
    local, remote = write_run(str(tmp_path / "run"), samples, 8), write_run(f"{s3}/run", samples, 8)
    cache = str(tmp_path / "cache") if cached else None
    for run, out in ((local, "here"), (remote, "there")):
        train("llava-tiny", run, str(tmp_path / out), overrides=SHORT, cache=cache, progress=lambda _: None)
    for name in ("metrics.jsonl", "final.json", "checkpoints/step-00000003/model.safetensors"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()
    copies = sorted(path.name for path in (tmp_path / "cache").rglob("0*"))
    assert copies == (["00000.idx", "00000.tar", "00001.idx", "00001.tar"] if cached else [])
    assert Folder(remote).exists("manifest.json")
