import pytest

from curate.errors import TrainError
from curate.train import train

from .shapes import draw, sample, shapes
from .tiny import SMALL


def trained(preset, data, out, **more):
    settings = {**SMALL[preset], "steps": "2", "batch_size": "4", "checkpoint_every": "2", **more}
    return train(preset, data, str(out), overrides=settings, progress=lambda _: None)


def test_data_without_what_a_preset_reads_is_refused_before_the_first_step(make_run, tmp_path):
    bare = [(f"{n:032x}", [("json", b"{}"), ("png", draw("red", "circle", "left"))]) for n in range(12)]
    with pytest.raises(TrainError, match=r"blip2-opt-tiny can use 0 of the first 12 samples: caption_missing \(12\)"):
        trained("blip2-opt-tiny", make_run(bare), tmp_path / "out")
    assert not (tmp_path / "out" / "metrics.jsonl").exists()


def test_a_few_unusable_samples_are_left_to_the_budget(make_run, tmp_path):
    unasked = [sample(f"n{n}", draw("red", "circle", "left"), "What?", "Unasked.") for n in range(2)]
    data = make_run([*shapes()[:60], *unasked])
    assert trained("llava-tiny", data, tmp_path / "out", max_failed_fraction="0.05")["steps"] == 2
    with pytest.raises(TrainError, match=r"can use 60 of the first 62 samples: pictures_and_placeholders_differ"):
        trained("llava-tiny", data, tmp_path / "none", max_failed_fraction="0")
