"""Does the model look? Its losses with the pictures against its losses without them."""

from collections import Counter
from collections.abc import Sequence

import torch

from curate.errors import TrainError
from curate.train.compare import Comparing
from curate.train.corpus import Corpus
from curate.train.dealing import At
from curate.train.model import Architecture


def report(model: Architecture, corpus: Corpus, world: int = 1) -> dict[str, float]:
    """Return mean losses in nats: of trained samples and of held-out ones, with pictures and with blank ones.

    Samples are compared within batches of the training's size, where a loss compares them; others pass as many at once
    as on one of `world` processes in training.
    """
    config = model.training_config
    mixture = corpus.mixture
    evaluated = range(min(config.eval_samples, mixture.trained))
    figures = _pair(model, corpus, "eval_loss", [mixture.training(place) for place in evaluated], world)
    if config.held_out:
        held_out = [mixture.held_out(number) for number in range(config.held_out)]
        figures |= _pair(model, corpus, "held_out_loss", held_out, world)
    return figures


@torch.inference_mode()
def _pair(model: Architecture, corpus: Corpus, name: str, samples: Sequence[At], world: int) -> dict[str, float]:
    model.eval()
    sums = {"": Counter[str](), "_blank": Counter[str]()}
    counts = Counter[str]()
    config = model.training_config
    size = config.batch_size if isinstance(model, Comparing) else config.micro_batch or config.batch_size // world
    for start in range(0, len(samples), size):
        drawn = corpus.take((at, corpus.mixture.number(at)) for at in samples[start : start + size])
        if not drawn.examples:
            continue
        for suffix, total in sums.items():
            batch = corpus.collate(drawn, blank_pictures=bool(suffix)).to(model.device)
            with model.in_precision():
                total.update({loss: float(value) for loss, value in model(batch).items()})
        counts.update(model.count(batch))
    model.train()
    if not counts:
        raise TrainError(f"none of the {len(samples)} samples to evaluate can be used; metrics.jsonl says why")
    weights = {loss: model.WEIGHTS[loss] / n for loss, n in counts.items() if n}
    return {f"{name}{suffix}": sum(w * total[loss] for loss, w in weights.items()) for suffix, total in sums.items()}
