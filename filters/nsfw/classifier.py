"""Any picture classifier of transformers, by the names of its classes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from curate.errors import ModelError, nearest
from curate.models import Model

KNOWN = ("Falconsai/nsfw_image_detection", "AdamCodd/vit-base-nsfw-detector")


def model(name: str, *others: str) -> Model:
    """Name a checkpoint by hub id or folder."""
    return Model(name, licence="as its model card says", known=(*KNOWN, *others))


def load(folder: Path, unsafe: Sequence[str]) -> Callable[[Sequence[Image.Image]], npt.NDArray[np.float32]]:
    """Load a checkpoint; return a function from n pictures in RGB to float32[n], the sum over the classes `unsafe`.

    Raises:
        ModelError: the folder holds no picture classifier, or one without such a class.
    """
    import torch

    network, processor = _load(folder)
    names = {name.lower(): index for index, name in network.config.id2label.items()}
    missing = [name for name in unsafe if name.lower() not in names]
    if missing:
        hint = nearest(missing[0], names)
        raise ModelError(
            f"nsfw: model at {folder} has no class '{missing[0]}'; it has {', '.join(names)}. "
            f"Name the ones that count in `unsafe`.{hint}"
        )
    columns = [names[name.lower()] for name in unsafe]

    def rate(pictures: Sequence[Image.Image]) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            pixels = processor(images=list(pictures), return_tensors="pt")["pixel_values"]
            probabilities = torch.softmax(network(pixel_values=pixels).logits.float(), dim=-1)
        rated: npt.NDArray[np.float32] = probabilities[:, columns].sum(dim=-1).clamp(max=1).numpy()
        return rated

    return rate


def _load(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoImageProcessor, AutoModelForImageClassification
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        network = AutoModelForImageClassification.from_pretrained(folder, local_files_only=True).eval()
        # The variant on Pillow: torchvision is not needed, and scores do not depend on whether it is here.
        processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True, backend="pil")
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} is not a picture classifier that `nsfw` can load: {error}") from error
    if network.config.problem_type == "multi_label_classification":
        raise ModelError(f"nsfw: model at {folder} tells several labels of a picture at once; only one-of-many is read")
    return network, processor
