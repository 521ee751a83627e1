"""LLaVA's own files: mm_projector.bin after stage 1, and whole checkpoints with Llama's names after stage 2.

Liu et al. 2023, arXiv 2304.08485 and 2310.03744. A projector's names are `model.mm_projector.weight` for one matrix,
and `.0.weight`, `.2.weight` for two with a GELU between; some files leave `model.` out.
"""

import re

from curate.train.importing.source import Facts, Left, Source, Tensors, rename

_SHORT = re.compile(r"^mm_projector\.")
_TOWER = re.compile(r"^model\.vision_tower\.vision_tower\.(?:vision_model\.)?")
LEFT = (
    Left("{x}.rotary_emb.inv_freq", "computed from the sizes: no weights"),
    Left("{x}.embeddings.position_ids", "the numbers 0, 1, 2, ...: no weights"),
)


def _canonical(tensors: Tensors, _facts: Facts) -> Tensors:
    """Give every layout the names of whole checkpoints."""
    named = ((_SHORT.sub("model.mm_projector.", name), tensor) for name, tensor in tensors.items())
    return {_TOWER.sub("model.vision_tower.vision_tower.", name): tensor for name, tensor in named}


LLAVA = Source(
    kind="llava",
    renames=(
        rename("model.mm_projector.{x}", "projector.{x}"),
        rename("model.vision_tower.vision_tower.{x}", "vision.{x}"),
        rename("model.embed_tokens.{x}", "language.model.embed_tokens.{x}"),
        rename("model.layers.{n}.{x}", "language.model.layers.{n}.{x}"),
        rename("model.norm.{x}", "language.model.norm.{x}"),
        rename("lm_head.{x}", "language.lm_head.{x}"),
    ),
    left=LEFT,
    claims=("projector",),
    tokenizers={"language": "tokenizer.json"},
    prepare=_canonical,
)
