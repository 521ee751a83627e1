"""FROMAGe's published checkpoint: what learned, 11 MB (Koh et al. 2023, arXiv 2301.13823).

Trained on several processes every name begins with `module.`; [RET]'s embedding is one row of no second axis.
"""

from curate.train.importing.source import Facts, Source, Tensors, rename

_RET = "ret_input_embeddings.weight"


def _canonical(tensors: Tensors, _facts: Facts) -> Tensors:
    named = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    if _RET in named and named[_RET].ndim == 1:
        named[_RET] = named[_RET].unsqueeze(0)
    return named


FROMAGE = Source(
    kind="fromage",
    renames=(
        rename("model.logit_scale", "logit_scale"),
        rename("model.text_hidden_fcs.0.0.{x}", "text_fc.{x}"),
        rename("model.visual_embeddings.{x}", "visual_embeddings.{x}"),
        rename("model.visual_fc.{x}", "visual_fc.{x}"),
        rename(_RET, "ret"),
    ),
    claims=("visual_embeddings", "visual_fc", "text_fc", "logit_scale", "ret"),
    prepare=_canonical,
)
