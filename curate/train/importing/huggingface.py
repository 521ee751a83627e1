"""BLIP-2, InstructBLIP and LLaVA as transformers has them, of versions 4 and 5, on disk and in memory.

Rows that were added to a vocabulary for `<image>` and for padding are cut: config.json says where they begin.
"""

import re

import torch

from curate.errors import TrainError
from curate.train.importing.llava import LEFT
from curate.train.importing.qformer import layers
from curate.train.importing.source import Facts, Left, Source, Tensors, prefixed, rename

_QKV = re.compile(r"(vision_model\.encoder\.layers\.\d+\.self_attn)\.qkv\.bias")
_BLOCK = {
    "layer_norm1": "norm1",
    "layer_norm2": "norm2",
    "self_attn.projection": "attention.out",
    "mlp.fc1": "up",
    "mlp.fc2": "down",
}
_THIRDS = 3
_MOVES = tuple(
    (re.compile(pattern), now)
    for pattern, now in (
        (r"^(?:model\.)?vision_tower\.(?:vision_model\.)?", "vision_tower."),
        (r"^(?:model\.)?multi_modal_projector\.", "multi_modal_projector."),
        (r"^(?:language_model\.model|model\.language_model(?:\.model)?)\.", "language_model.model."),
        (r"^(?:language_model\.)?lm_head\.", "language_model.lm_head."),
    )
)
"""Where versions of transformers put LLaVA's parts: in `model.` in memory since 4.52, outside of it on disk."""
_EVA = (
    rename("vision_model.embeddings.class_embedding", "vision.class_token"),
    rename("vision_model.embeddings.position_embedding", "vision.positions"),
    rename("vision_model.embeddings.patch_embedding.{x}", "vision.patches.{x}"),
    rename("vision_model.encoder.layers.{n}.self_attn.q_bias", "vision.blocks.{n}.attention.query_bias"),
    rename("vision_model.encoder.layers.{n}.self_attn.v_bias", "vision.blocks.{n}.attention.value_bias"),
    rename("vision_model.encoder.layers.{n}.self_attn.qkv.weight", "vision.blocks.{n}.attention.qkv.weight"),
    *prefixed("vision_model.encoder.layers.{n}.", "vision.blocks.{n}.", _BLOCK),
)


def split_biases(tensors: Tensors, _facts: Facts) -> Tensors:
    """Part `qkv.bias` = [q, 0, v] into what LAVIS has of it: EVA's keys have no bias.

    Raises:
        TrainError: the keys' third is not zero.
    """
    parted: Tensors = {}
    for name, tensor in tensors.items():
        match = _QKV.fullmatch(name)
        if match is None or tensor.ndim != 1 or len(tensor) % _THIRDS:
            parted[name] = tensor
            continue
        query, key, value = tensor.chunk(_THIRDS)
        if not key.is_meta and bool(key.any()):
            raise TrainError(f"{name}: keys have a bias there, which EVA-CLIP's ViT-g has not; it is no BLIP-2 tower")
        parted |= {f"{match[1]}.q_bias": query.clone(), f"{match[1]}.v_bias": value.clone()}
    return parted


def join_biases(tensors: Tensors) -> Tensors:
    """Put `qkv.bias` = [q, 0, v] together again."""
    joined = dict(tensors)
    for name in [name for name in tensors if name.endswith(".self_attn.q_bias")]:
        stem = name.removesuffix(".q_bias")
        query, value = joined.pop(name), joined.pop(f"{stem}.v_bias")
        joined[f"{stem}.qkv.bias"] = torch.cat([query, torch.zeros_like(query), value])
    return joined


def _llava(tensors: Tensors, _facts: Facts) -> Tensors:
    return {_moved(name): tensor for name, tensor in tensors.items()}


def _moved(name: str) -> str:
    for pattern, now in _MOVES:
        changed, count = pattern.subn(now, name)
        if count:
            return changed
    return name


def _image_token(facts: Facts) -> int | None:
    number = facts.get("image_token_index", facts.get("image_token_id"))
    return number if isinstance(number, int) else None


_QUERIES = (
    *_EVA,
    rename("vision_model.post_layernorm.{x}", "norm.{x}"),
    rename("query_tokens", "qformer.queries"),
    *layers("qformer.", "attention"),
    rename("language_projection.{x}", "projector.{x}"),
    rename("language_model.{x}", "language.{x}"),
)
_PARTS = ("vision", "norm", "qformer", "projector", "language")
_BLIP_LEFT = (Left("qformer.embeddings.position_ids", "the numbers 0, 1, 2, ...: no weights"), *LEFT)
BLIP2 = Source(
    kind="hf-blip2",
    renames=(rename("qformer.layernorm.{x}", "qformer.norm.{x}"), *_QUERIES),
    left=_BLIP_LEFT,
    claims=_PARTS,
    tokenizers={"language": "tokenizer.json"},
    prepare=split_biases,
    first_added_token=_image_token,
)
INSTRUCTBLIP = Source(
    kind="hf-instructblip",
    renames=(
        rename("qformer.embeddings.layernorm.{x}", "qformer.norm.{x}"),
        rename("qformer.embeddings.word_embeddings.{x}", "qformer.words.{x}"),
        rename("qformer.embeddings.position_embeddings.{x}", "qformer.positions.{x}"),
        *_QUERIES,
    ),
    left=_BLIP_LEFT,
    claims=_PARTS,
    tokenizers={"language": "tokenizer.json", "qformer": "qformer_tokenizer/tokenizer.json"},
    prepare=split_biases,
    first_added_token=_image_token,
)
LLAVA = Source(
    kind="hf-llava",
    renames=(
        rename("vision_tower.{x}", "vision.{x}"),
        rename("multi_modal_projector.linear_1.{x}", "projector.0.{x}"),
        rename("multi_modal_projector.linear_2.{x}", "projector.2.{x}"),
        rename("language_model.{x}", "language.{x}"),
    ),
    left=LEFT,
    claims=("vision", "projector", "language"),
    tokenizers={"language": "tokenizer.json"},
    prepare=_llava,
    first_added_token=_image_token,
)
