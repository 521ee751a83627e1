"""Detoxify's models from a local folder. Nothing is unpickled but tensors, and nothing is downloaded.

A folder is either one of Detoxify's releases, its single `.ckpt` beside the configuration and tokenizer of the encoder
it names, or the same weights as Unitary publish them on the Hugging Face hub.
"""

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curate.errors import ModelError
from curate.models import Model
from filters.toxicity.batches import buckets, padded, windows
from filters.toxicity.first_token import only_first_token
from filters.toxicity.packed import Precision, pack

HUB = {
    "original": "unitary/toxic-bert",
    "unbiased": "unitary/unbiased-toxic-roberta",
    "multilingual": "unitary/multilingual-toxic-xlm-roberta",
}
# Detoxify calls the labels of the Jigsaw competitions by one set of names.
RENAMED = {"toxic": "toxicity", "severe_toxic": "severe_toxicity", "identity_hate": "identity_attack"}
MAX_TOKENS = 512  # positions of all three encoders


def model(name: str) -> Model:
    """Name the weights of one of Detoxify's models, or of a folder."""
    if name in HUB:
        return Model(HUB[name], licence="Apache-2.0")
    return Model(name, licence="as its source says", known=(*HUB, "tox-block"))


def load(
    folder: Path, labels: Sequence[str], precision: Precision = "float32", *, whole: bool = True
) -> Callable[[Sequence[str]], npt.NDArray[np.float32]]:
    """Load a model; return a function from texts to probabilities float32[n, len(labels)].

    A text longer than the encoder's window is read in windows and scores as the highest of them, label by label, or
    where `whole` is false by its first window alone, as `Detoxify.predict` does.

    Raises:
        ModelError: the folder holds no Detoxify model, or one that lacks a label.
    """
    checkpoints = sorted(folder.glob("*.ckpt")) if folder.is_dir() else []
    if len(checkpoints) > 1:
        raise ModelError(f"{folder} holds {len(checkpoints)} .ckpt files; keep the one that `toxicity` is to use")
    network, tokenizer, names = _release(checkpoints[0]) if checkpoints else _from_hub(folder)
    missing = [label for label in labels if label not in names]
    if missing:
        raise ModelError(
            f"model at {folder} does not tell {', '.join(missing)}; it tells {', '.join(names)}. "
            "Name the ones to use in `kinds`"
        )
    columns = [names.index(label) for label in labels]
    # Detoxify's own predict truncates at what the tokenizer says; many say "without limit".
    longest = min(tokenizer.model_max_length, MAX_TOKENS)
    only_first_token(network)
    network = pack(network, precision)

    def rate(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        ids, of = windows(tokenizer, texts, longest, whole=whole)
        highest = np.zeros((len(texts), len(columns)), np.float32)
        np.maximum.at(highest, of, _rate(network, ids, tokenizer.pad_token_id)[:, columns])
        return highest

    return rate


def _release(checkpoint: Path) -> tuple[Any, Any, list[str]]:
    """Build the model of a released checkpoint with Detoxify's own code, from tensors alone."""
    import torch
    from detoxify.detoxify import get_model_and_tokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        loaded = torch.load(checkpoint, map_location="cpu", weights_only=True)
        classes = loaded["config"]["dataset"]["args"]["classes"]
        # The release names its encoder by hub id; the configuration and tokenizer beside it are what we have.
        arch = {**loaded["config"]["arch"]["args"], "model_type": str(checkpoint.parent)}
        network, tokenizer = get_model_and_tokenizer(**arch, state_dict=loaded["state_dict"])
    except (OSError, KeyError, TypeError, ValueError, RuntimeError, pickle.UnpicklingError) as error:
        raise ModelError(
            f"{checkpoint} cannot be loaded as a Detoxify release: {error}. Put the encoder's config.json and "
            "tokenizer files beside it, and take the .ckpt from github.com/unitaryai/detoxify/releases"
        ) from error
    return network, tokenizer, [RENAMED.get(name, name) for name in classes]


def _from_hub(folder: Path) -> tuple[Any, Any, list[str]]:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        network = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} holds no sequence classifier of transformers and no .ckpt: {error}") from error
    names = network.config.id2label
    return network, tokenizer, [RENAMED.get(names[i], names[i]) for i in range(len(names))]


def _rate(network: Any, ids: Sequence[Sequence[int]], filler: int) -> npt.NDArray[np.float32]:
    """Return the probabilities float32[n, classes] of n lists of tokens."""
    import torch

    rated = np.empty((len(ids), network.config.num_labels), np.float32)
    with torch.inference_mode():
        for rows in buckets([len(one) for one in ids]):
            tokens, real = padded([ids[row] for row in rows], filler)
            mask = None if real is None else torch.from_numpy(real)
            logits = network(input_ids=torch.from_numpy(tokens), attention_mask=mask).logits
            rated[rows] = torch.sigmoid(logits.float()).numpy()
    return rated
