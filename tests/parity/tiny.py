"""Sizes of the tiny models, in the trainer's own terms, and the batches that references and our models are given."""

import torch

from curate.train.sizes import Language, QFormer, Vision

EVA = Vision(kind="eva", image_size=28, patch=7, width=48, layers=3, heads=4, feedforward=96)
CLIP = Vision(kind="clip", image_size=28, patch=7, width=48, layers=3, heads=4, feedforward=96)
QFORMER = QFormer(queries=6, width=64, layers=4, heads=4, feedforward=96, vocabulary=61, context=32, dropout=0.0)
LLAMA = Language(kind="llama", vocabulary=270, width=40, layers=2, heads=4, feedforward=72, context=64)
OPT = Language(kind="opt", vocabulary=270, width=40, layers=2, heads=4, feedforward=72, context=64)
T5 = Language(kind="t5", vocabulary=270, width=40, layers=2, heads=4, feedforward=72, context=64)
SHARED = 24
"""Width of the space in which pictures and texts are compared."""

PAD, BEGIN = 0, 2
FIRST_WORD = 3
IMAGE_TOKEN = 269
"""Stands for one place of a picture in what references are given: the last of the vocabulary, and never a word."""
UNLABELLED = -100
SAMPLES = 3
LENGTHS = (9, 5, 7)
"""Tokens of each sample's text: different ones, so that there is padding."""
ANSWERS = (4, 2, 3)
"""How many of them, at the end, are the answer."""


def pictures(samples: int = SAMPLES, seed: int = 1) -> torch.Tensor:
    """Return float32[P, 3, 28, 28], as if normalised."""
    return torch.randn(samples, 3, 28, 28, generator=torch.Generator().manual_seed(seed))


def words(length: int, seed: int, vocabulary: int = IMAGE_TOKEN) -> list[int]:
    """Return ordinary tokens, none of them special."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(FIRST_WORD, vocabulary, (length,), generator=generator).tolist()


def padded(rows: list[list[int]], filling: int = PAD) -> torch.Tensor:
    """Return int64[B, L], filled up at the right."""
    length = max(len(row) for row in rows)
    return torch.tensor([[*row, *[filling] * (length - len(row))] for row in rows])


def mask(rows: list[list[int]]) -> torch.Tensor:
    return padded([[1] * len(row) for row in rows])


def texts(vocabulary: int = IMAGE_TOKEN, seed: int = 2) -> list[list[int]]:
    """Return a text for each sample."""
    return [words(length, seed + n, vocabulary) for n, length in enumerate(LENGTHS)]


def decoder_rows(places: int, *, picture_first: bool) -> list[list[int]]:
    """Return, for each sample, a picture's places, the begin token and a text; or begin, a word, places, the rest."""
    slot = [IMAGE_TOKEN] * places
    if picture_first:
        return [[*slot, BEGIN, *text] for text in texts()]
    return [[BEGIN, text[0], *slot, *text[1:]] for text in texts()]


def decoder_batch(rows: list[list[int]]) -> dict[str, torch.Tensor]:
    """Return what a decoder-only model is given: the last tokens of each row are what it should say."""
    labels = [[*[UNLABELLED] * (len(row) - n), *row[-n:]] for row, n in zip(rows, ANSWERS, strict=True)]
    given = {"input_ids": padded(rows), "attention_mask": mask(rows), "labels": padded(labels, UNLABELLED)}
    return {"pixel_values": pictures(), **given}


def decoder_prompts(rows: list[list[int]]) -> list[dict[str, torch.Tensor]]:
    """Return each row up to its answer."""
    open_rows = [row[:-n] for row, n in zip(rows, ANSWERS, strict=True)]
    return [
        {"pixel_values": pixels[None], "input_ids": torch.tensor([row]), "attention_mask": mask([row])}
        for row, pixels in zip(open_rows, pictures(), strict=True)
    ]


def encoder_rows(places: int) -> list[list[int]]:
    """Return what T5's encoder reads: a picture's places, then a question."""
    return [[IMAGE_TOKEN] * places + text[:-n] for text, n in zip(texts(), ANSWERS, strict=True)]


def encoder_batch(places: int) -> dict[str, torch.Tensor]:
    """Return what an encoder-decoder is given; it makes its decoder's input from the labels."""
    rows, answers = encoder_rows(places), [text[-n:] for text, n in zip(texts(), ANSWERS, strict=True)]
    labels = padded(answers, UNLABELLED)
    return {"pixel_values": pictures(), "input_ids": padded(rows), "attention_mask": mask(rows), "labels": labels}


def encoder_prompts(places: int) -> list[dict[str, torch.Tensor]]:
    """Return each row of the encoder alone."""
    return [
        {"pixel_values": pixels[None], "input_ids": torch.tensor([row]), "attention_mask": mask([row])}
        for row, pixels in zip(encoder_rows(places), pictures(), strict=True)
    ]


def told() -> dict[str, torch.Tensor]:
    """Return what an InstructBLIP's Q-Former reads beside the picture."""
    rows = texts(QFORMER.vocabulary, seed=7)
    return {"qformer_input_ids": padded(rows), "qformer_attention_mask": mask(rows)}
