"""From a checkpoint to transformers, from the command line, and back."""

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import LlavaForConditionalGeneration

from curate.errors import TrainError
from curate.train import train
from curate.train.exporting import converted, export
from curate.train.learner import build
from curate.train.presets import configure
from curate.train.vocabulary import learn
from tests.run.lines import here

from .tiny import SMALL


@pytest.fixture(scope="module")
def trained(shapes_run, tmp_path_factory):
    out = tmp_path_factory.mktemp("trained")
    few = {"steps": "2", "batch_size": "4", "checkpoint_every": "2", "eval_samples": "1"}
    train("llava-tiny", [shapes_run], str(out), overrides=SMALL["llava-tiny"] | few, progress=lambda _: None)
    return out


def test_a_checkpoint_goes_to_transformers_and_comes_back(trained, tmp_path):
    done = here("export", trained, "--to", tmp_path / "hf")
    assert done.returncode == 0, done.stderr
    assert f"transformers.LlavaForConditionalGeneration.from_pretrained('{tmp_path}/hf') loads it" in done.stdout
    loaded = LlavaForConditionalGeneration.from_pretrained(tmp_path / "hf")
    image = loaded.config.image_token_index
    assert Tokenizer.from_file(str(tmp_path / "hf" / "tokenizer.json")).token_to_id("<image>") == image
    assert loaded.generation_config.suppress_tokens == [image]
    sizes = [f"--set={name}={value}" for name, value in SMALL["llava-tiny"].items()]
    done = here("import", "hf-llava", tmp_path / "hf", "--for", "llava-tiny", "--out", tmp_path / "back", *sizes)
    assert done.returncode == 0, done.stderr
    assert "tokenizers: tokenizer-language.json" in done.stdout
    (checkpoint,) = trained.glob("checkpoints/*")
    before, after = load_file(checkpoint / "model.safetensors"), load_file(tmp_path / "back" / "model.safetensors")
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    words = "tokenizer-language.json"
    vocabularies = [Tokenizer.from_file(str(folder / words)).get_vocab() for folder in (checkpoint, tmp_path / "back")]
    assert vocabularies[0] == vocabularies[1]


def test_training_starts_from_what_was_imported_with_its_words(trained, shapes_run, tmp_path):
    export(trained, tmp_path / "hf")
    sizes = [f"--set={name}={value}" for name, value in SMALL["llava-tiny"].items()]
    here("import", "hf-llava", tmp_path / "hf", "--for", "llava-tiny", "--out", tmp_path / "back", *sizes)
    few = {"steps": "1", "batch_size": "4", "checkpoint_every": "1", "eval_samples": "1", "learning_rate": "1e-30"}
    start = SMALL["llava-tiny"] | few | {"start_from": str(tmp_path / "back"), "seed": "9"}
    train("llava-tiny", [shapes_run], str(tmp_path / "again"), overrides=start, progress=lambda _: None)
    (old,), (new,) = trained.glob("checkpoints/*"), (tmp_path / "again").glob("checkpoints/*")
    name = "tokenizer-language.json"
    vocabularies = [Tokenizer.from_file(str(folder / name)).get_vocab() for folder in (old, new)]
    assert vocabularies[0] == vocabularies[1]
    torch.testing.assert_close(load_file(new / "model.safetensors"), load_file(old / "model.safetensors"))


def test_an_export_does_not_overwrite(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(TrainError, match="holds a model already"):
        export(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("preset", "more", "why"),
    [
        ("minigpt4-tiny", {}, "no format for minigpt4"),
        ("fromage-tiny", {}, "no format for fromage"),
        ("blip2-stage1-tiny", {}, "no format for blip2_stage1"),
        ("blip2-opt-tiny", {}, "sees through eva, not efficientnet_lite0"),
        ("llava-tiny", {"projector": "linear"}, "has a projector of two layers, this one has one"),
    ],
)
def test_what_transformers_has_no_format_for_is_told(preset, more, why):
    with torch.device("meta"):
        model = build_empty(preset, more)
    with pytest.raises(TrainError, match=why):
        converted(model, learn(["a"], 300, ["<s>", "</s>"]))


def test_a_checkpoint_of_stage_1_is_refused_before_it_is_read(shapes_run, tmp_path):
    few = SMALL["blip2-stage1-tiny"] | {"steps": "1", "batch_size": "4", "checkpoint_every": "1", "eval_samples": "1"}
    out = tmp_path / "stage1"
    train("blip2-stage1-tiny", [shapes_run], str(out), overrides=few, progress=lambda _: None)
    with pytest.raises(TrainError, match="no format for blip2_stage1, so it cannot be exported"):
        export(out, tmp_path / "hf")


def build_empty(preset, more):
    from curate.train.architectures import kind_of

    config = configure(preset, SMALL[preset] | more)
    return kind_of(config).model(config)


def test_a_tensor_without_a_place_is_told():
    model = build(configure("llava-tiny", SMALL["llava-tiny"]))
    model.register_parameter("extra", torch.nn.Parameter(torch.ones(1)))
    with pytest.raises(TrainError, match="extra: transformers has no place for it"):
        converted(model, learn(["a"], 300, ["<s>", "</s>"]))
