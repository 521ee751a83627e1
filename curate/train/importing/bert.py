"""BERT-base, from which BLIP-2's first stage starts (Devlin et al. 2018, arXiv 1810.04805).

Li et al. 2023, arXiv 2301.12597, section 3.1: both feed-forwards of a layer start as copies of BERT's. Queries and
cross-attention stay random, and so does the row of [DEC].
"""

import torch

from curate.train.importing.qformer import feedforward
from curate.train.importing.source import Facts, Left, Rename, Source, Tensors, prefixed, rename

_WORDS, _BIAS = "bert.embeddings.word_embeddings.weight", "cls.predictions.bias"
_DEVIATION = 0.02
_LAYER = "bert.encoder.layer.{n}."
_ATTENTION = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "out",
    "attention.output.LayerNorm": "norm",
}


def _canonical(tensors: Tensors, _facts: Facts) -> Tensors:
    """Add `bert.` where a file of the encoder alone leaves it out, TensorFlow's names of norms, and [DEC]'s row."""
    bare = _WORDS not in tensors
    named = {_modern(f"bert.{name}" if bare else name): tensor for name, tensor in tensors.items()}
    if _WORDS in named:
        words = named[_WORDS]
        drawn = torch.Generator().manual_seed(0)
        row = torch.empty(1, words.shape[1], dtype=words.dtype)
        named[_WORDS] = torch.cat([words, row.normal_(std=_DEVIATION, generator=drawn).to(words.device)])
    if _BIAS in named:
        named[_BIAS] = torch.cat([named[_BIAS], torch.zeros_like(named[_BIAS][:1])])
    return named


def _modern(name: str) -> str:
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


def _both() -> tuple[Rename, ...]:
    text, query = "qformer.layers.{n}.text_feedforward.", "qformer.layers.{n}.query_feedforward."
    return tuple(
        rename(f"{_LAYER}{theirs}.{{x}}", f"{text}{ours}.{{x}}", f"{query}{ours}.{{x}}")
        for theirs, ours in feedforward("").items()
    )


BERT = Source(
    kind="bert",
    renames=(
        rename("bert.embeddings.word_embeddings.{x}", "qformer.words.{x}"),
        rename("bert.embeddings.position_embeddings.{x}", "qformer.positions.{x}"),
        rename("bert.embeddings.LayerNorm.{x}", "qformer.norm.{x}"),
        *prefixed(_LAYER, "qformer.layers.{n}.attention.", _ATTENTION),
        *_both(),
        rename(_BIAS, "head.bias"),
        rename("cls.predictions.transform.dense.{x}", "head.dense.{x}"),
        rename("cls.predictions.transform.LayerNorm.{x}", "head.norm.{x}"),
    ),
    left=(
        Left("bert.embeddings.position_ids", "the numbers 0, 1, 2, ...: no weights"),
        Left("bert.embeddings.token_type_embeddings.weight", "tells first from second sentences; a Q-Former has one"),
        Left("bert.pooler.dense.{x}", "belongs to next-sentence prediction"),
        Left("cls.seq_relationship.{x}", "belongs to next-sentence prediction"),
        Left("cls.predictions.decoder.weight", "is the matrix of word embeddings once more"),
        Left("cls.predictions.decoder.bias", "is cls.predictions.bias once more"),
    ),
    new=(
        Left("qformer.queries", "BERT has no queries: random"),
        Left("qformer.layers.{n}.cross.{x}", "BERT looks at no picture: random"),
    ),
    claims=("qformer",),
    tokenizers={"qformer": "tokenizer.json"},
    prepare=_canonical,
)
