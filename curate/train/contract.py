"""Which samples an architecture can use: found by reading their text, before anything is learned."""

import math
from collections import Counter
from dataclasses import dataclass, field

from curate.errors import TrainError
from curate.train.config import Training
from curate.train.corpus import Corpus
from curate.train.damage import REASON as DAMAGED
from curate.train.template import Unusable

AT_FIRST = 256
"""Samples that are read before the first step."""
_DEVIATIONS = 3


@dataclass
class Seen:
    """What reading the text of samples has shown; pictures were not decoded, so broken ones are not found."""

    samples: int = 0
    usable: int = 0
    places: int = 0
    """Of all usable sequences together."""
    longest: int = 0
    labelled: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


def read_through(corpus: Corpus, most: int) -> Seen:
    """Read the first samples of the training order, `most` at most."""
    seen = Seen()
    for place in range(min(corpus.mixture.trained, most)):
        try:
            example = corpus.read(corpus.mixture.training(place), place)
        except Unusable as reason:
            if str(reason) != DAMAGED:  # which has a limit of its own
                seen.reasons[str(reason)] += 1
                seen.samples += 1
            continue
        seen.samples += 1
        seen.usable += 1
        seen.places += len(example.text)
        seen.longest = max(seen.longest, len(example.text))
        seen.labelled += sum(label >= 0 for label in (example.answer or example.text).labels)
    return seen


def require_usable(corpus: Corpus, config: Training) -> None:
    """Refuse data of which an architecture can plainly not use what the budget demands.

    Raises:
        TrainError: of the first samples more are unusable than chance explains, were `max_failed_fraction` their share.
    """
    seen, share = read_through(corpus, AT_FIRST), config.max_failed_fraction
    allowed = share + _DEVIATIONS * math.sqrt(share * (1 - share) / max(1, seen.samples))
    if seen.samples - seen.usable <= allowed * seen.samples:
        return
    reasons = ", ".join(f"{reason} ({n})" for reason, n in seen.reasons.most_common())
    raise TrainError(
        f"{config.preset} can use {seen.usable} of the first {seen.samples} samples: {reasons}. "
        "Mend the recipe that wrote them, choose a preset that reads what they have, or raise max_failed_fraction"
    )
