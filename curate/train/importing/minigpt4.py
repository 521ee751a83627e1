"""MiniGPT-4's checkpoints: the one layer that learned, `llama_proj`, and whatever frozen parts a file holds besides.

Zhu et al. 2023, arXiv 2304.10592.
"""

from curate.train.importing.lavis import SEEING
from curate.train.importing.qformer import TEXT_PARTS
from curate.train.importing.source import Left, Source, rename

MINIGPT4 = Source(
    kind="minigpt4",
    renames=(*SEEING, rename("llama_proj.{x}", "projector.{x}"), rename("llama_model.{x}", "language.{x}")),
    left=(
        Left("Qformer.bert.embeddings.position_ids", "the numbers 0, 1, 2, ...: no weights"),
        Left("{x}.rotary_emb.inv_freq", "computed from the sizes: no weights"),
    ),
    absent=TEXT_PARTS,
    claims=("projector",),
)
