"""LAVIS's BLIP-2 and InstructBLIP: `Qformer.bert...`, `query_tokens`, `ln_vision`, and `..._proj` to a language model.

Li et al. 2023, arXiv 2301.12597; Dai et al. 2023, arXiv 2305.06500. Published files leave out what was frozen; towers
and language models in a file are taken too.
"""

from curate.train.importing import eva
from curate.train.importing.qformer import TEXT_PARTS, layers
from curate.train.importing.source import Left, Rename, Source, rename

_INDEX = Left("Qformer.bert.embeddings.position_ids", "the numbers 0, 1, 2, ...: no weights")
_COUNTERS = Left("{x}.rotary_emb.inv_freq", "computed from the sizes: no weights")
QFORMER = (
    rename("query_tokens", "qformer.queries"),
    rename("Qformer.bert.embeddings.word_embeddings.{x}", "qformer.words.{x}"),
    rename("Qformer.bert.embeddings.position_embeddings.{x}", "qformer.positions.{x}"),
    rename("Qformer.bert.embeddings.LayerNorm.{x}", "qformer.norm.{x}"),
    *layers("Qformer.bert.", "self"),
)
SEEING = (*eva.tower("visual_encoder."), rename("ln_vision.{x}", "norm.{x}"), *QFORMER)
"""All of BLIP-2 before its language model."""
HEADS = (
    rename("Qformer.cls.predictions.bias", "head.bias"),
    rename("Qformer.cls.predictions.transform.dense.{x}", "head.dense.{x}"),
    rename("Qformer.cls.predictions.transform.LayerNorm.{x}", "head.norm.{x}"),
    rename("vision_proj.{x}", "vision_proj.{x}"),
    rename("text_proj.{x}", "text_proj.{x}"),
    rename("itm_head.{x}", "itm_head.{x}"),
    rename("temp", "temp"),
)
_TIED = (
    Left("Qformer.cls.predictions.decoder.weight", "is the matrix of word embeddings once more"),
    Left("Qformer.cls.predictions.decoder.bias", "is Qformer.cls.predictions.bias once more"),
)
_HEAD_LEFT = Left("Qformer.cls.{x}", "the head that says captions in stage 1")


def _speaking(*projections: str) -> tuple[Rename, ...]:
    names = (rename(f"{name}_proj.{{x}}", "projector.{x}") for name in projections)
    models = (rename(f"{name}_model.{{x}}", "language.{x}") for name in projections)
    return (*SEEING, *names, *models)


STAGE1 = Source(
    kind="lavis-blip2-stage1",
    renames=(*SEEING, *HEADS),
    left=(_INDEX, *_TIED),
    absent=TEXT_PARTS,
    claims=("norm", "qformer"),
)
STAGE2 = Source(
    kind="lavis-blip2",
    renames=_speaking("opt", "t5"),
    left=(_INDEX, _HEAD_LEFT),
    absent=TEXT_PARTS,
    claims=("norm", "qformer", "projector"),
)
WITHOUT_PROJECTION = Source(
    kind="lavis-blip2-qformer",
    renames=SEEING,
    left=(
        _INDEX,
        _HEAD_LEFT,
        *(Left(f"{name}_proj.{{x}}", "leads to another language model") for name in ("opt", "t5", "llm")),
        *(Left(f"{name}_model.{{x}}", "another language model") for name in ("opt", "t5", "llm")),
        Left("vision_proj.{x}", "stage 1's"),
        Left("text_proj.{x}", "stage 1's"),
        Left("itm_head.{x}", "stage 1's"),
        Left("temp", "stage 1's"),
    ),
    absent=TEXT_PARTS,
    claims=("norm", "qformer"),
)
"""Of any BLIP-2 checkpoint, what comes before its language model: where MiniGPT-4 starts."""
INSTRUCT = Source(
    kind="lavis-instructblip",
    renames=_speaking("llm", "t5"),
    left=(_INDEX, _COUNTERS, _HEAD_LEFT),
    claims=("norm", "qformer", "projector"),
)
