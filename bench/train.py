"""Our training step beside transformers' own classes: `python -m bench.train [--quick]`, one JSON line each.

Forward, backward, clipping and AdamW, one process, one thread, the same weights and batch; both losses must agree first
and after the last step. Steps are taken in turns and the median counts, so a busy machine hurts both. Then: a step from
stored features against one that looks at its pictures.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch

from bench.frozen import compare_features
from bench.pairs import pair

AGREE = 1e-4
"""Largest difference of the first two losses, and over the loss once both have learned, with roundings of their own."""
SMALL = {"width": 256, "layers": 4, "heads": 4, "feedforward": 704, "vocabulary": 8192}
LARGE = {"width": 512, "layers": 6, "heads": 8, "feedforward": 1408, "vocabulary": 32000}
EVA = {"vision.kind": "eva"}
QUERIES = {"qformer.width": "256", "qformer.layers": "4", "qformer.heads": "4", "qformer.feedforward": "1024",
           "qformer.queries": "32", "qformer.dropout": "0", "qformer.vocabulary": "8192"}  # fmt: skip
BRIDGE = {"trainable": "norm,qformer,projector"}
"""What BLIP-2 and InstructBLIP train: tower and language model are frozen."""
CASES = {
    "LLaVA, Llama": ("llava-tiny", {"trainable": "projector,language"}),
    "LLaVA, the tower too": ("llava-tiny", {}),
    "BLIP-2, OPT": ("blip2-opt-tiny", {**EVA, **QUERIES, **BRIDGE}),
    "BLIP-2, T5": ("blip2-flan-t5-tiny", {**EVA, **QUERIES, **BRIDGE, "language.dropout": "0"}),
    "InstructBLIP, Llama": ("instructblip-tiny", {**EVA, **QUERIES, **BRIDGE}),
}


def sizes_of(quick: bool) -> dict[str, str]:
    """Return the sizes of towers and language models."""
    language = SMALL if quick else LARGE
    vision = {"image_size": 112 if quick else 168, "patch": 14, "feedforward": 4 * language["width"]}
    vision |= {name: language[name] for name in ("width", "layers", "heads")}
    parts = {"language": {**language, "context": 512}, "vision": vision}
    return {f"{part}.{name}": str(value) for part, sizes in parts.items() for name, value in sizes.items()}


def race(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> tuple[float, float]:
    """Return the median seconds of a step of each side, taken in turns; the first of each is compared, not counted.

    Raises:
        SystemExit: the losses of a round differ.
    """
    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        losses = []
        for side, step in enumerate((ours, theirs)):
            begin = time.perf_counter()
            losses.append(step())
            seconds[side].append(time.perf_counter() - begin)
        if not abs(losses[0] - losses[1]) <= (AGREE * losses[1] if number else AGREE):
            raise SystemExit(f"round {number}: the losses differ, {losses[0]} and {losses[1]}")
    return statistics.median(seconds[0][1:]), statistics.median(seconds[1][1:])


def say(what: str, ours: float, peer: float, unit: str, goal: str) -> None:
    """Print one line: more is better."""
    line = {"bench": "train", "what": what, "ours": round(ours, 2), "peer": round(peer, 2), "unit": unit}
    print(json.dumps({**line, "ratio": round(ours / peer, 3), "goal": goal}), flush=True)


def compare_steps(name: str, quick: bool) -> None:
    preset, own = CASES[name]
    both = pair(preset, sizes_of(quick) | own)
    ours, theirs = race(both.ours, both.theirs, 5 if quick else 7)
    for unit, amount in (("samples/s", both.samples), ("tokens/s", both.tokens)):
        say(f"{name}: a step, against transformers", amount / ours, amount / theirs, unit, "ratio >= 1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller models, end within two minutes")
    parser.add_argument("--data", default="", help="a run for the features  [default: demo-run if here, else drawings]")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in CASES:
        compare_steps(name, options.quick)
    compare_features(say, options.data, options.quick)


if __name__ == "__main__":
    main()
