"""Our names of a Q-Former's and a ViT's weights in the names of transformers, for tests that compare the two."""

import re

import torch

_QFORMER = (
    (r"^queries$", "query_tokens"),
    (r"^norm\.", "layernorm."),
    (r"^words\.", "embeddings.word_embeddings."),
    (r"^positions\.", "embeddings.position_embeddings."),
    (r"^layers\.", "encoder.layer."),
    (r"\.attention\.(query|key|value)\.", r".attention.attention.\1."),
    (r"\.cross\.(query|key|value)\.", r".crossattention.attention.\1."),
    (r"\.attention\.out\.", ".attention.output.dense."),
    (r"\.attention\.norm\.", ".attention.output.LayerNorm."),
    (r"\.cross\.out\.", ".crossattention.output.dense."),
    (r"\.cross\.norm\.", ".crossattention.output.LayerNorm."),
    (r"\.query_feedforward\.up\.", ".intermediate_query.dense."),
    (r"\.query_feedforward\.down\.", ".output_query.dense."),
    (r"\.query_feedforward\.norm\.", ".output_query.LayerNorm."),
    (r"\.text_feedforward\.up\.", ".intermediate.dense."),
    (r"\.text_feedforward\.down\.", ".output.dense."),
    (r"\.text_feedforward\.norm\.", ".output.LayerNorm."),
)
_EVA = (
    (r"^class_token$", "embeddings.class_embedding"),
    (r"^positions$", "embeddings.position_embedding"),
    (r"^patches\.", "embeddings.patch_embedding."),
    (r"^blocks\.", "encoder.layers."),
    (r"\.norm(\d)\.", r".layer_norm\1."),
    (r"\.attention\.qkv\.", ".self_attn.qkv."),
    (r"\.attention\.out\.", ".self_attn.projection."),
    (r"\.up\.", ".mlp.fc1."),
    (r"\.down\.", ".mlp.fc2."),
)
Weights = dict[str, torch.Tensor]


def qformer_weights(ours: torch.nn.Module) -> Weights:
    return {_renamed(name, _QFORMER): tensor for name, tensor in ours.state_dict().items()}


def instructblip_weights(ours: torch.nn.Module) -> Weights:
    """The same, but the norm belongs to the embeddings."""
    return {n.replace("layernorm.", "embeddings.layernorm."): t for n, t in qformer_weights(ours).items()}


def eva_weights(ours: torch.nn.Module) -> Weights:
    state = ours.state_dict()
    biased = {n.removesuffix("query_bias") for n in state if n.endswith("query_bias")}
    made = {_renamed(n, _EVA): t for n, t in state.items() if not n.endswith(("query_bias", "value_bias"))}
    for prefix in biased:
        query, value = state[f"{prefix}query_bias"], state[f"{prefix}value_bias"]
        made[_renamed(f"{prefix}qkv.bias", _EVA)] = torch.cat([query, torch.zeros_like(query), value])
    return made


def _renamed(name: str, rules: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name
