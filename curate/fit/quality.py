"""Fitting a fastText classifier that tells good documents from bad ones, as DCLM does.

Source: Li et al. (2024), arXiv:2406.11794, section 4.4, and its `train_fasttext_classifier.py`: fastText's defaults, as
many documents of each side, and pairs of words beside words. Here documents count once, those of both sides count for
neither, and a part is held out by a hash of the text, so that no document is ever on both sides of the cut.
"""

import contextlib
import hashlib
import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from curate.errors import InputError, StorageError
from curate.fit.documents import Side, sha256
from curate.fit.figures import Scores, figures
from curate.fit.learning import supervise

LABEL_PREFIX = "__label__"
_LOOKS_LIKE_A_LABEL = re.compile(r"(?<!\S)__label__\S*")
FEWEST = 20
"""Documents of a side that must be held out, and that must be left to learn from."""
HALF = 8
"""Bytes of a hash that choose a document; as many more say where it stands among the chosen."""
BUCKETS = 64
Say = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """How it is learned; the defaults are DCLM's."""

    held_out: float = 0.1
    seed: int = 0
    balance: bool = True
    """Take as many documents of the larger side as the smaller one has."""
    learning_rate: float = 0.1
    epochs: int = 5
    dim: int = 100
    word_ngrams: int = 2
    min_count: int = 1
    buckets: int = 2_000_000
    """Rows for pairs of words; the model takes 4 x dim bytes for each."""


@dataclass(frozen=True)
class Fitted:
    """A model on disk, and its card."""

    model: Path
    card: Path
    told: dict[str, Any]
    """What the card says."""


def fit_quality(good: Side, bad: Side, out: str, recipe: Recipe, say: Say) -> Fitted:
    """Learn to tell good from bad; write the model and, beside it, a card of what it is made of and how well it does.

    The same files and recipe give the same model: one thread, and a seed.

    Raises:
        InputError: files cannot be read, hold too few documents, or the model is there already.
        StorageError: it cannot be written.
    """
    target = Path(out)
    card = target.with_suffix(".json")
    _require_free(target, card)
    divided = _divide(good, bad, recipe)
    told = divided.counts
    say(f"{told['learned'][good.label]:,} good and {told['learned'][bad.label]:,} bad documents to learn from, "
        f"{told['held_out'][good.label]:,} and {told['held_out'][bad.label]:,} held out")  # fmt: skip
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fit-") as scratch:
            learned, held = _write(Path(scratch), divided, (good, bad), recipe.seed)
            model = _learn(learned, recipe)
            scores = _score(model, held, good.label)
            made = Path(scratch, "model.bin")
            model.save_model(str(made))
            content = _card(target, made, (good, bad), recipe, told) | {"figures": figures(*scores)}
            described = Path(scratch, "card.json")
            described.write_text(json.dumps(content, indent=2) + "\n")
            described.replace(card)
            made.replace(target)
    except OSError as error:
        raise StorageError(f"{target}: cannot be written: {error}") from error
    return Fitted(target, card, content)


def _require_free(target: Path, card: Path) -> None:
    if target.suffix != ".bin":
        raise InputError(f"{target}: name the model *.bin, as fastText does")
    if not target.parent.is_dir():
        raise InputError(f"{target.parent}: no such folder")
    for path in (target, card):
        if path.exists():
            raise InputError(f"{path}: is there already. Delete it, or name another --out")


@dataclass(frozen=True)
class _Divided:
    learn: set[bytes]
    hold: set[bytes]
    counts: dict[str, Any]


def _divide(good: Side, bad: Side, recipe: Recipe) -> _Divided:
    """Say by hashes which documents are learned from and which are held out; texts themselves are read again later."""
    if good.label == bad.label:
        raise InputError(f"both sides are called '{good.label}': give them two labels")
    found, read = {}, {}
    for side in (good, bad):
        hashes = [_hash(text, recipe.seed) for text in side.texts()]
        found[side.label], read[side.label] = set(hashes), len(hashes)
    both = found[good.label] & found[bad.label]
    distinct = {label: hashes - both for label, hashes in found.items()}
    most = min(map(len, distinct.values())) if recipe.balance else None
    learn, hold = {}, {}
    for label, kept in distinct.items():
        # The hash is a random order that depends on the text and the seed alone.
        taken = sorted(kept)[:most]
        cut = len(taken) - round(recipe.held_out * len(taken))
        learn[label], hold[label] = taken[:cut], taken[cut:]
        _require_enough(label, len(learn[label]), len(hold[label]))
    counts = {
        "read": read,
        "distinct": {label: len(hashes) for label, hashes in found.items()},
        "on_both_sides": len(both),
        "learned": {label: len(hashes) for label, hashes in learn.items()},
        "held_out": {label: len(hashes) for label, hashes in hold.items()},
    }
    return _Divided({h for hs in learn.values() for h in hs}, {h for hs in hold.values() for h in hs}, counts)


