import tomllib
from pathlib import Path

import pytest

from curate.errors import TrainError
from curate.train import presets as folder
from curate.train.presets import configure, presets, settings

FILES = sorted(Path(folder.__file__).parent.glob("*.toml"))
WRITTEN = {name: table for path in FILES for name, table in tomllib.loads(path.read_text()).items()}


def test_overrides_are_typed_and_may_be_dotted():
    config = configure("llava-tiny", {"steps": "7", "vision.layers": "3", "trainable": "projector,language"})
    assert (config.steps, config.vision.layers, config.trainable) == (7, 3, ("projector", "language"))
    assert config.vision.width == presets()["llava-tiny"].vision.width


def test_true_is_read_as_true():
    assert configure("llava-tiny", {"blank_pictures": "true"}).blank_pictures is True


@pytest.mark.parametrize(
    ("preset", "overrides", "said"),
    [
        ("llava-tinny", {}, "no preset named 'llava-tinny'. Did you mean 'llava-tiny'?"),
        ("llava-tiny", {"stpes": "3"}, "no training option named 'stpes'. Did you mean 'steps'?"),
        ("llava-tiny", {"vision.layer": "3"}, "Did you mean 'vision.layers'?"),
        ("llava-tiny", {"steps.x": "3"}, "no training option named 'steps.x'"),
        ("llava-tiny", {"vision": "3"}, "no training option named 'vision'"),
        ("llava-tiny", {"preset": "x"}, "no training option named 'preset'"),
        ("llava-tiny", {"architecture": "blip2"}, "no training option named 'architecture'"),
        ("llava-tiny", {"steps": "many"}, "steps: Input should be a valid integer"),
        ("llava-tiny", {"steps": "0"}, "steps: Input should be greater than or equal to 1"),
        ("llava-tiny", {"trainable": "eyes"}, "trainable: no part named 'eyes'; there are vision, projector, language"),
        ("llava-tiny", {"vision.heads": "5"}, "width 128 is not a multiple of heads 5"),
        ("blip2-stage1-tiny", {"text_tokens": "65"}, "captions take up to 65 places, qformer.context is 64"),
        ("blip2-opt-tiny", {"text_tokens": "57"}, "captions take up to 65 places, language.context is 64"),
        ("instructblip-tiny", {"instruction_tokens": "2"}, "instruction_tokens: Input should be greater than or equal"),
        ("llava-tiny", {"vision.patch": "7"}, "image_size 64 is not a multiple of patch 7"),
    ],
)
def test_a_wrong_word_is_refused_with_the_nearest(preset, overrides, said):
    with pytest.raises(TrainError) as error:
        configure(preset, overrides)
    assert said in str(error.value)


def test_all_faults_are_told_at_once():
    with pytest.raises(TrainError) as error:
        configure("llava-tiny", {"steps": "x", "batch_size": "y"})
    assert len(str(error.value).splitlines()) == 2


def test_a_preset_that_is_like_another_differs_in_what_it_says():
    first, second = presets()["llava-1.5-7b"], presets()["llava-1.5-7b-stage1"]
    differing = {n for n in first.model_dump() if getattr(first, n) != getattr(second, n)}
    said = {"preset", "template", "trainable", "steps", "batch_size", "learning_rate", "warmup_steps"}
    assert differing - {"pictures"} == said


@pytest.mark.parametrize("name", presets())
def test_a_preset_that_needs_weights_says_which(name):
    config = presets()[name]
    assert config.pretrained != name.endswith("-tiny")
    if config.pretrained:
        assert hasattr(config, "vision_from")


def names(values, before=()):
    """Yield the path and the value of every setting in a table."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from names(value, (*before, name))
        else:
            yield (*before, name), value


def test_each_name_stands_once():
    assert sum(len(tomllib.loads(path.read_text())) for path in FILES) == len(WRITTEN) == len(presets())


@pytest.mark.parametrize("name", WRITTEN)
def test_a_preset_is_what_it_says_laid_over_what_it_is_like(name):
    said = dict(WRITTEN[name])
    like = said.pop("like", None)
    found = dict(names(presets()[name].model_dump(mode="json")))
    given = dict(names(said))
    assert found == {**found, **given}
    assert presets()[name].preset == name
    if like is not None:
        below = dict(names(presets()[like].model_dump(mode="json")))
        assert {path: v for path, v in found.items() if path not in given} == {
            path: v for path, v in below.items() if path not in given
        } | {("preset",): name}


@pytest.mark.parametrize("name", WRITTEN)
def test_settings_survive_a_checkpoint(name):
    config = presets()[name]
    assert settings(config.model_dump(mode="json")) == config
    assert configure(name, {}) == config
