"""Does the model look? Its loss with the pictures against its loss without them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from curate.errors import TrainError
from curate.train.data import Corpus, collate
from curate.train.llava import Llava
from curate.train.presets import Config


def report(model: Llava, corpus: Corpus, config: Config, samples: int) -> dict[str, float]:
    """Return mean losses in nats per token: of trained samples and of held-out ones, with pictures and with blanks."""
    trained = samples - config.held_out
    positions = range(min(config.eval_samples, trained))
    losses = _pair(model, corpus, config, [corpus.training(p) for p in positions])
    figures = {"eval_loss": losses.seen, "eval_loss_blank": losses.blank}
    if config.held_out:
        losses = _pair(model, corpus, config, [corpus.held_out(p) for p in range(config.held_out)])
        figures |= {"held_out_loss": losses.seen, "held_out_loss_blank": losses.blank}
    return figures


@dataclass(frozen=True)
class _Pair:
    seen: float
    blank: float


@torch.inference_mode()
def _pair(model: Llava, corpus: Corpus, config: Config, indices: Sequence[int]) -> _Pair:
    sums, tokens = [0.0, 0.0], 0
    for start in range(0, len(indices), config.batch_size):
        usable, _ = corpus.draw(indices[start : start + config.batch_size])
        if not usable:
            continue
        for blank_pictures in (False, True):
            batch = collate(usable, config.vision.image_size, blank_pictures=blank_pictures)
            sums[blank_pictures] += float(model.loss_sum(batch))
        tokens += batch.tokens
    if not tokens:
        raise TrainError(f"none of the {len(indices)} samples to evaluate can be used; metrics.jsonl says why")
    return _Pair(sums[0] / tokens, sums[1] / tokens)
