"""Our names for the weights, and so for the gradients, of the parts that references share.

Each function picks out of a state of LAVIS or of transformers what belongs to one part, and returns it by our names.
"""

import re
from collections.abc import Sequence

from .reference import Tensors

Rules = Sequence[tuple[str, str]]

_EVA = (
    (r"^(visual_encoder|vision_model)\.", ""),
    (r"^(embeddings\.class_embedding|cls_token)$", "class_token"),
    (r"^(embeddings\.position_embedding|pos_embed)$", "positions"),
    (r"^(embeddings\.patch_embedding|patch_embed\.proj)\.", "patches."),
    (r"^encoder\.layers\.", "blocks."),
    (r"\.layer_norm([12])\.", r".norm\1."),
    (r"\.(self_attn|attn)\.", ".attention."),
    (r"\.attention\.(projection|proj)\.", ".attention.out."),
    (r"\.attention\.q_bias$", ".attention.query_bias"),
    (r"\.attention\.v_bias$", ".attention.value_bias"),
    (r"\.mlp\.fc1\.", ".up."),
    (r"\.mlp\.fc2\.", ".down."),
)
_QFORMER = (
    (r"^query_tokens$", "queries"),
    (r"^(Qformer\.bert|qformer)\.", ""),
    (r"^embeddings\.word_embeddings\.", "words."),
    (r"^embeddings\.position_embeddings\.", "positions."),
    (r"^(embeddings\.LayerNorm|embeddings\.layernorm|layernorm)\.", "norm."),
    (r"^encoder\.layer\.", "layers."),
    (r"\.crossattention\.", ".cross."),
    (r"\.(attention|cross)\.(self|attention)\.", r".\1."),
    (r"\.(attention|cross)\.output\.dense\.", r".\1.out."),
    (r"\.(attention|cross)\.output\.LayerNorm\.", r".\1.norm."),
    (r"\.intermediate_query\.dense\.", ".query_feedforward.up."),
    (r"\.output_query\.dense\.", ".query_feedforward.down."),
    (r"\.output_query\.LayerNorm\.", ".query_feedforward.norm."),
    (r"\.intermediate\.dense\.", ".text_feedforward.up."),
    (r"\.output\.dense\.", ".text_feedforward.down."),
    (r"\.output\.LayerNorm\.", ".text_feedforward.norm."),
)
_HEAD = (
    (r"^Qformer\.cls\.predictions\.", ""),
    (r"^transform\.dense\.", "dense."),
    (r"^transform\.LayerNorm\.", "norm."),
)


def eva(tensors: Tensors) -> Tensors:
    """Return EvaVit's. transformers keeps one bias for queries, keys and values; keys have none here."""
    found = {}
    for name, tensor in tensors.items():
        if re.match(r"visual_encoder|vision_model\.(embeddings|encoder)", name):
            found |= _split_bias(_renamed(name, _EVA), tensor)
    return found


def ln_vision(tensors: Tensors) -> Tensors:
    """Return the `weight` and `bias` of the LayerNorm between tower and Q-Former."""
    return part(tensors, r"(ln_vision|vision_model\.post_layernorm)\.")


def qformer(tensors: Tensors) -> Tensors:
    """Return QFormer's, its queries and what embeds its text included, if it reads any."""
    mine = r"query_tokens$|Qformer\.bert|qformer\.|embeddings\."
    wanted = {n: t for n, t in tensors.items() if re.match(mine, n) and not n.endswith("position_ids")}
    return {_renamed(name, _QFORMER): tensor for name, tensor in wanted.items()}


def text_head(tensors: Tensors) -> Tensors:
    """Return TextHead's, of LAVIS's first stage; its output matrix is the Q-Former's `words`."""
    mine = part(tensors, r"(?=Qformer\.cls\.)")
    return {_renamed(n, _HEAD): t for n, t in mine.items() if ".decoder." not in n}


def part(tensors: Tensors, start: str) -> Tensors:
    """Return what begins with a pattern, without it: `part(state, r"language_model\\.")`."""
    return {re.sub(f"^{start}", "", name): t for name, t in tensors.items() if re.match(start, name)}


def under(prefix: str, tensors: Tensors) -> Tensors:
    """Return the same tensors by names of a part: `under("vision.", eva(state))`."""
    return {prefix + name: tensor for name, tensor in tensors.items()}


def _renamed(name: str, rules: Rules) -> str:
    for theirs, ours in rules:
        name = re.sub(theirs, ours, name)
    return name


def _split_bias(name: str, tensor: Tensors) -> Tensors:
    if not name.endswith(".qkv.bias"):
        return {name: tensor}
    start = name.removesuffix("qkv.bias")
    queries, _, values = tensor.chunk(3)
    return {f"{start}query_bias": queries, f"{start}value_bias": values}
