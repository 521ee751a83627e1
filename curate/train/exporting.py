"""A trained model in the format of transformers, where it has one: config.json, model.safetensors and tokenizer.json.

A picture's places are tokens `<image>` there: a spare row of the vocabulary, or one row more, of zeros.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    InstructBlipConfig,
    InstructBlipForConditionalGeneration,
    LlavaConfig,
    LlavaForConditionalGeneration,
)

from curate.errors import TrainError
from curate.train import adapters
from curate.train.architectures.blip2 import Blip2Config as OurBlip2
from curate.train.architectures.instructblip import InstructBlipConfig as OurInstructBlip
from curate.train.architectures.llava import LlavaConfig as OurLlava
from curate.train.checkpoint import newest, read_state, restore
from curate.train.importing import huggingface
from curate.train.importing.source import Source, Tensors, found, put
from curate.train.importing.taking import ROWS
from curate.train.model import Architecture
from curate.train.template import PICTURE
from curate.train.vocabulary import FILE, Vocabulary

_EPSILON = 1e-6


@dataclass(frozen=True)
class Format:
    """How transformers has an architecture."""

    source: Source
    """Whose renames, read backwards, give transformers' names."""
    kind: Any
    config: Callable[[Any, Any, int], Any]
    """Made from our settings, the language model's config and the id of `<image>`."""
    finish: Callable[[Tensors], Tensors]
    """From the names on disk to those in memory."""


def export(checkpoint: Path, to: Path) -> str:
    """Write the newest model under `checkpoint` so that `from_pretrained` reads it; return the name of its class.

    The norm before a Q-Former has an epsilon of 1e-6 in transformers; in LAVIS, and here, it is 1e-5.

    Raises:
        TrainError: there is no checkpoint, transformers has no such format, or `to` holds a model already.
    """
    if (to / "config.json").exists():
        raise TrainError(f"{to}: holds a model already. Give another folder")
    folder = newest(checkpoint)
    _format(read_state(folder).config)  # before anything large is read
    learner, _ = restore(folder)
    adapters.merge(learner.model)
    theirs, vocabulary = converted(learner.model, learner.vocabularies["language"])
    theirs.save_pretrained(to)
    vocabulary.tokenizer.save(str(to / FILE))
    if "qformer" in learner.vocabularies:
        (to / "qformer_tokenizer").mkdir()
        learner.vocabularies["qformer"].tokenizer.save(str(to / "qformer_tokenizer" / FILE))
    return type(theirs).__name__


def converted(model: Architecture, vocabulary: Vocabulary) -> tuple[Any, Vocabulary]:
    """Return a model of transformers with the weights of ours, and the vocabulary with `<image>` in it.

    Raises:
        TrainError: transformers has no such format.
    """
    config: Any = model.training_config
    form = _format(config)
    longer = vocabulary.with_token(PICTURE)
    image = longer.id(PICTURE)
    rows = max(config.language.vocabulary, image + 1)
    spoken = model.language.config
    text = type(spoken)(**{**spoken.to_dict(), "vocab_size": rows})
    with torch.device("meta"):
        theirs = form.kind(form.config(config, text, image))
    theirs.load_state_dict(form.finish(_renamed(form.source, adapters.without(model.state_dict()), rows)), assign=True)
    theirs.generation_config.suppress_tokens = [image]
    return theirs, longer


def _format(config: Any) -> Format:
    form = FORMATS.get(config.architecture)
    if form is None:
        raise TrainError(
            f"{config.preset}: transformers has no format for {config.architecture}, so it cannot be exported"
        )
    tower = "clip" if config.architecture == "llava" else "eva"
    if config.vision.kind != tower:
        raise TrainError(
            f"{config.preset}: transformers' {config.architecture} sees through {tower}, not {config.vision.kind}"
        )
    if getattr(config, "projector", "mlp2x_gelu") != "mlp2x_gelu":
        raise TrainError(f"{config.preset}: transformers' LLaVA has a projector of two layers, this one has one")
    return form


def _renamed(source: Source, ours: Mapping[str, torch.Tensor], rows: int) -> Tensors:
    """Return tensors by transformers' names on disk, with as many rows for tokens as it is told."""
    return {_theirs(source, name): _grown(name, tensor.detach(), rows) for name, tensor in ours.items()}


def _theirs(source: Source, ours: str) -> str:
    for rule in source.renames:
        holes = found(rule.ours[0], ours)
        if holes is not None:
            return put(rule.theirs, holes)
    raise TrainError(f"{ours}: transformers has no place for it")


def _grown(name: str, tensor: torch.Tensor, rows: int) -> torch.Tensor:
    if not (name.startswith("language.") and name.endswith(ROWS)) or len(tensor) == rows:
        return tensor
    return functional.pad(tensor, (0, 0, 0, rows - len(tensor)))


def _in_memory(tensors: Tensors) -> Tensors:
    """Put LLaVA's parts where transformers 5 holds them."""
    moves = {"language_model.lm_head.": "lm_head.", "language_model.model.": "model.language_model."}
    named = {}
    for name, tensor in tensors.items():
        old = next((old for old in moves if name.startswith(old)), "")
        named[f"{moves[old]}{name.removeprefix(old)}" if old else f"model.{name}"] = tensor
    return named


def _eva(config: Any) -> dict[str, Any]:
    return {
        "image_size": config.vision.image_size,
        "patch_size": config.vision.patch,
        "hidden_size": config.vision.width,
        "num_hidden_layers": config.vision.layers,
        "num_attention_heads": config.vision.heads,
        "intermediate_size": config.vision.feedforward,
        "layer_norm_eps": _EPSILON,
    }


def _qformer(config: Any) -> dict[str, Any]:
    sizes = config.qformer
    return {
        "vocab_size": sizes.vocabulary,
        "hidden_size": sizes.width,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "intermediate_size": sizes.feedforward,
        "max_position_embeddings": sizes.context,
        "cross_attention_frequency": sizes.cross_every,
        "encoder_hidden_size": config.vision.width,
        "hidden_dropout_prob": sizes.dropout,
        "attention_probs_dropout_prob": sizes.dropout,
    }


def _queries(kind: Any, config: Any, text: Any, image: int) -> Any:
    return kind(
        vision_config=_eva(config),
        qformer_config=_qformer(config),
        text_config=text.to_dict(),
        num_query_tokens=config.qformer.queries,
        image_token_index=image,
    )


def _blip2(config: OurBlip2, text: Any, image: int) -> Any:
    return _queries(Blip2Config, config, text, image)


def _instructblip(config: OurInstructBlip, text: Any, image: int) -> Any:
    return _queries(InstructBlipConfig, config, text, image)


def _llava(config: OurLlava, text: Any, image: int) -> Any:
    sizes = config.vision
    tower = {
        "image_size": sizes.image_size,
        "patch_size": sizes.patch,
        "hidden_size": sizes.width,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "intermediate_size": sizes.feedforward,
        "model_type": "clip_vision_model",
    }
    return LlavaConfig(
        vision_config=tower,
        text_config=text.to_dict(),
        image_token_index=image,
        image_seq_length=sizes.patches,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
    )


FORMATS = {
    "blip2": Format(huggingface.BLIP2, Blip2ForConditionalGeneration, _blip2, huggingface.join_biases),
    "instructblip": Format(
        huggingface.INSTRUCTBLIP, InstructBlipForConditionalGeneration, _instructblip, huggingface.join_biases
    ),
    "llava": Format(huggingface.LLAVA, LlavaForConditionalGeneration, _llava, _in_memory),
}
"""By architecture; the others have no format in transformers."""
