"""What stored features of frozen towers save: steps on the same samples, looked at or read."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from curate.train import store_features
from curate.train.config import Training
from curate.train.corpus import Corpus
from curate.train.features import Stored, find
from curate.train.learner import Learner, begin
from curate.train.loop import train_step
from curate.train.mixture import Mixture, open_mixture
from curate.train.presets import configure
from curate.train.ranks import Ranks
from curate.train.sharding import Placement
from curate.train.step import Work
from tests.train.shapes import shapes, write_run

DEMO = Path(__file__).parents[1] / "demo-run"
PRESETS = ("minigpt4-tiny", "fromage-tiny")
SETTINGS = {"batch_size": "16", "cache_bytes": "0"}
"""Without decoded pictures in memory: those of a real corpus do not fit there."""
RATE = 1e-4

Say = Callable[[str, float, float, str, str], None]


def compare_features(say: Say, data: str, quick: bool) -> None:
    """Print samples/s from features against those from pictures, of a run or of drawings."""
    with tempfile.TemporaryDirectory() as folder:
        demo = data or (str(DEMO) if (DEMO / "manifest.json").is_file() else "")
        run = demo or write_run(f"{folder}/drawings", shapes())
        of = "pictures of a run" if demo else "drawings of 48 pixels"
        for preset in PRESETS:
            live, read = _rates(preset, run, rounds=4 if quick else 12)
            say(f"{preset}: samples from stored features, against {of}", read, live, "samples/s", "ratio > 1")


def _rates(preset: str, run: str, rounds: int) -> tuple[float, float]:
    """Return samples/s of steps that look and of steps that read, taken in turns, from shard to AdamW."""
    store_features(preset, run, overrides=SETTINGS, progress=_silence)
    config = configure(preset, SETTINGS)
    mixture = open_mixture([run], config)
    looking, reading = (_Side(config, mixture) for _ in range(2))
    reading.stored = find(reading.learner, mixture)[0]
    seconds: dict[int, list[float]] = {0: [], 1: []}
    for number in range(rounds + 1):
        for side, steps in enumerate((looking, reading)):
            begun = time.perf_counter()
            steps.step(number)
            seconds[side].append(time.perf_counter() - begun)
    live, read = (config.batch_size / statistics.median(seconds[side][1:]) for side in (0, 1))
    return live, read


class _Side:
    def __init__(self, config: Training, mixture: Mixture) -> None:
        self.config, self.mixture = config, mixture
        self.learner: Learner = begin(config, mixture, Placement())
        self.stored: Stored | None = None

    def step(self, number: int) -> None:
        corpus = Corpus(self.mixture, self.config, self.learner.examples, self.stored)
        size = self.config.batch_size
        batch = corpus.collate(corpus.draw(range(number * size, (number + 1) * size)))
        train_step(self.learner, Work([batch], number, Ranks()), RATE)


def _silence(_: dict[str, Any]) -> None:
    """Say nothing."""
