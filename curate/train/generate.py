"""Asking a checkpoint about a picture."""

import random
from dataclasses import replace
from pathlib import Path

from curate.errors import TrainError
from curate.train import checkpoint
from curate.train.corpus import Drawn, collate
from curate.train.decoder import Decoding
from curate.train.template import PICTURE, Unusable


def answer(folder: str, image: bytes, question: str, how: Decoding) -> str:
    """Return what the model says of a picture, asked a question."""
    learner, _ = checkpoint.restore(checkpoint.newest(Path(folder)))
    model, examples = learner.model.eval(), learner.examples
    if PICTURE in question:
        raise TrainError(f"give a question in words, without {PICTURE}: the picture is put where it belongs")
    try:
        picture = examples.transform.decode(image, random.Random(0))
    except Unusable as reason:
        raise TrainError(f"the picture cannot be used: {reason}. Give a whole jpg, png, webp or gif") from None
    example = replace(examples.asked(question.strip()), picture=picture)
    batch = collate(Drawn([example], [0], []), examples.transform).to(model.device)
    with model.in_precision():
        (said,) = model.generate(batch, replace(how, ends=examples.ends))
    words = learner.vocabularies["language"].decode(said)
    return words.split(examples.stop)[0].strip() if examples.stop else words
