"""A tiny architecture that compares: two towers, a contrast, hard negatives, and words said of pictures."""

from typing import ClassVar, Literal

import torch
from torch import nn
from torch.nn import functional

from curate.train.batch import Batch, Example, Text
from curate.train.compare import Comparing, Everyone, Represented
from curate.train.config import Training
from curate.train.corpus import Drawn, collate
from curate.train.pictures import Transform
from curate.train.template import UNLABELLED, Tokens

SIDE, WIDTH, WORDS = 4, 8, 30


class PairsConfig(Training):
    PARTS: ClassVar[tuple[str, ...]] = ("vision", "head", "words", "heat")

    architecture: Literal["pairs"] = "pairs"
    dropout: float = 0.0


def model(trainable=PairsConfig.PARTS, dropout=0.0):
    """Return the same random weights each time."""
    recipe = {"steps": 1, "batch_size": 8, "learning_rate": 1, "warmup_steps": 0, "beta2": 0.9, "weight_decay": 0}
    config = PairsConfig(preset="pairs", trainable=trainable, checkpoint_every=1, dropout=dropout, **recipe)
    torch.manual_seed(5)
    return Pairs(config)


class Pairs(Comparing):
    WEIGHTS: ClassVar = {"pairs": 1.0, "matches": 0.5, "tokens": 0.25}
    MATCHES: ClassVar = True

    def __init__(self, config: PairsConfig) -> None:
        super().__init__(config)
        self.vision = nn.Linear(3 * SIDE * SIDE, WIDTH)
        self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(WIDTH, WIDTH))
        self.words = nn.Embedding(WORDS, WIDTH)
        self.heat = nn.Parameter(torch.tensor(2.0))
        self.freeze()

    def look(self, pixels):
        return self.vision(pixels.flatten(1)).tanh()

    def count(self, batch):
        return {"pairs": len(batch), "matches": 3 * len(batch), "tokens": batch.text.labelled}

    def represent(self, batch):
        pictures_BD = self.head(self.seen(batch))
        vectors = {"pictures": functional.normalize(pictures_BD, dim=-1), "text": self.read(batch.text)}
        told_BV = (pictures_BD @ self.words.weight.T).log_softmax(-1)
        said_BL = told_BV.gather(1, batch.text.labels_BL.clamp(min=0))
        return Represented(vectors, {"tokens": -said_BL[batch.text.labels_BL != UNLABELLED].sum()})

    def read(self, text):
        mask_BL1 = (text.mask_BL > 0).unsqueeze(-1).float()
        return functional.normalize((self.words(text.ids_BL) * mask_BL1).sum(1), dim=-1)

    def contrast(self, vectors, own):
        to_text = self.heat * vectors["pictures"][own] @ vectors["text"].T
        to_picture = self.heat * vectors["text"][own] @ vectors["pictures"].T
        targets = torch.arange(own.start, own.stop)
        return {"pairs": sum(functional.cross_entropy(s, targets, reduction="sum") for s in (to_text, to_picture))}

    def match(self, batch: Batch, everyone: Everyone):
        """The false partners are the most alike ones, which is what every split must agree on."""
        others = everyone.batch
        rows_B = (batch.places_B[:, None] == others.places_B).long().argmax(1)
        scores_GG = everyone.vectors["pictures"] @ everyone.vectors["text"].T
        scores_GG.fill_diagonal_(-torch.inf)
        false_text, false_picture = scores_GG[rows_B].argmax(1), scores_GG.T[rows_B].argmax(1)
        shown = others.pictures[false_picture]
        own, false = self.head(self.seen(batch)), self.head(shown if others.cached else self.look(shown))
        text = Text(others.text.ids_BL[false_text], others.text.labels_BL[false_text], others.text.mask_BL[false_text])
        read = self.read(batch.text)
        losses = [functional.softplus(-(own * read).sum(1)), functional.softplus((own * self.read(text)).sum(1))]
        return {"matches": torch.stack([*losses, functional.softplus((false * read).sum(1))]).sum()}


def example(number):
    """Return a sample of one to eleven labelled tokens, by its place in the training order."""
    draw = torch.Generator().manual_seed(number)
    ids = torch.randint(0, WORDS, (2 + number * 7 % 11,), generator=draw).tolist()
    pixels = torch.randint(0, 256, (SIDE, SIDE, 3), generator=draw, dtype=torch.uint8).numpy()
    return Example(Tokens(ids, [UNLABELLED, *ids[1:]]), picture=pixels)


def batch(numbers):
    return collate(Drawn([example(n) for n in numbers], list(numbers), []), Transform(SIDE))


def plain_loss(made, numbers):
    """Return the loss of samples as written in a paper, one by one, by nothing of the trainer."""
    pictures, texts, said = [], [], []
    for one in map(example, numbers):
        pixels = Transform(SIDE).normalised(one.picture[None])
        pictures.append(made.head(made.vision(pixels.flatten()).tanh()))
        texts.append(functional.normalize(made.words(torch.tensor(one.text.ids)).sum(0), dim=0))
        said += [-(made.words.weight @ pictures[-1]).log_softmax(0)[i] for i in one.text.ids[1:]]
    alike = torch.stack([torch.stack([functional.normalize(p, dim=0) @ t for t in texts]) for p in pictures])
    compared, matched = [], []
    for n in range(len(numbers)):
        compared.append(-(made.heat * alike[n]).log_softmax(0)[n] - (made.heat * alike[:, n]).log_softmax(0)[n])
        rivals = [m for m in range(len(numbers)) if m != n]
        text, picture = max(rivals, key=lambda m: alike[n, m]), max(rivals, key=lambda m: alike[m, n])
        matched += [functional.softplus(-pictures[n] @ texts[n]), functional.softplus(pictures[n] @ texts[text])]
        matched.append(functional.softplus(pictures[picture] @ texts[n]))
    return sum(compared) / len(compared) + sum(matched) / len(matched) / 2 + sum(said) / len(said) / 4
