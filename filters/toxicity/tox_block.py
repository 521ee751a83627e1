"""The small BiLSTM that the package tox-block carries, run in PyTorch without Keras.

tox-block 0.1.2 (MIT), trained on the Jigsaw toxic comments: 20,000 words, GloVe-sized embeddings of 50, one
bidirectional LSTM of 50 units, the maximum over time, a dense layer of 50, six independent labels. Its tokenizer is a
pickle: only the containers it needs are ever built, and no code of it runs. Detoxify is the stronger model.
"""

import pickle
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from curate.errors import ModelError
from curate.models import Model

NAME = "tox-block"
NETWORK, TOKENIZER = "lstm_model_0.1.2.h5", "encoder_0.1.2.pkl"
MODEL = Model("package:tox_block/trained_models", licence="MIT", weights=(NETWORK, TOKENIZER))
# The order of the network's outputs, in Detoxify's names.
OUTPUTS = ("toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack")
WORDS = 100  # of the vocabulary, a window; shorter texts are padded in front, and the padding is read as a word
OVERLAP = 20  # words that two windows of a long text share
BATCH = 256

Array = npt.NDArray[np.float32]


def load(folder: Path, labels: Sequence[str], *, whole: bool = True) -> Callable[[Sequence[str]], Array]:
    """Load network and tokenizer; return a function from texts to probabilities float32[n, len(labels)].

    A text of more than WORDS words is read in windows and scores as the highest of them, label by label, or where
    `whole` is false by its last WORDS words alone, as the package does.

    Raises:
        ModelError: the files are not those of tox-block 0.1.2.
    """
    weights = _weights(folder / NETWORK)
    number = _tokenizer(folder / TOKENIZER)
    columns = [OUTPUTS.index(label) for label in labels]

    def rate(texts: Sequence[str]) -> Array:
        read = [_windows(number(text))[: None if whole else 1] for text in texts]
        of = np.repeat(np.arange(len(texts)), [len(windows) for windows in read])
        windows = np.array([window for windows in read for window in windows], np.int64)
        batches = (windows[start : start + BATCH] for start in range(0, len(windows), BATCH))
        highest = np.zeros((len(texts), len(columns)), np.float32)
        np.maximum.at(highest, of, np.concatenate([_forward(weights, batch) for batch in batches])[:, columns])
        return highest

    return rate


def _windows(words: list[int]) -> list[list[int]]:
    """Return WORDS numbers a window, the text's last ones first; neighbours share OVERLAP."""
    stops = range(len(words), OVERLAP, OVERLAP - WORDS) if len(words) > WORDS else [WORDS]
    words = [0] * (WORDS - len(words)) + words
    return [words[max(0, stop - WORDS) : max(stop, WORDS)] for stop in stops]


class _State:
    """What a pickled object of the tokenizer becomes: its attributes and no methods."""


class _Unpickler(pickle.Unpickler):
    """Builds the containers of a Keras tokenizer and nothing else."""

    KNOWN: Mapping[tuple[str, str], Any] = {
        ("builtins", "int"): int,
        ("collections", "OrderedDict"): OrderedDict,
        ("collections", "defaultdict"): defaultdict,
        ("keras_preprocessing.text", "Tokenizer"): _State,
        ("tox_block.data_processing.preprocessors", "TokenSequencer"): _State,
    }

    def find_class(self, module: str, name: str) -> Any:
        """Return one of the known classes; anything else in the file is refused."""
        if (module, name) not in self.KNOWN:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which no tokenizer needs")
        return self.KNOWN[module, name]


def read_tokenizer(stream: IO[bytes]) -> Any:
    """Read a pickled Keras tokenizer without running anything in it.

    Raises:
        pickle.UnpicklingError: it names a class that a tokenizer does not need.
    """
    return _Unpickler(stream).load().tokenizer


def _tokenizer(path: Path) -> Callable[[str], list[int]]:
    try:
        with path.open("rb") as stream:
            state = read_tokenizer(stream)
        apart = str.maketrans(dict.fromkeys(state.filters, " "))
        known = {word: i for word, i in state.word_index.items() if i < state.num_words}
    except (OSError, pickle.UnpicklingError, AttributeError) as error:
        raise ModelError(f"{path}: not the tokenizer of tox-block 0.1.2: {error}. Reinstall tox-block") from error

    return lambda text: [known[w] for w in text.lower().translate(apart).split(" ") if w in known]


def _weights(path: Path) -> dict[str, Any]:
    """Return the tensors by name; the two directions of the LSTM are stacked in front: [2, in, 4 * units]."""
    import h5py
    import torch

    lstm = "bidirectional/bidirectional/{}_lstm/{}:0"
    try:
        with h5py.File(path, "r") as file:
            root = file["model_weights"]
            tensors = {
                name: torch.from_numpy(np.stack([root[lstm.format(way, name)][()] for way in ("forward", "backward")]))
                for name in ("kernel", "recurrent_kernel", "bias")
            }
            for layer, name in (("embedding", "embeddings"), *((d, n) for d in ("dense", "dense_1") for n in _DENSE)):
                tensors[f"{layer}/{name}"] = torch.from_numpy(root[f"{layer}/{layer}/{name}:0"][()])
    except (OSError, KeyError) as error:
        raise ModelError(f"{path}: not the network of tox-block 0.1.2: {error}. Reinstall tox-block") from error
    return tensors


_DENSE = ("kernel", "bias")


def _forward(weights: Mapping[str, Any], words: npt.NDArray[np.int64]) -> Array:
    """Return float32[n, 6] for int64[n, 100]."""
    import torch

    with torch.inference_mode():
        embedded = weights["embedding/embeddings"][torch.from_numpy(words)]
        hidden = _lstm(weights, torch.stack([embedded, embedded.flip(1)]))
        dense = torch.relu(hidden @ weights["dense/kernel"] + weights["dense/bias"])
        return torch.sigmoid(dense @ weights["dense_1/kernel"] + weights["dense_1/bias"]).numpy()


def _lstm(weights: Mapping[str, Any], inputs: Any) -> Any:
    """Return the maximum over time of both directions, [n, 2 * units], for inputs [2, n, time, in].

    Keras's gates are in the order input, forget, cell, output and, in this model, piecewise linear; torch.nn.LSTM has
    logistic ones, so the recurrence is written out.
    """
    import torch

    ways, rows, time, _ = inputs.shape
    projected = inputs @ weights["kernel"].unsqueeze(1) + weights["bias"].view(ways, 1, 1, -1)
    hidden = torch.zeros(ways, rows, weights["recurrent_kernel"].shape[1])
    cell, highest = torch.zeros_like(hidden), torch.full_like(hidden, -torch.inf)
    for step in range(time):
        gates = torch.baddbmm(projected[:, :, step], hidden, weights["recurrent_kernel"]).chunk(4, dim=-1)
        let_in, forget, let_out = ((0.2 * gates[i] + 0.5).clamp(0, 1) for i in (0, 1, 3))
        cell = forget * cell + let_in * torch.tanh(gates[2])
        hidden = let_out * torch.tanh(cell)
        highest = torch.maximum(highest, hidden)
    return torch.cat([*highest], dim=-1)
