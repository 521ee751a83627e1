"""Every tensor of a published checkpoint has a place or a reason, and every part of ours that it fills is whole."""

import pytest
import torch
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    InstructBlipConfig,
    InstructBlipForConditionalGeneration,
    LlavaConfig,
    LlavaForConditionalGeneration,
)

from curate.errors import TrainError
from curate.train.importing import SOURCES
from curate.train.importing.taking import take

from .reference import empty, parts, published

SEEN = ("vision", "norm", "qformer")
ALL = (*SEEN, "projector", "language")
STAGE1 = (*SEEN, "head", "vision_proj", "text_proj", "itm_head", "temp")
LEARNED = ("visual_embeddings", "visual_fc", "text_fc", "logit_scale", "ret")
LLAVA_FACTS = {"image_token_index": 32000}

WHOLE = [
    ("lavis-blip2-stage1", "lavis-blip2-stage1-vitg", "blip2-stage1-vitg", STAGE1, 3),
    ("lavis-blip2-stage1", "lavis-blip2-stage1-vitg", "blip2-opt-2.7b", SEEN, 89),
    ("lavis-blip2", "lavis-blip2-opt-2.7b", "blip2-opt-2.7b", ALL, 1),
    ("lavis-blip2", "lavis-blip2-flan-t5-xl", "blip2-flan-t5-xl", ALL, 1),
    ("lavis-blip2-qformer", "lavis-blip2-flan-t5-xl", "minigpt4-vicuna-7b", SEEN, 563),
    ("lavis-instructblip", "lavis-instructblip-vicuna-7b", "instructblip-vicuna-7b", ALL, 1),
    ("lavis-instructblip", "lavis-instructblip-flan-t5-xl", "instructblip-flan-t5-xl", ALL, 1),
    ("minigpt4", "minigpt4-vicuna-7b", "minigpt4-vicuna-7b", ALL, 1),
    ("fromage", "fromage-opt-6.7b", "fromage-opt-6.7b", LEARNED, 0),
    ("eva", "lavis-eva-vit-g", "blip2-stage1-vitg", ("vision",), 13),
    ("llava", "llava-1.5-7b", "llava-1.5-7b", ("vision", "projector", "language"), 0),
    ("hf-blip2", "hf4-blip2-opt-2.7b", "blip2-opt-2.7b", ALL, 0),
    ("hf-blip2", "hf4-blip2-flan-t5-xl", "blip2-flan-t5-xl", ALL, 0),
    ("hf-instructblip", "hf4-instructblip-vicuna-7b", "instructblip-vicuna-7b", ALL, 0),
    ("hf-llava", "hf4-llava-1.5-7b-memory", "llava-1.5-7b", ("vision", "projector", "language"), 0),
    ("hf-llava", "hf4-llava-1.5-7b-disk", "llava-1.5-7b", ("vision", "projector", "language"), 0),
]


@pytest.mark.parametrize(("kind", "name", "preset", "filled", "left"), WHOLE)
def test_full_size_is_covered_both_ways(kind, name, preset, filled, left):
    model = empty(preset)
    taken = take(SOURCES[kind], published(name), model, LLAVA_FACTS if "llava" in kind else {})
    assert taken.weights.keys() == parts(model, *filled)
    assert {n: t.shape for n, t in taken.weights.items()} == {n: model.state_dict()[n].shape for n in taken.weights}
    assert sum(map(len, taken.left.values())) == left
    assert not taken.new


@pytest.mark.parametrize(("kind", "name", "preset", "filled", "left"), WHOLE)
def test_a_tensor_more_or_less_is_refused(kind, name, preset, filled, left):
    facts = LLAVA_FACTS if "llava" in kind else {}
    tensors = published(name)
    with pytest.raises(TrainError, match=r"something\.else"):
        take(SOURCES[kind], tensors | {"something.else": torch.zeros(1)}, empty(preset), facts)
    claimed = next(iter(SOURCES[kind].claims))
    one = next(n for n in sorted(tensors) if _ours(kind, n, tensors, facts).startswith(f"{claimed}."))
    with pytest.raises(TrainError, match="1 tensors of the preset are not in the checkpoint"):
        take(SOURCES[kind], {n: t for n, t in tensors.items() if n != one}, empty(preset), facts)
    with pytest.raises(TrainError, match="1 tensors have other shapes"):
        take(SOURCES[kind], tensors | {one: torch.empty(3, 5, device="meta")}, empty(preset), facts)


def _ours(kind, name, tensors, facts):
    from curate.train.importing.taking import names_here

    prepared = SOURCES[kind].prepare({name: tensors[name]}, facts)
    return next((ours for n in prepared for ours in names_here(SOURCES[kind], n)), "")


def test_bert_fills_both_feedforwards_and_names_what_stays_random():
    model = empty("blip2-stage1-vitg")
    taken = take(SOURCES["bert"], published("bert-base-uncased"), model, {})
    random = {name for names in taken.new.values() for name in names}
    assert taken.weights.keys() | random == parts(model, "qformer", "head")
    assert random == {n for n in parts(model, "qformer") if n == "qformer.queries" or ".cross." in n}
    assert taken.weights["qformer.words.weight"].shape == (30523, 768)


def test_fromages_learned_layers_are_5_5_million_numbers():
    tensors = {f"module.{name}": tensor for name, tensor in published("fromage-opt-6.7b").items()}
    taken = take(SOURCES["fromage"], tensors, empty("fromage-opt-6.7b"), {})
    assert sum(tensor.numel() for tensor in taken.weights.values()) == 5_513_729


@pytest.mark.parametrize("text", ["opt", "t5"])
def test_transformers_5_blip2_is_covered(text):
    config = _text(text).to_dict()
    with torch.device("meta"):
        theirs = Blip2ForConditionalGeneration(Blip2Config(text_config=config)).state_dict()
    preset = {"opt": "blip2-opt-2.7b", "t5": "blip2-flan-t5-xl"}[text]
    assert take(SOURCES["hf-blip2"], theirs, empty(preset), {}).weights.keys() == parts(empty(preset), *ALL)


def test_transformers_5_instructblip_is_covered():
    config = InstructBlipConfig(qformer_config={"vocab_size": 30523}, text_config=_text("llama", 32001).to_dict())
    with torch.device("meta"):
        theirs = InstructBlipForConditionalGeneration(config).state_dict()
    model = empty("instructblip-vicuna-7b")
    assert take(SOURCES["hf-instructblip"], theirs, model, {}).weights.keys() == parts(model, *ALL)


def test_transformers_5_llava_is_covered():
    model = empty("llava-1.5-7b")
    with torch.device("meta"):
        config = LlavaConfig(
            vision_config=model.vision.config, text_config=_text("llama", 32064), image_token_index=32000
        )
        theirs = LlavaForConditionalGeneration(config).state_dict()
    taken = take(SOURCES["hf-llava"], theirs, model, LLAVA_FACTS)
    assert taken.weights.keys() == parts(model, "vision", "projector", "language")
    assert taken.cut == ["language.lm_head.weight", "language.model.embed_tokens.weight"]
    with pytest.raises(TrainError, match="2 tensors have other shapes"):
        take(SOURCES["hf-llava"], theirs, model, {})


def _text(kind, vocabulary=0):
    preset = {"opt": "blip2-opt-2.7b", "t5": "blip2-flan-t5-xl", "llama": "llava-1.5-7b"}[kind]
    config = empty(preset).language.config
    return type(config)(**{**config.to_dict(), "vocab_size": vocabulary or config.vocab_size})