def _require_enough(label: str, learned: int, held: int) -> None:
    if min(learned, held) < FEWEST:
        raise InputError(
            f"'{label}': {learned + held} distinct documents leave {learned} to learn from and {held} to hold out; "
            f"{FEWEST} of each are the least. Give more documents, or raise --held-out"
        )


def _hash(text: str, seed: int) -> bytes:
    return hashlib.blake2b(_one_line(text).encode(), digest_size=2 * HALF, salt=seed.to_bytes(8, "big")).digest()


def _one_line(text: str) -> str:
    """Return a document as fastText will read it: in one line, and without words that it would take for labels."""
    return _LOOKS_LIKE_A_LABEL.sub("", " ".join(text.strip().splitlines()))


def _write(scratch: Path, divided: _Divided, sides: tuple[Side, Side], seed: int) -> tuple[Path, Path]:
    """Write each document once, shuffled: fastText reads from top to bottom.

    The order is that of the hashes' second halves: by the first, of which a larger side has only small ones after
    balancing, one side would end before the other (AUC 0.945 instead of 0.970 on the comments of docs/text_models.md).
    Buckets keep what is sorted in memory small.
    """
    bucket_of = [(scratch / f"bucket-{n:03}").open("w", encoding="utf-8") for n in range(BUCKETS)]
    wanted = set(divided.learn | divided.hold)
    with contextlib.ExitStack() as opened:
        for stream in bucket_of:
            opened.enter_context(stream)
        for side in sides:
            for text in side.texts():
                digest = _hash(text, seed)
                if digest in wanted:
                    wanted.discard(digest)
                    place = digest[HALF:] + digest[:HALF]
                    line = f"{place.hex()} {LABEL_PREFIX}{side.label} {_one_line(text)}"
                    bucket_of[place[0] * BUCKETS // 256].write(f"{line}\n")
    learned, held = scratch / "learned.txt", scratch / "held.txt"
    with learned.open("w", encoding="utf-8") as learn, held.open("w", encoding="utf-8") as hold:
        for n in range(BUCKETS):
            for line in sorted((scratch / f"bucket-{n:03}").read_text("utf-8").split("\n")[:-1]):
                name, _, labelled = line.partition(" ")
                place = bytes.fromhex(name)
                (hold if place[HALF:] + place[:HALF] in divided.hold else learn).write(f"{labelled}\n")
    return learned, held


def _learn(path: Path, recipe: Recipe) -> Any:
    return supervise(
        path, lr=recipe.learning_rate, dim=recipe.dim, epoch=recipe.epochs, minCount=recipe.min_count,
        wordNgrams=recipe.word_ngrams, bucket=recipe.buckets, seed=recipe.seed,
    )  # fmt: skip


def _score(model: Any, held: Path, label: str) -> tuple[Scores, Scores]:
    """Return the probabilities of the good label for held-out good and bad documents."""
    found: dict[bool, list[float]] = {True: [], False: []}
    good = f"{LABEL_PREFIX}{label}"
    with held.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            name, _, text = line.rstrip("\n").partition(" ")
            told = dict(zip(*model.predict(text, k=-1), strict=True))
            found[name == good].append(min(float(told.get(good, 0.0)), 1.0))
    return np.array(found[True]), np.array(found[False])


def _card(target: Path, made: Path, sides: tuple[Side, Side], recipe: Recipe, counts: dict[str, Any]) -> dict[str, Any]:
    files = [
        {"label": side.label, "file": path, "column": side.column, "sha256": sha256(path)}
        for side in sides
        for path in side.files
    ]
    return {
        "model": {
            "file": target.name,
            "sha256": sha256(str(made)),
            "bytes": made.stat().st_size,
            "label": sides[0].label,
        },
        "source": "fastText classifier, as DCLM fits one: Li et al. (2024), arXiv:2406.11794",
        "learned_with": {"fasttext-numpy2": version("fasttext-numpy2")},
        "settings": asdict(recipe),
        "files": files,
        "documents": counts,
    }
