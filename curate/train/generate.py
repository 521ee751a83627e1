"""Asking a checkpoint about a picture."""

from pathlib import Path

import torch

from curate.errors import TrainError
from curate.train import checkpoint
from curate.train.data import Example, collate
from curate.train.pictures import decode
from curate.train.tokens import bounds, tokenise


def answer(folder: str, image: bytes, question: str, max_new_tokens: int) -> str:
    """Return the greedy answer, without the tokens that open and close it."""
    learner, config, _ = checkpoint.restore(_newest(Path(folder)))
    pixels = decode(image, config.vision.image_size, config.max_pixels)
    if isinstance(pixels, str):
        raise TrainError(f"the picture cannot be used: {pixels}. Give a whole jpg, png, webp or gif")
    asked = tokenise(learner.tokenizer, [(_asked(question), "")], config.vision.patches)
    room = config.language.context - len(asked.ids)
    if room <= 0:
        raise TrainError(f"the question is too long: {len(asked.ids)} of {config.language.context} places. Shorten it")
    batch = collate([Example(asked.ids, asked.labels, pixels)], config.vision.image_size, blank_pictures=False)
    _, end = bounds(learner.tokenizer)
    with torch.inference_mode():
        said = learner.model.greedy(batch.ids_BL, batch.pixels_PCSS, end, min(room, max_new_tokens))
    return str(learner.tokenizer.decode(said)).strip()


def _asked(question: str) -> str:
    """Put the picture before the question, as the conversations that it learned from do."""
    if not question.strip() or "<image>" in question:
        raise TrainError("give a question in words, without <image>: the picture is put before it")
    return f"<image>\n{question.strip()}"


def _newest(folder: Path) -> Path:
    if (folder / "state.json").exists():
        return folder
    checkpoints = checkpoint.saved(folder)
    if not checkpoints:
        raise TrainError(f"{folder}: holds no checkpoint. Give a folder that `curate train --out` wrote to")
    return checkpoints[-1]
