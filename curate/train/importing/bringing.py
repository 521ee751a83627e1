"""One published checkpoint, from its file to a folder that `start_from` and `<part>_from` read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from curate.errors import TrainError, nearest
from curate.train.architectures import kind_of
from curate.train.config import Training
from curate.train.importing import SOURCES
from curate.train.importing.files import folder_of, read
from curate.train.importing.source import Facts, Source
from curate.train.importing.taking import Taken, take
from curate.train.presets import configure
from curate.train.vocabulary import DECODE, Vocabulary
from curate.train.weights import FILE


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    taken: Taken
    tokenizers: tuple[str, ...]
    """Files that were written beside the weights."""


def import_checkpoint(kind: str, path: Path, preset: str, overrides: Mapping[str, str], out: Path) -> Imported:
    """Write a published checkpoint under our names, in the types that it came in.

    Raises:
        TrainError: the kind or preset is unknown, the file is broken or not of that kind and of the preset's sizes, or
            `out` holds weights already.
    """
    source = _source(kind)
    config = configure(preset, overrides)
    if (out / FILE).exists():
        raise TrainError(f"{out}: holds a {FILE} already. Give another folder")
    tensors, facts = read(path)
    with torch.device("meta"):
        model = kind_of(config).model(config)
    try:
        taken = take(source, tensors, model, facts)
    except TrainError as error:
        raise TrainError(f"{path}: cannot be taken as {kind} for {preset}: {error}") from None
    out.mkdir(parents=True, exist_ok=True)
    written = _tokenizers(source, folder_of(path), facts, config, out)
    draft = out / f".{FILE}.tmp"
    weights = {name: tensor.contiguous() for name, tensor in taken.weights.items()}
    save_file(weights, draft, {"kind": kind, "preset": preset})
    draft.rename(out / FILE)
    return Imported(taken, written)


def _source(kind: str) -> Source:
    if kind not in SOURCES:
        raise TrainError(
            f"no kind of checkpoint named '{kind}'.{nearest(kind, SOURCES)} There are: {', '.join(SOURCES)}"
        )
    return SOURCES[kind]


def _tokenizers(source: Source, folder: Path, facts: Facts, config: Training, out: Path) -> tuple[str, ...]:
    written = []
    for part, where in source.tokenizers.items():
        sizes = getattr(config, part, None)
        if sizes is None or not (folder / where).is_file():
            continue
        limit = min(sizes.vocabulary, source.first_added_token(facts) or sizes.vocabulary)
        vocabulary = _vocabulary(folder / where, limit if part == "language" else sizes.vocabulary)
        name = f"tokenizer-{part}.json"
        (vocabulary.with_token(DECODE) if part == "qformer" else vocabulary).tokenizer.save(str(out / name))
        written.append(name)
    return tuple(written)


def _vocabulary(path: Path, limit: int) -> Vocabulary:
    """Read a tokenizer without the tokens that were added to it from `limit` on.

    Raises:
        TrainError: it is no JSON.
    """
    try:
        spelled = json.loads(path.read_bytes())
    except ValueError as error:
        raise TrainError(f"{path}: no JSON ({error}); put back the file that the weights came with") from error
    spelled["added_tokens"] = [token for token in spelled.get("added_tokens", []) if token["id"] < limit]
    return Vocabulary(Tokenizer.from_str(json.dumps(spelled)), str(path))
