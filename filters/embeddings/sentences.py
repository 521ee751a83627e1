"""Sentence encoders of transformers, Reimers & Gurevych (2019), arXiv:1908.10084: a text is the mean of its tokens."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from curate.errors import ModelError
from filters.embeddings.vectors import Vector

_CHARACTERS_A_TOKEN = 16
"""What a tokenizer is given for each token that the model reads, so that a book costs no more than its beginning."""
_POOLING = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
_LAYERS = {"Transformer", "Pooling", "Normalize"}
"""Of sentence-transformers' modules those that are run here; the length is 1 in the end in any case."""


def load(folder: Path, max_tokens: int, windows: int) -> Callable[[str], Vector]:
    """Return a function from a text to a vector; of a longer text the first `windows` windows are read.

    A window is `max_tokens` with the model's own marks. The vector is the mean over the tokens of all windows, or over
    their first tokens where the checkpoint says `cls`. One text at a time: what else a batch holds would change the
    last bits, and padding costs as much as batches save on all but the shortest texts.

    Raises:
        ModelError: the folder holds no such encoder, or one that reads less or pools in another way.
    """
    model, tokenizer = _loaded(folder)
    longest = min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", max_tokens))
    if max_tokens > longest:
        raise ModelError(f"{folder} reads at most {longest} tokens: set `max_tokens` to that or less")
    pooling = _pooling(folder)
    options = {"truncation": True, "max_length": max_tokens, "return_overflowing_tokens": True}
    characters = _CHARACTERS_A_TOKEN * max_tokens * windows

    def embed(text: str) -> Vector:
        told = tokenizer(text[:characters], **options)
        parts = [_read(model, ids, pooling) for ids in told["input_ids"][:windows]]
        vector: Vector = (sum(summed for summed, _ in parts) / sum(count for _, count in parts)).numpy()
        return vector

    return embed


def _loaded(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        model, told = AutoModel.from_pretrained(folder, local_files_only=True, output_loading_info=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, use_fast=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} holds no sentence encoder of transformers: {error}") from error
    if model.config.is_encoder_decoder or not tokenizer.is_fast:
        raise ModelError(
            f"{folder} holds a {type(model).__name__}; `embed_texts` needs an encoder and a fast tokenizer"
        )
    # What is missing transformers would draw at random, other weights in each worker. The pooler is not used here.
    missing = [name for name in told["missing_keys"] if not name.startswith("pooler.")]
    if missing:
        raise ModelError(f"{folder} lacks weights of its {type(model).__name__}: {min(missing)}, ...")
    return model.eval(), tokenizer


def _read(model: Any, ids: list[int], pooling: str) -> tuple[Any, int]:
    """Return the sum of the vectors of a window, and of how many tokens."""
    import torch

    with torch.inference_mode():
        states = model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long))
    tokens = states.last_hidden_state[0].float()
    return (tokens[0], 1) if pooling == "cls" else (tokens.sum(0), len(ids))


def _pooling(folder: Path) -> str:
    """Return how a checkpoint of sentence-transformers pools tokens; `mean` where it does not say.

    Raises:
        ModelError: in a way, or with layers after it, that would give other vectors here.
    """
    layers = json.loads(_text(folder / "modules.json", "[]"))
    other = {layer["type"].rpartition(".")[2] for layer in layers} - _LAYERS
    if other:
        raise ModelError(f"{folder} has a layer {min(other)} after its encoder, which `embed_texts` does not run")
    path = next((layer["path"] for layer in layers if layer["type"].endswith("Pooling")), "1_Pooling")
    told = json.loads(_text(folder / path / "config.json", '{"pooling_mode_mean_tokens": true}'))
    modes = [name for name, on in told.items() if name.startswith("pooling_mode_") and on]
    if len(modes) != 1 or modes[0] not in _POOLING:
        raise ModelError(f"{folder} pools by {', '.join(modes) or 'nothing'}; `embed_texts` knows mean and cls")
    return _POOLING[modes[0]]


def _text(path: Path, missing: str) -> str:
    return path.read_text("utf-8") if path.is_file() else missing
